# shellcheck shell=bash
# kopeck status: the containers as Docker sees them, then what the suite says of itself, for people or as
# JSON. Exit code 1: something of it does not run.

command_status() {
  [[ $# == 0 || $* == --json ]] || misused status
  local containers code=0
  containers=$(list_containers)
  all_run "$containers" || code=1
  if [[ $* == --json ]]; then
    ask_suite status || code=1
    printf '{"release":%s,"url":%s,"containers":[%s],"suite":%s}\n' "$(json_text "$(release_in current)")" \
      "$(json_text "$(public_base)")" "$(containers_as_json "$containers")" "$SUITE_JSON"
  else
    printf 'Kopeck %s, %s\n\n' "$(release_in current)" "$(public_base)"
    awk -F '|' '{ printf "%-10s %s\n", $1, $4 } END { print "" }' <<< "$containers"
    suite status < /dev/null || code=1
  fi
  return "$code"
}

# list_containers: service|state|health|what Docker says to people, a line each.
list_containers() {
  compose ps --all --format '{{.Service}}|{{.State}}|{{.Health}}|{{.Status}}' | grep -vE '^(migrate|volumes|cli)\|' || true
}

# all_run LIST: of those that do not look well, doctor's second look decides.
all_run() {
  local service
  [[ -n $1 ]] || return 1
  for service in $(grep -vE '\|running\|(healthy)?\|' <<< "$1" | cut -d '|' -f 1 || true); do
    [[ $(state_of "$(compose ps --all -q "$service" | head -n 1)") == fine ]] || return 1
  done
}

containers_as_json() {
  local service state health list=()
  while IFS='|' read -r service state health _; do
    [[ -n $service ]] || continue
    list+=("{\"service\":$(json_text "$service"),\"state\":$(json_text "$state"),\"health\":$(json_text "$health")}")
  done <<< "$1"
  (IFS=,; printf '%s' "${list[*]}")
}
