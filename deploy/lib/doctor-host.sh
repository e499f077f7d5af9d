# shellcheck shell=bash
# What can be wrong with a host. Each check says one line, or more; each fault is planted in a test.

HOST_CHECKS=(env-file env-keys tokens domain dns clock disk overcommit containers images port certificate
  backup)

OWN_TOKENS=(WEBHOOK_API_TOKEN EPN_SECRET_TOKEN ADMIN_API_KEY LEDGER_API_TOKEN LEDGER_USER_API_TOKEN
  CRYPTO_API_TOKEN TELEGRAM_WEBHOOK_SECRET)

check_env_file() {
  local mode
  mode=$(stat -c %a "$ENV_FILE")
  if ((8#$mode & 8#077)); then
    err env-file "$(t d_env_open "$ENV_FILE" "$mode")" "chmod 600 $ENV_FILE"
  else
    ok env-file "$(t d_env_closed "$ENV_FILE")"
  fi
}

check_env_keys() {
  local missing
  missing=$(env_missing "$ENV_FILE" "$KOPECK_DIR/current/.env.example")
  if [[ -n $missing ]]; then
    err env-keys "$(t d_keys_missing "${missing//$'\n'/, }")" "$(t d_keys_cure)"
  else
    ok env-keys "$(t d_keys_there)"
  fi
}

# Guessable: short, of few different characters, or the same for two doors.
check_tokens() {
  local key value first weak=() twice=()
  declare -A seen
  for key in "${OWN_TOKENS[@]}"; do
    value=$(env_get "$ENV_FILE" "$key" || true)
    first=${value%%,*}
    [[ -n $first ]] || continue
    if ((${#first} < 32)) || (($(distinct "$first") < 8)); then weak+=("$key"); fi
    [[ -z ${seen[$first]:-} ]] || twice+=("$key = ${seen[$first]}")
    seen[$first]=$key
  done
  ((${#weak[@]} == 0)) || err tokens "$(t d_tokens_weak "${weak[*]}")" "kopeck rotate-token ${weak[0]}"
  ((${#twice[@]} == 0)) || err tokens "$(t d_tokens_twice "${twice[*]}")" "$(t d_tokens_twice_cure)"
  ((${#weak[@]} + ${#twice[@]} > 0)) || ok tokens "$(t d_tokens_fine)"
}

distinct() {
  fold -w 1 <<< "$1" | sort -u | wc -l
}

# Payers are sent where SBP_PUBLIC_URL says.
check_domain() {
  local domain public
  domain=$(setting WEBHOOK_DOMAIN '')
  public=$(setting SBP_PUBLIC_URL "https://$domain")
  public=${public#*://}
  public=${public%%[:/]*}
  if [[ $public != "$domain" ]]; then
    warn domain "$(t d_domain_differs "$domain" "$public")" "$(t d_domain_cure)"
  fi
}

check_dns() {
  local domain found here
  domain=$(setting WEBHOOK_DOMAIN '')
  if is_ipv4 "$domain" || [[ $(setting TLS_MODE acme) == external ]]; then return 0; fi
  found=$(addresses_of "$domain")
  here=$(own_addresses)
  if [[ -z $found ]]; then
    err dns "$(t d_dns_none "$domain")" "$(t d_dns_cure "$domain" "${here//$'\n'/, }")"
  elif ! share_a_line "$found" "$here"; then
    err dns "$(t d_dns_wrong "$domain" "${found//$'\n'/, }")" "$(t d_dns_cure "$domain" "${here//$'\n'/, }")"
  else
    ok dns "$domain -> ${found//$'\n'/, }"
  fi
}

# Telegram's and the banks' signatures carry the time.
check_clock() {
  local theirs skew
  theirs=$(curl -sI --max-time 5 "$(setting TELEGRAM_API_URL https://api.telegram.org)" |
    sed -nE 's/^[Dd]ate: (.*)\r?$/\1/p' | tr -d '\r' || true)
  if [[ -n $theirs ]]; then
    skew=$(($(date +%s) - $(date -d "$theirs" +%s)))
    if ((skew > 30 || skew < -30)); then
      err clock "$(t d_clock_wrong "$skew")" 'timedatectl set-ntp true'
      return
    fi
    ok clock "$(t d_clock_right "$skew")"
  elif [[ $(timedatectl show -p NTPSynchronized --value 2> /dev/null || true) == no ]]; then
    err clock "$(t d_clock_unsynced)" 'timedatectl set-ntp true'
  fi
}

check_disk() {
  local folder used free
  folder=$(docker info --format '{{.DockerRootDir}}' 2> /dev/null || true)
  [[ -d $folder ]] || folder=$KOPECK_DIR
  read -r free used < <(df -Pm "$folder" | awk 'NR == 2 { print $4, $5 }')
  used=${used%\%}
  if ((used >= 90)); then
    err disk "$(t d_disk "$folder" "$used" "$free")" "$(t d_disk_cure)"
  elif ((used >= 80)); then
    warn disk "$(t d_disk "$folder" "$used" "$free")" "$(t d_disk_cure)"
  else
    ok disk "$(t d_disk "$folder" "$used" "$free")"
  fi
}

check_overcommit() {
  local value
  value=$(cat "${OVERCOMMIT:-/proc/sys/vm/overcommit_memory}" 2> /dev/null || true)
  if [[ $value != 1 ]]; then
    warn overcommit "$(t d_overcommit "$value")" \
      'echo vm.overcommit_memory=1 > /etc/sysctl.d/60-kopeck.conf && sysctl --system'
  fi
}

check_containers() {
  local service id state bad=0
  while IFS= read -r service; do
    is_one_of "$service" migrate volumes cli && continue
    id=$(compose ps --all -q "$service" | head -n 1)
    if [[ -z $id ]]; then state=absent; else state=$(state_of "$id"); fi
    [[ $state != fine ]] || continue
    bad=1
    err containers "$(t d_container "$service" "$state")" "$(t d_container_cure "$service" "$service")"
  done < <(compose config --services)
  [[ $bad == 1 ]] || ok containers "$(t d_containers_fine)"
}

# What a pause for a backup leaves behind is no illness: the last look must have failed, too.
state_of() {
  docker inspect --format '{{.State.Status}} {{.State.OOMKilled}} {{if .State.Health}}{{.State.Health.Status}} {{range .State.Health.Log}}{{.ExitCode}} {{end}}{{end}}' "$1" |
    awk '$1 != "running" { print ($2 == "true" ? "out of memory" : $1); exit }
      $3 == "unhealthy" && $NF != 0 { print $3; exit } { print "fine" }'
}

check_images() {
  local line service id wanted running known bad=0
  known=$KOPECK_DIR/current/images.ids
  while read -r service id; do
    wanted=$(grep -F "$(docker inspect --format '{{.Config.Image}}' "$id")=" "$known" 2> /dev/null | tail -n 1 || true)
    running=$(docker inspect --format '{{.Image}}' "$id")
    [[ ${wanted##*=} != "$running" ]] || continue
    bad=1
    err images "$(t d_image "$service" "$(release_in current)")" "$(t d_image_cure)"
  done < <(compose ps --format '{{.Service}} {{.ID}}' | grep -vE '^cli ')
  [[ $bad == 1 ]] || ok images "$(t d_images_fine "$(release_in current)")"
}

# The published port, from here; whether a firewall lets others in is only seen from elsewhere.
check_port() {
  local status
  status=$(curl -sk -o /dev/null -w '%{http_code}' --max-time 10 --connect-to "$CONNECT_TO" "$TRAEFIK_URL/api/health" || true)
  case $status in
    200) ok port "$TRAEFIK_URL" ;;
    000) err port "$(t d_port_closed "$TRAEFIK_URL")" "$(t d_port_closed_cure "$(setting HTTPS_PORT 443)")" ;;
    *) err port "$(t d_port_answers "$TRAEFIK_URL" "$status")" "$(t d_port_answers_cure)" ;;
  esac
}

check_certificate() {
  local domain certificate days
  domain=$(setting WEBHOOK_DOMAIN '')
  [[ $(setting TLS_MODE acme) != external ]] || return 0
  certificate=$(served_certificate "$domain") || certificate=
  if [[ -z $certificate ]]; then
    err certificate "$(t d_cert_none)" 'kopeck logs traefik'
    return
  fi
  if ! certificate_names <(printf '%s\n' "$certificate") "$domain"; then
    err certificate "$(t d_cert_other "$domain")" "$(t d_cert_cure)"
    return
  fi
  days=$((($(date -d "$(openssl x509 -noout -enddate <<< "$certificate" | cut -d= -f2)" +%s) - $(date +%s)) / 86400))
  # Those for addresses live for six days in all.
  local early=14 late=7
  [[ $(setting TLS_MODE acme) != acme-ip ]] || early=3 late=2
  if ((days < late)); then
    err certificate "$(t d_cert_ends "$days")" "$(t d_cert_cure)"
  elif ((days < early)); then
    warn certificate "$(t d_cert_ends "$days")" "$(t d_cert_cure)"
  else
    ok certificate "$(t d_cert_ends "$days")"
  fi
}

served_certificate() {
  openssl s_client -connect "${CONNECT_TO#*:*:}" -servername "$1" < /dev/null 2> /dev/null |
    openssl x509 2> /dev/null
}

check_backup() {
  local newest age
  newest=$(newest_backup)
  if [[ -z $newest ]]; then
    err backup "$(t d_backup_none)" 'kopeck backup'
    return
  fi
  age=$((($(date +%s) - $(stat -c %Y "$newest")) / 3600))
  if ((age > 26)); then
    err backup "$(t d_backup_old "$age")" "$(t d_backup_cure)"
  else
    ok backup "$(t d_backup_age "$age")"
  fi
}
