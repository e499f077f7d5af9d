# shellcheck shell=bash
# What people read: in Russian or English, on the terminal and in the log of this run. Secrets have a
# function of their own, which knows no log.

declare -gA TEXTS_RU TEXTS_EN
LOG_FILE=${LOG_FILE:-/dev/null}

# pick_language: what was asked for, else what the terminal speaks.
pick_language() {
  case ${KOPECK_LANG:-${LC_ALL:-${LANG:-}}} in
    ru*) KOPECK_LANG=ru ;;
    *) KOPECK_LANG=en ;;
  esac
}

# t KEY [ARGUMENT...]: a text in the language that was picked; the key itself where there is none.
t() {
  local key=$1 format
  shift
  if [[ ${KOPECK_LANG:-} == ru ]]; then format=${TEXTS_RU[$key]:-$key}; else format=${TEXTS_EN[$key]:-$key}; fi
  # shellcheck disable=SC2059 # the formats are ours
  printf "$format" "$@"
}

# say KEY [ARGUMENT...]: a line for people, and the same for the log.
say() {
  local text
  text=$(t "$@")
  printf '%s\n' "$text"
  log "$text"
}

# complain KEY [ARGUMENT...]: the same for what is wrong.
complain() {
  local text
  text=$(t "$@")
  printf '%s\n' "$text" >&2
  log "$text"
}

# die CODE KEY [ARGUMENT...]
die() {
  local code=$1
  shift
  complain "$@"
  exit "$code"
}

log() {
  printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1" >> "$LOG_FILE"
}

# say_secret TEXT: for the eyes in front of the terminal alone. 1 where there is none.
say_secret() {
  [[ ${HAVE_TTY:-0} == 1 ]] || return 1
  printf '%s\n' "$1" >&3
}

# logged COMMAND...: its output goes to the log; where it fails, its last lines are shown.
logged() {
  local output code=0
  output=$(mktemp)
  if [[ ${KOPECK_VERBOSE:-0} == 1 ]]; then
    "$@" > >(tee "$output") 2>&1 < /dev/null || code=$?
  else
    "$@" > "$output" 2>&1 < /dev/null || code=$?
  fi
  cat "$output" >> "$LOG_FILE"
  [[ $code == 0 ]] || tail -n 20 "$output" >&2
  rm -f "$output"
  return "$code"
}
