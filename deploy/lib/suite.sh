# shellcheck shell=bash
# The containers: how they are called, made, started and asked.

# compose ARGUMENT...: docker compose for the release that is in use, or for $RELEASE; what the operator
# has to add to it outlives upgrades in a file of its own.
compose() {
  local release=${RELEASE:-$KOPECK_DIR/current} files
  files=(--file "$release/docker-compose.yml")
  [[ ! -f $KOPECK_DIR/docker-compose.override.yml ]] || files+=(--file "$KOPECK_DIR/docker-compose.override.yml")
  docker compose --project-name "$(project)" --project-directory "$release" \
    "${files[@]}" --env-file "$ENV_FILE" "$@"
}

project() {
  setting COMPOSE_PROJECT_NAME kopeck
}

# setting KEY DEFAULT: of .env.
setting() {
  local value
  value=$(env_get "$ENV_FILE" "$1" || true)
  printf '%s' "${value:-$2}"
}

# suite COMMAND...: a command of the suite, in a container of its own. What the container is not given
# by the Compose file and a command may need comes by name, so that no value stands in a command line.
suite() {
  local key terminal=() names=()
  [[ -t 0 && -t 1 ]] || terminal=(-T)
  while IFS= read -r key; do names+=(-e "$key"); done < <(operator_keys)
  (
    while IFS= read -r key; do
      value=$(env_get "$ENV_FILE" "$key" || true)
      export "$key=$value"
    done < <(operator_keys)
    compose run --rm --no-deps "${terminal[@]}" "${names[@]}" cli "$@"
  )
}

# check_env: every service's own schema, held against what Compose would hand that service.
check_env() {
  local mistakes
  if mistakes=$(compose config --format json | without_suite check-env 2>&1); then return 0; fi
  complain env_invalid "$ENV_FILE"
  printf '%s\n' "$mistakes" >&2
  return 65
}

# without_suite COMMAND...: one that needs nothing but the image.
without_suite() {
  docker run --rm -i --network none --read-only "$(compose config --images cli | head -n 1)" cli/src/kopeck.js "$@"
}

# operator_keys: what .env says of partners and mail; passwords of other containers are not among it.
operator_keys() {
  sed -nE 's/^([A-Z][A-Z0-9_]*)=..*/\1/p' "$ENV_FILE" |
    grep -vE '^(MARIADB|REDIS)_.*PASSWORD$|^(COMPOSE_|DATABASE_ADMIN_URL|AFFILIATE_NETWORKS_DIR)|_FILE$' | sort -u
}

# pin_images RELEASE: the images of images.lock become the defaults of the release's Compose file, so
# that `docker compose` by hand means the same ones. A key in .env still wins, for a mirror.
pin_images() {
  local key image
  while IFS='=' read -r key image; do
    [[ $key =~ ^[A-Z]+_IMAGE$ && -n $image ]] || continue
    sed -i -E "s|\\\$\\{$key:-[^}]*\\}|\${$key:-$image}|g" "$1/docker-compose.yml"
  done < "$1/images.lock"
}

build_image() {
  local image
  image=$(env_get "$RELEASE/images.lock" KOPECK_IMAGE)
  if docker image inspect "$image" > /dev/null 2>&1; then return 0; fi
  say building
  logged docker build -t "$image" "$RELEASE" || die 74 build_failed
}

# Everything is here before anything is stopped.
pull_images() {
  local image try
  while IFS= read -r image; do
    if docker image inspect "$image" > /dev/null 2>&1; then continue; fi
    for try in 1 2 3; do
      if logged docker pull -q "$image"; then continue 2; fi
      log "docker pull $image: $try"
    done
    die 74 pull_failed
  done < <(compose config --images | sort -u)
}

# remember_images: which image each reference means now, for doctor to hold the containers to.
remember_images() {
  local image
  compose config --images | sort -u | while IFS= read -r image; do
    printf '%s=%s\n' "$image" "$(docker image inspect --format '{{.Id}}' "$image")"
  done > "$RELEASE/images.ids"
}

start_suite() {
  # shellcheck disable=SC2119 # of all services
  logged compose up --detach --remove-orphans && await_suite
}

# await_suite [SERVICE...]: until every container is healthy. 1: not within KOPECK_TIMEOUT, or one of them
# ends again and again. What a backup has paused counts as unhealthy until Docker looks again: `compose up
# --wait` would give up on it, and it would wait to the end for what cannot start.
# shellcheck disable=SC2120 # `kopeck up` names services
await_suite() {
  local deadline=$((SECONDS + ${KOPECK_TIMEOUT:-300})) ids late name restarts state
  local -A before=()
  mapfile -t ids < <(compose ps --all -q "$@")
  ((${#ids[@]} > 0)) || return 1
  while :; do
    late=()
    while read -r name restarts state; do
      before[$name]=${before[$name]:-$restarts}
      if ((restarts >= before[$name] + MAX_RESTARTS)); then complain ends_again "$name" && return 1; fi
      [[ $state =~ ^(running 0 (healthy|-)|exited 0 .*)$ ]] || late+=("$name")
    done < <(look_at "${ids[@]}")
    ((${#late[@]} > 0)) || return 0
    if ((SECONDS >= deadline)); then complain late "${late[*]}" "${KOPECK_TIMEOUT:-300}" && return 1; fi
    sleep 1
  done
}

MAX_RESTARTS=3

# look_at ID...: name, how often it was started again, and its state.
look_at() {
  docker inspect "$@" --format '{{index .Config.Labels "com.docker.compose.service"}} {{.RestartCount}} {{.State.Status}} {{.State.ExitCode}} {{if .State.Health}}{{.State.Health.Status}}{{else}}-{{end}}'
}

# probe_suite: through the published port, as a partner would. Traefik without routes runs, too.
probe_suite() {
  local wrong
  wrong=$(gen_secret 32)
  probe 200 /health && probe 200 /api/health &&
    probe 404 "/$wrong" && probe 404 "/webhook/$wrong" -X POST &&
    probe '401|503' /webhook/cryptobot -X POST -H 'content-type: application/json' -d '{}'
}

# probe STATUS PATH [CURL ARGUMENT...]: tried for a while, since Traefik reads its routes after it starts.
probe() {
  local expected=$1 path=$2 status try
  shift 2
  for ((try = 0; try < 30; try++)); do
    status=$(curl -sk -o /dev/null -w '%{http_code}' --max-time 10 "$@" \
      --connect-to "$CONNECT_TO" "$TRAEFIK_URL$path" || true)
    [[ ! $status =~ ^($expected)$ ]] || return 0
    sleep 1
  done
  complain probe_failed "${path:0:12}" "$status" "$expected"
  return 1
}

# aim_at_traefik: how curl reaches the published port from this host, whatever DNS says.
aim_at_traefik() {
  local domain https bind
  domain=$(setting WEBHOOK_DOMAIN '')
  https=$(setting HTTPS_PORT 443)
  bind=$(setting BIND_ADDRESS 0.0.0.0)
  [[ $bind != 0.0.0.0 ]] || bind=127.0.0.1
  CONNECT_TO=$domain:$https:$bind:$https
  TRAEFIK_URL=https://$domain:$https
}
