# shellcheck shell=bash
# From one release to the next, and back again by itself where the next does not work.

# switch_release ID: starts it, and asks it through the published port. 75: the one before runs again.
switch_release() {
  local before
  before=$(release_in current || true)
  use_release "$1"
  RELEASE=$KOPECK_DIR/current
  if start_suite && probe_suite; then return 0; fi
  if [[ -z $before || $before == "$1" ]]; then die 76 not_started "$LOG_FILE"; fi
  complain not_healthy
  logged compose ps --all || true
  go_back "$before"
  die 75 rolled_back "$before" "$LOG_FILE"
}

# go_back ID: migrations only add, so the release before runs on the schema of the next.
go_back() {
  use_release "$1"
  RELEASE=$KOPECK_DIR/current
  if ! start_suite || ! probe_suite; then die 76 rollback_failed "$(newest_backup)"; fi
}

roll_back() {
  local before
  before=$(release_in previous) || die 64 no_previous
  go_back "$before"
  say rolled_back "$before" "$LOG_FILE"
}
