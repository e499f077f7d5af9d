# shellcheck shell=bash
# What goes into the partners' cabinets, ready to be copied. Only the URL of EPN holds a secret.

# print_urls --hidden|--show-secrets
print_urls() {
  local base
  base=$(public_base)
  say urls_partners
  print_epn_url "$1" || true # what is installed is installed, also where this cannot be asked
  printf '  CryptoBot  %s/webhook/cryptobot\n' "$base"
  printf '  Telegram   %s/webhook/telegram\n' "$base"
  printf '  SBP        %s/webhook/sbp/%s\n' "$base" "$(setting SBP_PROVIDER raiffeisen)"
  for key in CRYPTOBOT_TOKEN TELEGRAM_BOT_TOKEN; do
    env_has "$ENV_FILE" "$key" || say not_set "$key" "$key"
  done
  printf '\n'
  say urls_own
  printf '  SBP API    %s\n' "$(t url_where "$base/api/payment" WEBHOOK_API_TOKEN "$ENV_FILE")"
  printf '  Invoices   %s\n' "$(t url_where "$base/api/crypto/invoice" CRYPTO_API_TOKEN "$ENV_FILE")"
  printf '  Stars      %s\n' "$(t url_where "$base/api/stars/invoice" CRYPTO_API_TOKEN "$ENV_FILE")"
  printf '  Admin      %s\n' "$(t url_where "$base/admin/" ADMIN_API_KEY "$ENV_FILE")"
  printf '  Telegram   setWebhook: secret_token = TELEGRAM_WEBHOOK_SECRET, %s\n' "$ENV_FILE"
}

# The macros come from the suite itself. In a log or a pipe the token is not shown unless asked for.
print_epn_url() {
  local url token
  url=$(suite epn url < /dev/null) || return 1
  token=$(env_get "$ENV_FILE" EPN_SECRET_TOKEN)
  if [[ $1 == --show-secrets ]]; then
    printf '  EPN        %s\n' "$url"
  elif ! say_secret "  EPN        $url"; then
    printf '  EPN        %s\n' "${url//"${token%%,*}"/********}"
    say url_hidden
  fi
}

public_base() {
  local port
  port=$(setting HTTPS_PORT 443)
  if [[ $port == 443 || $(setting TLS_MODE acme) == external ]]; then port=; else port=:$port; fi
  printf 'https://%s%s' "$(setting WEBHOOK_DOMAIN '')" "$port"
}
