# shellcheck shell=bash
# Away with the program; away with the data only for somebody who types its name.

uninstall() {
  local name
  name=$(project)
  confirm uninstall_sure || die 64 restore_refused
  if [[ ${KOPECK_PURGE:-0} == 1 ]]; then confirm_purge; fi
  if [[ ${KOPECK_PURGE:-0} == 1 ]]; then
    logged compose --profile cli --profile bundled-db down --remove-orphans --volumes
  else
    logged compose --profile cli --profile bundled-db down --remove-orphans
  fi
  undo_host_settings
  rm -f "$(command_path)"
  if [[ ${KOPECK_PURGE:-0} == 1 ]]; then
    rm -rf "$KOPECK_DIR"
    LOG_FILE=/dev/null
    say purge_done
  else
    say uninstall_done "$KOPECK_DIR" "${name}_*"
  fi
}

confirm_purge() {
  local domain
  [[ ${KOPECK_YES_DELETE_MY_DATA:-0} != 1 ]] || return 0
  domain=$(setting WEBHOOK_DOMAIN '')
  may_ask || die 64 purge_refused
  [[ $(read_answer "$(t purge_ask "$domain")" '' '') == "$domain" ]] || die 64 purge_refused
}

command_path() {
  printf '%s/kopeck' "$(cat "$KOPECK_DIR/state/bin-dir" 2> /dev/null || echo /usr/local/bin)"
}
