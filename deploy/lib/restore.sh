# shellcheck shell=bash
# The way back. Nothing is stopped before the file has been found whole, and nothing is started unless
# the books end where the backup says they did.

# What a backup does not decide: where this host is, and the root of a database that exists.
KEEP_OF_THIS_HOST='^(WEBHOOK_DOMAIN|TLS_MODE|ACME_|BIND_ADDRESS|HTTPS?_PORT|TRUSTED_PROXIES|CERTS_DIR|AFFILIATE_NETWORKS_DIR|COMPOSE_|DB_|DATABASE_|MARIADB_ROOT_PASSWORD|[A-Z]+_IMAGE)'

# restore_backup FILE
restore_backup() {
  local work made expected found
  work=$(mktemp -d)
  # shellcheck disable=SC2064 # this very folder
  trap "rm -rf '$work'" EXIT
  tar -xf "$1" -C "$work" 2> /dev/null || die 65 backup_bad "$1"
  (cd "$work" && sha256sum --quiet --strict -c SHA256SUMS) > /dev/null 2>&1 || die 65 backup_bad "$1"
  made=$(env_get "$work/manifest" made)
  expected=$(env_get "$work/manifest" head)
  confirm_restore "$made"

  stop_writers
  take_env "$work/env"
  take_networks "$work/networks.tar"
  fill_database "$work/database.sql.gz"
  fill_journals "$work"
  forget_redis
  compose run --rm -T migrate > /dev/null 2>> "$LOG_FILE"
  found=$(suite audit | sed -nE 's/^head //p')
  [[ $found == "$expected" ]] || die 76 restore_wrong "$found" "$expected"
  say restore_head "$found"
  start_suite || die 76 not_started "$LOG_FILE"
  say restore_gap "$made"
}

confirm_restore() {
  [[ ${KOPECK_YES:-0} != 1 ]] || return 0
  may_ask || die 64 restore_refused
  [[ $(read_answer "$(t restore_sure "$1") (y/N)" '' '') =~ ^([yY]|yes|[дД]|да)$ ]] || die 64 restore_refused
}

# Traefik stays: partners are told 502 and come again.
stop_writers() {
  compose stop sbp crypto epn admin ledger courier redis > /dev/null 2>> "$LOG_FILE"
}

# take_env FILE: the secrets of the backup, which its partners and its database know; the rest stays.
take_env() {
  local key
  if cmp -s "$1" "$ENV_FILE"; then return 0; fi
  cp -p "$ENV_FILE" "$ENV_FILE.$(date -u +%Y%m%dT%H%M%SZ)"
  while IFS= read -r key; do
    env_set "$ENV_FILE" "$key" "$(env_get "$1" "$key")"
  done < <(sed -nE 's/^([A-Z][A-Z0-9_]*)=.*/\1/p' "$1" | grep -vE "$KEEP_OF_THIS_HOST")
}

# take_networks FILE: over those of this host. A backup of an older release has none.
take_networks() {
  local folder
  folder=$(setting AFFILIATE_NETWORKS_DIR "$KOPECK_DIR/networks")
  [[ -f $1 ]] || return 0
  mkdir -p "$folder"
  tar -xf "$1" -C "$folder"
}

fill_database() {
  local name
  name=$(setting DB_NAME kopeck)
  if [[ $(setting COMPOSE_PROFILES '') == bundled-db ]]; then
    compose up --detach --wait mariadb > /dev/null 2>> "$LOG_FILE"
  fi
  database_client mariadb -e "DROP DATABASE IF EXISTS \`$name\`;
    CREATE DATABASE \`$name\` CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"
  gzip -dc "$1" | database_client mariadb "$name"
}

# fill_journals FOLDER: into volumes that are emptied first, as the user that the receivers run as.
fill_journals() {
  local receiver
  compose create > /dev/null 2>> "$LOG_FILE"
  for receiver in "${RECEIVERS[@]}"; do
    compose run --rm --no-deps -T --user 0 --cap-add DAC_OVERRIDE --cap-add CHOWN --cap-add FOWNER \
      --entrypoint sh "$receiver" -c \
      'find /var/lib/kopeck -mindepth 1 -delete && tar -xpf - -C /var/lib/kopeck' < "$1/journal-$receiver.tar"
  done
}

# A Redis that never heard of us makes every receiver forward all that its journal holds.
forget_redis() {
  compose rm --force --stop redis > /dev/null 2>> "$LOG_FILE"
  docker volume rm "$(project)_redis-data" > /dev/null 2>> "$LOG_FILE" || true
}
