# shellcheck shell=bash
# The commands of the host, one function each.

command_help() { usage; }

command_urls() {
  [[ $# == 0 || $* == --show-secrets ]] || misused urls
  print_urls "${1:---hidden}"
}

command_logs() { compose logs "$@"; }
command_compose() { compose "$@"; }
command_up() { compose up --detach "$@" && await_suite "$@"; }
command_stop() { compose stop "$@"; }

# Not `docker compose restart`: that would start the containers with the settings of before.
command_restart() {
  if (($# > 0)); then
    compose up --detach --force-recreate --no-deps "$@"
  else
    compose up --detach --force-recreate sbp crypto epn admin ledger courier traefik
  fi
  await_suite "$@"
}

command_env() {
  case $* in
    '') hide_secrets < "$ENV_FILE" ;;
    check) check_env || exit 65 ;;
    set\ *) set_by_hand "${@:2}" ;;
    *) misused env ;;
  esac
}

# Values of secrets are hidden, and so are passwords inside of URLs.
hide_secrets() {
  sed -nE '/^[A-Z]/ {
    s/^([A-Z0-9_]*(TOKEN|TOKENS|SECRET|SECRETS|PASSWORD|KEY|PANELS|CARD_NUMBER|HEARTBEAT_URL|HEARTBEAT_URL_BACKUP))=.+/\1=********/
    s#://([^:/@]*):[^@]*@#://\1:********@#
    p
  }'
}

# The value never stands in a command line, which anybody on this host could list.
set_by_hand() {
  local value
  [[ $# == 1 && $1 =~ ^[A-Z][A-Z0-9_]*$ ]] || misused env
  is_known "$1" || complain env_set_unknown "$1"
  if [[ -t 0 ]]; then value=$(read_answer "$(t env_set_value "$1")" '' secret); else IFS= read -r value || true; fi
  env_set "$ENV_FILE" "$1" "$value" || die 65 env_set_lines "$1"
  say env_set_done "$1"
}

# is_known KEY: to the release that runs; KEY_FILE and the images are in no example.
is_known() {
  [[ $1 == *_IMAGE ]] || grep -qE "^#?${1%_FILE}=" "$KOPECK_DIR/current/.env.example"
}

# One at a time with an installation.
alone() {
  exec 9> "$KOPECK_DIR/state/lock"
  flock -n 9 || die 69 locked "$KOPECK_DIR/state/lock"
  LOG_FILE=$KOPECK_DIR/log/$1-$(date -u +%Y%m%dT%H%M%SZ).log
}

command_backup() {
  local folder=$KOPECK_DIR/backups
  if [[ $# == 2 && $1 == --to && -n $2 ]]; then folder=$2; elif (($# > 0)); then misused backup; fi
  alone backup
  make_backup "$folder" || die 79 backup_failed
  say backup_done "$BACKUP"
  tell_heartbeat
}

# Silence is the alarm: whoever is behind the URL tells when this call fails to come. Its path is a secret,
# which would stand in the list of processes.
tell_heartbeat() {
  local url
  url=$(setting HEARTBEAT_URL_BACKUP '')
  [[ -n $url ]] || return 0
  curl -fsS -o /dev/null --max-time 10 --retry 3 --config - <<< "url = \"$url\"" 2>> "$LOG_FILE" || complain heartbeat_failed
}

command_restore() {
  local file=${1:-}
  [[ $# == 1 || ($# == 2 && $2 == --yes) ]] || misused restore
  [[ $# == 1 ]] || KOPECK_YES=1
  [[ -f $file ]] || die 64 backup_bad "$file"
  alone restore
  restore_backup "$file"
}

# A newer release comes with its own installer.
command_upgrade() {
  local releases script
  if [[ ${1:-} == --from ]]; then
    local from=${2:-}
    [[ -f $from/install.sh ]] || misused upgrade
    shift 2
    exec bash "$from/install.sh" --dir "$KOPECK_DIR" "$@"
  fi
  releases=${KOPECK_RELEASES:-}
  [[ -n $releases ]] || releases=$(sed -nE 's/^ *STAMPED_RELEASES=(.+)$/\1/p' "$KOPECK_DIR/current/install.sh")
  [[ -n $releases ]] || die 64 missing --from KOPECK_RELEASES
  script=$(mktemp)
  fetch "$releases/latest/install.sh" "$script" || die 74 pull_failed
  exec bash "$script" --dir "$KOPECK_DIR" "$@"
}

command_rollback() {
  (($# == 0)) || misused rollback
  alone rollback
  aim_at_traefik
  roll_back
}

# command_rotate_token [KEY|epn] [--finish]: the first of a list is current, the second still accepted, and
# nothing pushes it out but --finish: the sender may not have heard of the first one yet.
command_rotate_token() {
  local key=EPN_SECRET_TOKEN tokens finish=0
  for each in "$@"; do
    case $each in
      --finish) finish=1 ;;
      epn) ;;
      -*) misused rotate-token ;;
      *) key=$each ;;
    esac
  done
  if [[ ! $key =~ (TOKEN|SECRET|API_KEY)$ ]] || ! env_has "$ENV_FILE" "$key"; then die 64 not_set "$key" "$key"; fi
  tokens=$(env_get "$ENV_FILE" "$key")
  if [[ $finish == 1 ]]; then
    env_set "$ENV_FILE" "$key" "${tokens%%,*}"
  elif [[ $tokens == *,* ]]; then
    die 64 rotating "$key" "$key"
  else
    env_set "$ENV_FILE" "$key" "$(gen_secret 32),$tokens"
  fi
  start_suite || die 76 not_started "$LOG_FILE"
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
