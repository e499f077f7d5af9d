# shellcheck shell=bash
# Flags: --alert-email X is KOPECK_ALERT_EMAIL=X, and so on for all of them. A flag wins over the
# environment, that over .env, and that over a question.

VALUE_FLAGS=(domain tls acme-email acme-ca alert-email alert-from smtp-url db database-url bind http-port
  https-port trusted-proxies project dir bin-dir lang timeout version releases)
SWITCH_FLAGS=(build yes non-interactive skip-dns-check skip-port-check no-docker-install acme-staging
  no-backup dry-run check uninstall purge yes-delete-my-data verbose)

# parse_flags ARGUMENT...: sets KOPECK_<FLAG>. 64: a flag that nobody knows.
parse_flags() {
  local flag name
  while (($# > 0)); do
    flag=${1%%=*}
    [[ $flag == --* ]] || die 64 unknown_flag "$1"
    flag=${flag#--}
    name=KOPECK_$(variable_of "$flag")
    if is_one_of "$flag" "${SWITCH_FLAGS[@]}"; then
      printf -v "$name" 1
    elif is_one_of "$flag" "${VALUE_FLAGS[@]}"; then
      if [[ $1 == *=* ]]; then
        printf -v "$name" '%s' "${1#*=}"
      else
        (($# > 1)) || die 64 no_value "--$flag"
        shift
        printf -v "$name" '%s' "$1"
      fi
    else
      die 64 unknown_flag "--$flag"
    fi
    shift
  done
}

variable_of() {
  local name=${1^^}
  printf '%s' "${name//-/_}"
}

is_one_of() {
  local wanted=$1 each
  shift
  for each in "$@"; do [[ $each != "$wanted" ]] || return 0; done
  return 1
}

# check_flags: what can be seen to be wrong before anything is done.
check_flags() {
  check_value tls 'acme, acme-ip, selfsigned, external' '^(acme|acme-ip|selfsigned|external)$'
  check_value db 'bundled, external' '^(bundled|external)$'
  check_value domain 'pay.example.com' '^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$'
  check_value http-port '1-65535' "$PORT"
  check_value https-port '1-65535' "$PORT"
  check_value alert-email 'me@example.com' '^$|^[^[:space:]@]+@[^[:space:]@]+$'
  check_value acme-email 'me@example.com' '^$|^[^[:space:]@]+@[^[:space:]@]+$'
  check_value smtp-url 'smtps://user:password@host:465' '^$|^smtps?://[^[:space:]]+$'
  check_value database-url 'mysql://user:password@host:3306/' '^$|^(mysql|mariadb)://[^[:space:]]+$'
  check_value lang 'ru, en' '^(ru|en)$'
  check_value timeout '1-3600' '^[1-9][0-9]{0,3}$'
}

PORT='^([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$'

# The value is not shown: it may be a secret.
check_value() {
  local name
  name=KOPECK_$(variable_of "$1")
  [[ -z ${!name+x} || ${!name} =~ $3 ]] || die 64 bad_value "--$1" "$2"
}
