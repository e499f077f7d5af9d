# shellcheck shell=bash
# Step 8: ports that others have, and names that lead elsewhere, are found before anything is started.

check_ports() {
  [[ ${KOPECK_SKIP_PORT_CHECK:-0} != 1 ]] || return 0
  local http https mode
  http=$(setting HTTP_PORT 80)
  https=$(setting HTTPS_PORT 443)
  mode=$(setting TLS_MODE acme)
  if [[ $mode == acme* && ($http != 80 || $https != 443) ]]; then die 69 acme_ports; fi
  if traefik_is_ours; then return 0; fi
  check_port "$http" --http-port
  check_port "$https" --https-port
}

check_port() {
  local owner
  owner=$(port_owner "$1") || return 0
  die 69 port_busy "$1" "$owner" "$2"
}

# port_owner PORT: who listens there; 1 where nobody does.
port_owner() {
  local line
  line=$(ss -Hltnp "sport = :$1" | head -n 1)
  [[ -n $line ]] || return 1
  if [[ $line =~ users:\(\(\"([^\"]+)\" ]]; then printf '%s' "${BASH_REMATCH[1]}"; else printf '?'; fi
}

# The Traefik of this installation may keep its ports.
traefik_is_ours() {
  [[ -e $KOPECK_DIR/current ]] && [[ -n $(compose ps --status running -q traefik 2> /dev/null) ]]
}

# Wrong DNS stops an installation that asks Let's Encrypt for a certificate; to the others it is told.
check_dns() {
  [[ ${KOPECK_SKIP_DNS_CHECK:-0} != 1 ]] || return 0
  local domain mode found here
  domain=$(setting WEBHOOK_DOMAIN '')
  mode=$(setting TLS_MODE acme)
  if is_ipv4 "$domain" || [[ $mode == external ]]; then return 0; fi
  found=$(addresses_of "$domain")
  here=$(own_addresses)
  if [[ -z $found ]]; then
    dns_is_wrong "$mode" dns_none "$domain" "${here//$'\n'/, }"
  elif ! share_a_line "$found" "$here"; then
    dns_is_wrong "$mode" dns_wrong "$domain" "${found//$'\n'/, }" "${here//$'\n'/, }"
  fi
}

dns_is_wrong() {
  local mode=$1
  shift
  [[ $mode != acme ]] || die 69 "$@"
  complain "$@"
}

addresses_of() {
  { getent ahostsv4 "$1" 2> /dev/null || true; } | awk '{ print $1 }' | sort -u
}

# own_addresses: those of the interfaces, and the one that the internet sees, for a host behind NAT.
own_addresses() {
  {
    ip -4 -o addr show scope global 2> /dev/null | awk '$2 !~ /^(docker|br-|veth)/ { sub("/.*", "", $4); print $4 }'
    if [[ -n ${KOPECK_PUBLIC_IP:-} ]]; then
      printf '%s\n' "$KOPECK_PUBLIC_IP"
    else
      curl -4 -fsS --max-time 5 https://api.ipify.org 2> /dev/null || true
      printf '\n'
    fi
  } | grep -E '^[0-9.]+$' | sort -u || true
}

share_a_line() {
  grep -qxFf <(printf '%s\n' "$1") <(printf '%s\n' "$2")
}

is_ipv4() {
  [[ $1 =~ ^([0-9]{1,3}\.){3}[0-9]{1,3}$ ]]
}
