# shellcheck shell=bash
# A backup every night, where systemd is there to call it.

SYSTEMD=${KOPECK_SYSTEMD_DIR:-/etc/systemd/system}

install_timer() {
  local unit
  unit=$(project)-backup
  if [[ ! -d /run/systemd/system ]]; then
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

remove_timer() {
  local unit
  unit=$(project)-backup
  [[ -f $SYSTEMD/$unit.timer ]] || return 0
  logged systemctl disable --now "$unit.timer" || true
  rm -f "$SYSTEMD/$unit.timer" "$SYSTEMD/$unit.service"
}
