# shellcheck shell=bash
# The two things that a host does for Kopeck outside of Docker: a backup every night, and memory for Redis.

SYSTEMD=${KOPECK_SYSTEMD_DIR:-/etc/systemd/system}
SYSCTL=${KOPECK_SYSCTL_DIR:-/etc/sysctl.d}

# Without it Redis may fail to write its file anew while it is in use.
allow_overcommit() {
  [[ $(cat "${OVERCOMMIT:-/proc/sys/vm/overcommit_memory}" 2> /dev/null) != 1 && -d $SYSCTL ]] || return 0
  printf '# Redis, for Kopeck\nvm.overcommit_memory = 1\n' > "$SYSCTL/60-kopeck.conf"
  logged sysctl -q -w vm.overcommit_memory=1 || true
}

install_timer() {
  local unit
  unit=$(project)-backup
  if [[ ! -d ${KOPECK_SYSTEMD_DIR:-/run/systemd/system} ]]; then
    say no_timer
    return
  fi
  cat > "$SYSTEMD/$unit.service" << UNIT
[Unit]
Description=Backup of $(project)

[Service]
Type=oneshot
ExecStart=$KOPECK_DIR/current/deploy/kopeck backup
UNIT
  cat > "$SYSTEMD/$unit.timer" << UNIT
[Unit]
Description=Backup of $(project) every night

[Timer]
OnCalendar=*-*-* 03:17:00
RandomizedDelaySec=30m
Persistent=true

[Install]
WantedBy=timers.target
UNIT
  logged systemctl daemon-reload || true
  logged systemctl enable --now "$unit.timer" || true
}

# What was set on the host goes; what the running kernel was told stays until it starts again.
undo_host_settings() {
  local unit
  unit=$(project)-backup
  rm -f "$SYSCTL/60-kopeck.conf"
  [[ -f $SYSTEMD/$unit.timer ]] || return 0
  logged systemctl disable --now "$unit.timer" || true
  rm -f "$SYSTEMD/$unit.timer" "$SYSTEMD/$unit.service"
}
