# Sourced by the scripts in this folder: which container engine they use, and what the parts of a cluster are called.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# podman or docker; set OUTLAST_ENGINE to choose.
engine=${OUTLAST_ENGINE:-}
if [ -z "$engine" ]; then
  for candidate in podman docker; do
    if command -v "$candidate" > /dev/null; then engine=$candidate; break; fi
  done
fi
if [ -z "$engine" ] || ! command -v "$engine" > /dev/null; then
  echo "${engine:-podman or docker} is not installed. On Debian: apt-get install --no-install-recommends podman runc netavark" >&2
  exit 1
fi
case $(basename "$engine") in
  podman*) is_podman=yes ;;
  *) is_podman= ;;
esac

# Containers, networks and volumes of one cluster begin with this; with another prefix and subnets a second cluster fits beside it.
prefix=${OUTLAST_PREFIX:-outlast}
work_network=$prefix-work
store_network=$prefix-store
# The first three numbers of the networks' addresses.
work_subnet=${OUTLAST_WORK_SUBNET:-10.89.77}
store_subnet=${OUTLAST_STORE_SUBNET:-10.89.78}
image_prefix=${OUTLAST_IMAGE_PREFIX:-localhost/outlast}
image_tag=${OUTLAST_IMAGE_TAG:-latest}

fail() {
  echo "$1" >&2
  exit 1
}

# Prints the leading comment of a script, which is its help.
show_help() {
  sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$1"
}

# The number of a master: 1 for `master` and `master-1`, 2 for `master-2` …
master_number() {
  case $1 in
    master) echo 1 ;;
    master-[1-9]) echo "${1#master-}" ;;
    *) fail "A master is called master, or master-1 to master-9, not $1." ;;
  esac
}

# The secret that masters, workers and clients share: OUTLAST_TOKEN, or the file that `deploy/setup` has made.
token_file=$root/deploy/token
load_token() {
  if [ -z "${OUTLAST_TOKEN:-}" ]; then
    [ -r "$token_file" ] || fail "There is no token. Run deploy/setup first, or set OUTLAST_TOKEN."
    OUTLAST_TOKEN=$(cat "$token_file")
  fi
  export OUTLAST_TOKEN
}

# Names that containers know without a name server: while a network changes, podman's loses queries.
host_options() {
  local number
  for number in 1 2 3 4 5 6 7 8 9; do echo "--add-host=master-$number:$work_subnet.1$number"; done
  echo "--add-host=master:$work_subnet.11"
  echo "--add-host=entry:$work_subnet.10"
}

# The lower one of a limit of this shell and a number.
lower_limit() {
  local own
  own=$(ulimit "$1")
  if [ "$own" = unlimited ] || [ "$own" -gt "$2" ]; then echo "$2"; else echo "$own"; fi
}

# What every container gets: no capabilities, a root file system that cannot be written to, and a name.
# usage: container_options NAME GRACE_SECONDS
container_options() {
  echo "--name=$prefix-$1"
  echo "--hostname=$1"
  echo "--label=outlast=$prefix"
  echo "--read-only"
  echo "--tmpfs=/tmp:mode=1777"
  echo "--cap-drop=ALL"
  echo "--security-opt=no-new-privileges"
  echo "--stop-timeout=$2"
  # Podman asks for higher limits than some machines allow, and then starts no container: ask for those of this shell.
  if [ -n "$is_podman" ]; then
    echo "--ulimit=nofile=$(lower_limit -Hn 1048576)"
    echo "--ulimit=nproc=$(lower_limit -Hu "$(cat /proc/sys/kernel/pid_max)")"
  fi
}

# The options that put a container into a network under a fixed address.
# With podman the hardware address is fixed, too: others remember the old one for up to a minute after a restart, and send into
# the void meanwhile. Docker makes it from the address by itself.
# usage: network_option NETWORK ADDRESS
network_option() {
  if [ -n "$is_podman" ]; then
    # shellcheck disable=SC2046
    printf -- '--network=%s:ip=%s,mac=02:42:%02x:%02x:%02x:%02x\n' "$1" "$2" $(tr . ' ' <<< "$2")
  else
    printf -- '--network=%s\n--ip=%s\n' "$1" "$2"
  fi
}

# Makes the volume of a container, unless it is there, and prints the option that mounts it.
# usage: volume_option NAME DIRECTORY
volume_option() {
  local volume=$prefix-$1
  "$engine" volume inspect "$volume" > /dev/null 2>&1 \
    || "$engine" volume create --label "outlast=$prefix" "$volume" > /dev/null
  echo "--volume=$volume:$2"
}

# Starts the container of this name again if there is one, else a new one; the further words are for `run`.
# With `attach=yes` the engine stays in the foreground, and its exit code is that of the container.
start_container() {
  local name=$prefix-$1
  shift
  if "$engine" container inspect "$name" > /dev/null 2>&1; then
    # One that was killed a moment ago may still hold its address: podman gives it back only some time after the death.
    if [ -n "$is_podman" ]; then "$engine" container cleanup "$name" > /dev/null 2>&1 || true; fi
    exec "$engine" start ${attach:+--attach} "$name"
  fi
  if [ -n "${attach:-}" ]; then exec "$engine" run "$@"; fi
  exec "$engine" run --detach "$@"
}
