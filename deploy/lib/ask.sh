# shellcheck shell=bash
# Questions. Each has a flag and an environment variable, so that nothing depends on a terminal.

# open_tty: file descriptor 3 is the terminal, where there is one. Found out by opening it: /dev/tty is
# there without a terminal too (ssh -T, cron, cloud-init).
open_tty() {
  HAVE_TTY=0
  if { exec 3<> /dev/tty; } 2> /dev/null; then HAVE_TTY=1; fi
}

# may_ask: is there somebody to answer?
may_ask() {
  [[ ${HAVE_TTY:-0} == 1 && ${KOPECK_NON_INTERACTIVE:-0} != 1 ]]
}

# ask NAME QUESTION DEFAULT [secret]: the value for KOPECK_<NAME>. What was given by flag or environment
# is not asked; without a terminal the default is taken; where that is empty, exit code 64 names the flag.
# A default of `-` means: may be left empty.
ask() {
  local name=KOPECK_$1 question=$2 default=$3 kind=${4:-} answer=
  [[ -z ${!name+x} ]] || return 0
  if may_ask; then
    answer=$(read_answer "$(t "$question")" "${default#-}" "$kind")
  fi
  answer=${answer:-$default}
  [[ $answer != - ]] || answer=
  [[ -n $answer || $default == - ]] || die 64 missing "$(flag_of "$1")" "$name"
  printf -v "$name" '%s' "$answer"
}

read_answer() {
  local answer=
  printf '%s%s: ' "$1" "${2:+ [$2]}" >&3
  if [[ $3 == secret ]]; then
    IFS= read -rs -u 3 answer || true
    printf '\n' >&3
  else
    IFS= read -r -u 3 answer || true
  fi
  printf '%s' "$answer"
}

# confirm QUESTION: yes at the terminal, or --yes. Nothing else is a yes.
confirm() {
  [[ ${KOPECK_YES:-0} != 1 ]] || return 0
  may_ask || return 1
  local answer
  answer=$(read_answer "$(t "$1") (y/N)" '' '')
  [[ $answer =~ ^([yY]|yes|[дД]|да)$ ]]
}

flag_of() {
  local name=${1,,}
  printf -- '--%s' "${name//_/-}"
}

# choose_language: the one question that has to be put in both.
choose_language() {
  [[ -z ${KOPECK_LANG:-} ]] || return 0
  local answer=
  pick_language
  if may_ask; then answer=$(read_answer 'Язык / Language: ru, en' "$KOPECK_LANG" ''); fi
  [[ ! $answer =~ ^(ru|en)$ ]] || KOPECK_LANG=$answer
}
