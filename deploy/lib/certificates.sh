# shellcheck shell=bash
# For --tls selfsigned: a certificate that stays the same, since Telegram is told which one to believe.

# The key is the user's that Traefik runs as.
make_certificate() {
  local folder domain name
  folder=$(setting CERTS_DIR "$KOPECK_DIR/certs")
  domain=$(setting WEBHOOK_DOMAIN '')
  mkdir -p "$folder"
  chmod 755 "$folder"
  [[ $(setting TLS_MODE acme) == selfsigned ]] || return 0
  if certificate_names "$folder/server.crt" "$domain"; then return 0; fi
  if is_ipv4 "$domain"; then name=IP:$domain; else name=DNS:$domain; fi
  logged openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
    -subj "/CN=$domain" -addext "subjectAltName=$name" \
    -keyout "$folder/server.key" -out "$folder/server.crt"
  chmod 644 "$folder/server.crt"
  chmod 400 "$folder/server.key"
  chown 1000 "$folder/server.key"
  complain selfsigned
}

# certificate_names FILE DOMAIN
certificate_names() {
  openssl x509 -in "$1" -noout -ext subjectAltName 2> /dev/null | grep -qE "(DNS|IP Address):${2//./\\.}(,|\$)"
}
