# shellcheck shell=bash
# The commands of the host, one function each.

HOST_COMMANDS=(help up stop restart status urls env logs backup restore upgrade rollback rotate-token
  doctor uninstall compose)

usage() {
  cat << 'TEXT'
usage: kopeck [command]                 without one: a menu

  status                 containers, and what the books say of themselves
  urls [--show-secrets]  what goes into the partners' cabinets
  doctor                 looks at everything and says what to do
  logs [-f] [service]    what the services say
  up, restart, stop      all of it, or the services that are named
  env                    every setting, secrets hidden
  env set KEY            a value, typed or on standard input; env check: would the services start?
  backup [--to FOLDER]   books, journals and .env in one file
  restore FILE [--yes]   the way back
  upgrade [--from DIR] [--build] [--version V]
  rollback               to the release before
  rotate-token [KEY]     a new secret beside the current one (EPN's, if none is named); --finish ends the older
  test-alert             sends an alert the whole way
  uninstall [--purge]    away with it; the data stays unless it is purged
  compose ...            docker compose for this installation

and the suite's own:
TEXT
  suite help < /dev/null | sed -n '3,$p' || true
}

command_help() { usage; }
command_urls() { print_urls "${1:---hidden}"; }
command_logs() { compose logs "$@"; }
command_compose() { compose "$@"; }
command_up() { compose up --detach --wait "$@"; }
command_stop() { compose stop "$@"; }

# Not `docker compose restart`: that would start the containers with the settings of before.
command_restart() {
  if (($# > 0)); then
    compose up --detach --wait --force-recreate --no-deps "$@"
  else
    compose up --detach --wait --force-recreate sbp crypto epn admin ledger courier traefik
  fi
}

command_status() {
  printf 'Kopeck %s, %s\n\n' "$(release_in current)" "$(public_base)"
  compose ps --all --format 'table {{.Service}}\t{{.Status}}' | grep -vE '^(migrate|volumes) '
  printf '\n'
  suite status "$@"
}

command_env() {
  case ${1:-} in
    '') hide_secrets < "$ENV_FILE" ;;
    check) command_env_check ;;
    set) set_by_hand "${2:-}" ;;
    *) die 64 env_set_help ;;
  esac
}

# Values of secrets are hidden, and so are passwords inside of URLs.
hide_secrets() {
  sed -nE '/^[A-Z]/ {
    s/^([A-Z0-9_]*(TOKEN|TOKENS|SECRET|SECRETS|PASSWORD|KEY|PANELS|CARD_NUMBER))=.+/\1=********/
    s#://([^:/@]*):[^@]*@#://\1:********@#
    p
  }'
}

command_env_check() {
  compose config --format json |
    docker run --rm -i --network none --read-only "$(compose config --images cli | head -n 1)" cli/src/kopeck.js check-env
}

# The value never stands in a command line, which anybody on this host could list.
set_by_hand() {
  local value
  [[ $1 =~ ^[A-Z][A-Z0-9_]*$ ]] || die 64 env_set_help
  if [[ -t 0 ]]; then value=$(read_answer "$(t env_set_value "$1")" '' secret); else IFS= read -r value || true; fi
  env_set "$ENV_FILE" "$1" "$value" || die 65 env_set_help
  say env_set_done "$1"
}

# One at a time with an installation.
alone() {
  exec 9> "$KOPECK_DIR/state/lock"
  flock -n 9 || die 69 locked "$KOPECK_DIR/state/lock"
  LOG_FILE=$KOPECK_DIR/log/$1-$(date -u +%Y%m%dT%H%M%SZ).log
}

command_backup() {
  local folder=$KOPECK_DIR/backups
  if [[ ${1:-} == --to ]]; then folder=${2:?}; fi
  alone backup
  make_backup "$folder" || die 79 backup_failed
  say backup_done "$BACKUP"
}

command_restore() {
  local file=${1:-}
  [[ ${2:-} != --yes ]] || KOPECK_YES=1
  [[ -f $file ]] || die 64 backup_bad "$file"
  alone restore
  restore_backup "$file"
}

# A newer release comes with its own installer.
command_upgrade() {
  local releases script
  if [[ ${1:-} == --from ]]; then
    local from=${2:?}
    shift 2
    exec bash "$from/install.sh" --dir "$KOPECK_DIR" "$@"
  fi
  releases=$(sed -nE 's/^ *STAMPED_RELEASES=(.+)$/\1/p' "$KOPECK_DIR/current/install.sh")
  [[ -n $releases ]] || die 64 missing --from KOPECK_RELEASES
  script=$(mktemp)
  fetch "$releases/latest/install.sh" "$script" || die 74 pull_failed
  exec bash "$script" --dir "$KOPECK_DIR" "$@"
}

command_rollback() {
  alone rollback
  aim_at_traefik
  roll_back
}

# command_rotate_token [KEY|epn] [--finish]: the first of a list is current, the second still accepted.
command_rotate_token() {
  local key=EPN_SECRET_TOKEN tokens finish=0
  for each in "$@"; do
    case $each in
      --finish) finish=1 ;;
      epn) ;;
      *) key=$each ;;
    esac
  done
  if [[ ! $key =~ (TOKEN|SECRET|API_KEY)$ ]] || ! env_has "$ENV_FILE" "$key"; then die 64 not_set "$key" "$key"; fi
  tokens=$(env_get "$ENV_FILE" "$key")
  if [[ $finish == 1 ]]; then
    env_set "$ENV_FILE" "$key" "${tokens%%,*}"
  else
    env_set "$ENV_FILE" "$key" "$(gen_secret 32),${tokens%%,*}"
  fi
  logged compose up --detach --wait || die 76 not_started "$LOG_FILE"
  if [[ $finish == 1 ]]; then
    say rotate_finished
  elif [[ $key == EPN_SECRET_TOKEN ]]; then
    say rotated
    print_epn_url --hidden
  else
    say rotated_own "$key" "$ENV_FILE" "$key"
  fi
}

command_uninstall() {
  parse_flags "$@"
  alone uninstall
  uninstall
}

command_doctor() {
  examine
}
