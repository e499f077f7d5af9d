# shellcheck shell=bash
# kopeck doctor: what can be seen from the host, then what the suite sees from within. The lines look
# alike, and exit code 1 means that something is wrong.

ERRORS=0

examine() {
  local check code=0
  aim_at_traefik
  for check in "${HOST_CHECKS[@]}"; do
    "check_${check//-/_}"
  done
  suite doctor < /dev/null || code=$?
  ((ERRORS == 0 && code == 0))
}

# ok CHECK TEXT; warn CHECK TEXT CURE; err CHECK TEXT CURE
ok() { printf 'ok     %-18s  %s\n' "$1" "$2"; }

warn() { printf 'WARN   %-18s  %s\n%28s-> %s\n' "$1" "$2" '' "$3"; }

err() {
  ERRORS=$((ERRORS + 1))
  printf 'ERROR  %-18s  %s\n%28s-> %s\n' "$1" "$2" '' "$3"
}
