# shellcheck shell=bash
# One file that holds all that cannot be had again: the books, the journals, .env, mapping files. Redis is not in it:
# whatever it held is in the journals for a day.

RECEIVERS=(sbp crypto epn admin)

# make_backup FOLDER: prints nothing; BACKUP is the file. The dump comes first: what arrives between the
# two is in the journals then, and a restored journal is forwarded whole.
make_backup() {
  local folder=$1 work
  mkdir -p "$folder"
  chmod 700 "$folder"
  rm -rf "$folder"/.unfinished.*
  work=$(mktemp -d "$folder/.unfinished.XXXXXX")
  if ! collect "$work"; then
    rm -rf "$work"
    return 1
  fi
  BACKUP=$folder/kopeck-$(date -u +%Y%m%dT%H%M%SZ).tar
  tar -cf "$BACKUP.unfinished" -C "$work" .
  chmod 600 "$BACKUP.unfinished"
  mv "$BACKUP.unfinished" "$BACKUP"
  rm -rf "$work"
  prune_backups "$folder"
}

collect() {
  dump_database | gzip -c > "$1/database.sql.gz" || return 1
  copy_journals "$1" || return 1
  cp -p "$ENV_FILE" "$1/env" || return 1
  copy_networks "$1/networks.tar" || return 1
  {
    printf 'made=%s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
    printf 'release=%s\n' "$(release_in current)"
    printf 'head=%s\n' "$(head_of_dump "$1/database.sql.gz")"
  } > "$1/manifest"
  (cd "$1" && sha256sum database.sql.gz journal-*.tar networks.tar env manifest > SHA256SUMS)
}

# The password goes by the environment, never by the command line. A dump that broke off has no last line.
dump_database() {
  local options=(--single-transaction --quick --routines --triggers --events --hex-blob --skip-lock-tables)
  database_client mariadb-dump "${options[@]}" "$(setting DB_NAME kopeck)" | whole_dump
}

whole_dump() {
  awk '{ print; last = $0 } END { exit last !~ /^-- Dump completed/ }'
}

# database_client PROGRAM ARGUMENT...: with the rights of root in the bundled MariaDB, or of the owner of
# the tables on a server of your own.
database_client() {
  local program=$1
  shift
  if [[ $(setting COMPOSE_PROFILES '') == bundled-db ]]; then
    # shellcheck disable=SC2016 # the container's own variable
    compose exec -T mariadb sh -c 'MYSQL_PWD=$MARIADB_ROOT_PASSWORD exec "$@"' - "$program" -uroot "$@"
  else
    MYSQL_PWD=$(env_get "$ENV_FILE" MARIADB_MIGRATE_PASSWORD) compose run --rm --no-deps -T -e MYSQL_PWD \
      --entrypoint "$program" mariadb -h "$(setting DB_HOST '')" -P "$(setting DB_PORT 3306)" -ukopeck_migrate "$@"
  fi
}

# A receiver stands still for the moment of the copy; its journal is then as after a power cut, which it
# is made for.
copy_journals() {
  local receiver id='' code=0
  # Whoever interrupts must not leave a receiver that stands still.
  trap 'docker unpause "$id" > /dev/null 2>&1; exit 130' INT TERM
  for receiver in "${RECEIVERS[@]}"; do
    id=$(compose ps --all -q "$receiver" | head -n 1)
    [[ -n $id ]] || return 1
    docker pause "$id" > /dev/null 2>&1 || true
    docker cp "$id:/var/lib/kopeck/." - > "$1/journal-$receiver.tar" || code=1
    docker unpause "$id" > /dev/null 2>&1 || true
    [[ $code == 0 ]] || return 1
  done
  trap - INT TERM
}

# copy_networks FILE: the operator's mapping files; an older installation may have no folder for them.
copy_networks() {
  local folder
  folder=$(setting AFFILIATE_NETWORKS_DIR "$KOPECK_DIR/networks")
  if [[ -d $folder ]]; then tar -cf "$1" -C "$folder" .; else tar -cf "$1" -T /dev/null; fi
}

# head_of_dump FILE: seq:hash, as `kopeck audit` says it.
head_of_dump() {
  gzip -dc "$1" | sed -nE "/^INSERT INTO .chain_head. VALUES/,/;/ s/.*\(1,([0-9]+),'([0-9a-f]{64})'\).*/\1:\2/p"
}

prune_backups() {
  local keep
  keep=$(setting BACKUP_KEEP 7)
  find "$1" -maxdepth 1 -name 'kopeck-*.tar' -printf '%f\n' | sort -r | tail -n +$((keep + 1)) |
    while IFS= read -r old; do rm -f "$1/$old"; done
}

newest_backup() {
  find "$KOPECK_DIR/backups" -maxdepth 1 -name 'kopeck-*.tar' 2> /dev/null | sort | tail -n 1
}
