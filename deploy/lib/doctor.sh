# shellcheck shell=bash
# kopeck doctor: what can be seen from the host, then what the suite sees from within. The lines look
# alike, and exit code 1 means that something is wrong.

ERRORS=0
FINDINGS=()
AS_JSON=0

command_doctor() {
  [[ $# == 0 || $* == --json ]] || misused doctor
  local code=0
  [[ $# == 0 ]] || AS_JSON=1
  look_at_host
  if [[ $AS_JSON == 1 ]]; then doctor_json; else suite doctor < /dev/null; fi || code=$?
  ((ERRORS == 0 && code == 0))
}

look_at_host() {
  local check
  aim_at_traefik
  for check in "${HOST_CHECKS[@]}"; do
    "check_${check//-/_}"
  done
}

# What the host has found beside what the suite says itself.
doctor_json() {
  local code=0 healthy=false
  ask_suite doctor || code=$?
  ((ERRORS > 0 || code > 0)) || healthy=true
  printf '{"healthy":%s,"host":[%s],"suite":%s}\n' "$healthy" "$(IFS=, && printf '%s' "${FINDINGS[*]}")" "$SUITE_JSON"
  return "$code"
}

# ok CHECK TEXT; warn CHECK TEXT CURE; err CHECK TEXT CURE
ok() { finding ok 'ok   ' "$@"; }

warn() { finding warn 'WARN ' "$@"; }

err() {
  ERRORS=$((ERRORS + 1))
  finding error ERROR "$@"
}

# finding SEVERITY WORD CHECK TEXT [CURE]
finding() {
  local cure=${5:-}
  if [[ $AS_JSON == 1 ]]; then
    FINDINGS+=("{\"check\":$(json_text "$3"),\"severity\":\"$1\",\"what\":$(json_text "$4")${cure:+,\"cure\":$(json_text "$cure")}}")
    return
  fi
  printf '%s  %-18s  %s\n' "$2" "$3" "$4"
  [[ -z $cure ]] || printf '%28s-> %s\n' '' "$cure"
}
