# shellcheck shell=bash
# For whoever types `kopeck` and nothing else.

MENU=(status urls doctor logs backup restart upgrade rotate-token test-alert rollback uninstall)

menu() {
  local index answer
  printf 'Kopeck %s, %s\n\n' "$(release_in current)" "$(public_base)"
  for index in "${!MENU[@]}"; do
    printf '%3d  %-13s %s\n' "$((index + 1))" "${MENU[index]}" "$(t "menu_${MENU[index]}")"
  done
  answer=$(read_answer "$(t menu_choose)" '' '')
  [[ $answer =~ ^[0-9]+$ ]] && ((answer >= 1 && answer <= ${#MENU[@]})) || return 0
  main "${MENU[answer - 1]}"
}
