# shellcheck shell=bash
# Steps 2 to 4: is this a host that Kopeck runs on, and what must be installed first?

MIN_ENGINE=25
MIN_COMPOSE=2.24
MIN_MEMORY_MIB=900
MIN_DISK_MIB=3000

check_platform() {
  local os arch
  os=$(uname -s)
  arch=$(uname -m)
  [[ $os == Linux && $arch =~ ^(x86_64|amd64|aarch64|arm64)$ ]] || die 78 os_unsupported "$os" "$arch"
  is_tried "${OS_RELEASE:-/etc/os-release}" || complain os_untested "$OS_NAME"
  check_memory
  check_disk "$(dirname "$KOPECK_DIR")"
  check_clock
}

# is_tried FILE: sets OS_NAME, too.
is_tried() {
  local id='' version='' like=''
  if [[ -r $1 ]]; then
    id=$(env_get "$1" ID || true)
    like=$(env_get "$1" ID_LIKE || true)
    version=$(env_get "$1" VERSION_ID || true)
  fi
  OS_NAME="${id:-unknown} $version"
  case $id in
    debian) at_least "$version" 12 ;;
    ubuntu) at_least "$version" 22.04 ;;
    rhel | rocky | almalinux | centos) at_least "$version" 9 ;;
    *) [[ " $like " == *' debian '* || " $like " == *' rhel '* ]] ;;
  esac
}

# at_least VERSION MINIMUM
at_least() {
  [[ $(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1) == "$2" ]]
}

check_memory() {
  local mib
  mib=$(awk '/^(MemTotal|SwapTotal):/ { sum += $2 } END { printf "%d", sum / 1024 }' "${MEMINFO:-/proc/meminfo}")
  ((mib >= MIN_MEMORY_MIB)) || complain low_memory "$mib"
}

check_disk() {
  local mib
  mib=$(df -Pm "$1" | awk 'NR == 2 { print $4 }')
  ((mib >= MIN_DISK_MIB)) || die 69 low_disk "$1" "$mib"
}

check_clock() {
  command -v timedatectl > /dev/null || return 0
  [[ $(timedatectl show -p NTPSynchronized --value 2> /dev/null) != no ]] || complain clock_off
}

# Whatever can be installed is; what cannot is named.
install_tools() {
  local tool missing=()
  for tool in curl openssl tar gzip flock ss awk; do
    command -v "$tool" > /dev/null || missing+=("$tool")
  done
  ((${#missing[@]} == 0)) || install_packages "${missing[@]}"
  for tool in "${missing[@]}"; do
    command -v "$tool" > /dev/null || die 69 tool_missing "$tool"
  done
}

install_packages() {
  local tool packages=()
  for tool in "$@"; do
    case $tool in
      flock) packages+=(util-linux) ;;
      ss) if command -v apt-get > /dev/null; then packages+=(iproute2); else packages+=(iproute); fi ;;
      awk) packages+=(gawk) ;;
      *) packages+=("$tool") ;;
    esac
  done
  if command -v apt-get > /dev/null; then
    logged apt-get update -qq || true
    logged env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${packages[@]}" || true
  elif command -v dnf > /dev/null; then
    logged dnf install -y -q "${packages[@]}" || true
  fi
}

# Docker's own script where there is no Docker. One that came with the distribution is left alone.
check_docker() {
  if ! command -v docker > /dev/null; then
    [[ ${KOPECK_NO_DOCKER_INSTALL:-0} != 1 ]] || die 78 docker_missing
    install_docker
  fi
  docker info > /dev/null 2>&1 || logged systemctl start docker || true
  docker info > /dev/null 2>&1 || die 78 docker_down
  local engine compose
  engine=$(docker version --format '{{.Server.Version}}' 2> /dev/null || echo 0)
  compose=$(docker compose version --short 2> /dev/null || echo 0)
  compose=${compose#v}
  if ! at_least "$engine" "$MIN_ENGINE" || ! at_least "$compose" "$MIN_COMPOSE"; then
    die 78 docker_old "$engine" "$compose"
  fi
}

# To a file first: a script that breaks off while it is piped would run by half.
install_docker() {
  local script
  say docker_install
  script=$(mktemp)
  fetch https://get.docker.com "$script" || die 74 docker_missing
  logged sh "$script" || die 78 docker_missing
  rm -f "$script"
}

# fetch URL FILE
fetch() {
  curl -fsSL --retry 5 --connect-timeout 15 --speed-limit 1 --speed-time 60 -o "$2" "$1" ||
    curl -4 -fsSL --retry 2 --connect-timeout 15 --speed-limit 1 --speed-time 60 -o "$2" "$1"
}
