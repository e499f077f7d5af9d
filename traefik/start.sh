#!/bin/sh
# Makes /etc/traefik from the files beside this one and the environment, and starts Traefik.
set -eu

# must_be_plain KEY VALUE: for `sed s|…|…|`, and for one line of YAML. An address, a URL or a list of
# networks needs no other characters.
must_be_plain() {
  case $2 in *[!A-Za-z0-9@:/._,+-]*) echo "Please mend $1 in .env" >&2; exit 1 ;; esac
}

case $TLS_MODE in
  acme | acme-ip)
    [ -n "$ACME_EMAIL" ] || { echo "Please set ACME_EMAIL: TLS_MODE is $TLS_MODE" >&2; exit 1; } ;;
  selfsigned) ;;
  # Behind another proxy on this machine, which comes in through Docker's own networks.
  external) : "${TRUSTED_PROXIES:=127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16}" ;;
  *) echo 'Please set TLS_MODE to acme, acme-ip, selfsigned or external' >&2; exit 1 ;;
esac

must_be_plain ACME_EMAIL "$ACME_EMAIL"
must_be_plain ACME_CA "$ACME_CA"
must_be_plain TRUSTED_PROXIES "$TRUSTED_PROXIES"

mkdir -p /etc/traefik/dynamic
cp /opt/kopeck/dynamic/*.yml "/opt/kopeck/tls/$TLS_MODE.yml" /etc/traefik/dynamic/
sed -e "s|@ACME_EMAIL@|$ACME_EMAIL|" \
  -e "s|@ACME_CA@|$ACME_CA|" \
  -e "s|'@TRUSTED_PROXIES@'|$TRUSTED_PROXIES|" \
  /opt/kopeck/traefik.yml > /etc/traefik/traefik.yml

exec traefik
