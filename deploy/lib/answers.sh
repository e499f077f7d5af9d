# shellcheck shell=bash
# Steps 6 and 7: what only a person knows is asked once, the rest is generated, and .env is written
# only when something in it has changed.

# prepare_env EXAMPLE: makes or completes .env in a copy, and replaces it only if that differs.
prepare_env() {
  local copy added before
  copy=$ENV_FILE.unfinished
  if [[ -f $ENV_FILE ]]; then
    cp -p "$ENV_FILE" "$copy"
    added=$(env_merge "$copy" "$1")
    [[ -z $added ]] || say env_new_keys "${added//$'\n'/ }"
  else
    refuse_lost_env
    cp "$1" "$copy"
  fi
  chmod 600 "$copy"
  ask_all "$copy"
  apply_flags "$copy"
  generate_secrets "$copy" "$1"
  if [[ -f $ENV_FILE ]] && cmp -s "$copy" "$ENV_FILE"; then
    rm -f "$copy"
    chmod 600 "$ENV_FILE"
    return
  fi
  if [[ -f $ENV_FILE ]]; then
    before=$ENV_FILE.$(date -u +%Y%m%dT%H%M%SZ)
    cp -p "$ENV_FILE" "$before"
    say env_backup "$before"
  fi
  mv -f "$copy" "$ENV_FILE"
}

# New passwords would lock us out of a database that is there.
refuse_lost_env() {
  local volume=${KOPECK_PROJECT:-kopeck}_db-data
  if docker volume inspect "$volume" > /dev/null 2>&1; then die 65 env_lost "$volume" "$ENV_FILE"; fi
}

# ask_all FILE: a question is put only where neither a flag nor .env has the answer.
ask_all() {
  local domain
  known "$1" DOMAIN WEBHOOK_DOMAIN || ask DOMAIN ask_domain ''
  domain=${KOPECK_DOMAIN:-$(env_get "$1" WEBHOOK_DOMAIN || true)}
  [[ -n ${KOPECK_TLS+x} ]] || env_has "$1" TLS_MODE || KOPECK_TLS=$(tls_for "$domain")
  if ! env_has "$1" DB_HOST; then ask DB ask_db bundled; fi
  if [[ ${KOPECK_DB:-} == external ]]; then known "$1" DATABASE_URL DATABASE_ADMIN_URL || ask DATABASE_URL ask_database_url ''; fi
  known "$1" ALERT_EMAIL ALERT_EMAIL || ask ALERT_EMAIL ask_alert_email -
  known "$1" SMTP_URL SMTP_URL || ask SMTP_URL ask_smtp_url - secret
  if [[ ${KOPECK_TLS:-$(env_get "$1" TLS_MODE || true)} == acme* ]]; then
    known "$1" ACME_EMAIL ACME_EMAIL || choose_acme_email "$1"
  fi
  check_flags
}

# choose_acme_email FILE: whoever is told of alerts may be told of certificates; a question less.
choose_acme_email() {
  KOPECK_ACME_EMAIL=${KOPECK_ALERT_EMAIL:-$(env_get "$1" ALERT_EMAIL || true)}
  [[ -n $KOPECK_ACME_EMAIL ]] || { unset KOPECK_ACME_EMAIL && ask ACME_EMAIL ask_acme_email ''; }
}

# known FILE FLAG KEY: KEY stands in .env, if only as empty, or FLAG was given.
known() {
  local name=KOPECK_$2
  [[ -z ${!name+x} ]] || return 0
  [[ -f $ENV_FILE ]] && grep -qE "^$3=" "$1"
}

tls_for() {
  if is_ipv4 "$1"; then printf acme-ip; else printf acme; fi
}

# apply_flags FILE: what was given or answered, written down.
apply_flags() {
  local pair name
  for pair in DOMAIN=WEBHOOK_DOMAIN TLS=TLS_MODE ACME_EMAIL=ACME_EMAIL ACME_CA=ACME_CA \
    ALERT_EMAIL=ALERT_EMAIL ALERT_FROM=ALERT_FROM SMTP_URL=SMTP_URL BIND=BIND_ADDRESS \
    HTTP_PORT=HTTP_PORT HTTPS_PORT=HTTPS_PORT TRUSTED_PROXIES=TRUSTED_PROXIES PROJECT=COMPOSE_PROJECT_NAME; do
    name=KOPECK_${pair%%=*}
    [[ -z ${!name+x} ]] || write_answer "$1" "${pair#*=}" "${!name}"
  done
  if [[ ${KOPECK_ACME_STAGING:-0} == 1 ]]; then
    env_set "$1" ACME_CA https://acme-staging-v02.api.letsencrypt.org/directory
  fi
  env_default "$1" CERTS_DIR "$KOPECK_DIR/certs"
  env_default "$1" AFFILIATE_NETWORKS_DIR "$KOPECK_DIR/networks"
  case ${KOPECK_DB:-} in
    bundled) env_set "$1" COMPOSE_PROFILES bundled-db && env_set "$1" DB_HOST mariadb ;;
    external) use_external_database "$1" "${KOPECK_DATABASE_URL:-}" ;;
  esac
}

# An empty answer is written down as well: it is an answer, and is not asked again.
write_answer() {
  if [[ -z $3 ]] && ! grep -qE "^$2=" "$1"; then printf '%s=\n' "$2" >> "$1"; else env_set "$@"; fi
}

# use_external_database FILE URL: mysql://user:password@host:port/name, of which port and name may lack.
use_external_database() {
  [[ -n $2 ]] || return 0
  local rest=${2#*://} host port name
  rest=${rest##*@}
  host=${rest%%/*}
  name=${rest#"$host"}
  name=${name#/}
  port=${host##*:}
  [[ $host == *:* ]] || port=3306
  env_set "$1" DB_HOST "${host%%:*}"
  env_set "$1" DB_PORT "$port"
  [[ -z $name ]] || env_set "$1" DB_NAME "$name"
  env_set "$1" DATABASE_ADMIN_URL "${2%%/"$name"}/"
  env_set "$1" DATABASE_INTERNAL false
  env_set "$1" COMPOSE_PROFILES ''
}

# generate_secrets FILE EXAMPLE: for every secret that the example wants and FILE has not. What exists
# is never made anew.
generate_secrets() {
  local key
  while IFS= read -r key; do
    env_default "$1" "$key" "$(gen_secret 32)"
  done < <(env_missing "$1" "$2" | grep -E '(PASSWORD|TOKEN|SECRET|KEY)$')
}
