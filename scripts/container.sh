# Sourced by scripts/test-install: a fresh Debian, made once, and a copy of it whose first process is systemd.
# It wants `work` (a folder that the caller removes) and `suite`. After `boot`, `inside` is the command that runs
# something in the container.
# shellcheck shell=bash
# shellcheck disable=SC2154  # `work` and `suite` are the caller's

mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
machine=edged-test-$$
container="" inside=()

require_container_tools() {
  local program
  [ "$(id -u)" = 0 ] || die "only root can start a container"
  for program in debootstrap systemd-nspawn nsenter; do
    command -v $program >/dev/null || die "no $program here: apt-get install debootstrap systemd-container util-linux"
  done
}

# A Debian with systemd and Python, as its installer makes one. It gets its name only when it is whole.
make_base() {
  base=.cache/$suite-systemd
  [ -d "$base" ] && return
  say "making a $suite in $base (once; a few minutes)"
  mkdir --parents .cache
  rm --recursive --force "$base.new"
  debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,python3,python3-venv,procps,ca-certificates \
    "$suite" "$base.new" "$mirror" >"$base.log" 2>&1 || die "debootstrap failed; see $base.log"
  mv "$base.new" "$base"
}

# boot ROOT: starts systemd in the folder. The network is the host's.
boot() {
  local leader=""
  root=$1
  # Nobody waits for a console here.
  ln --symbolic --force /dev/null "$root/etc/systemd/system/console-getty.service"
  # A proxy's certificates, where the host trusts one.
  install -D --mode=0644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
  # The one hierarchy of control groups, which newer systemd wants, also on a host that has the old ones.
  SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn --quiet --machine="$machine" --register=no --keep-unit \
    --resolv-conf=copy-host --directory "$root" --boot >"$work/console" 2>&1 </dev/null &
  container=$!
  # Its first children are nspawn's own and soon gone: the one that has become systemd stays.
  until leader=$(pgrep --parent "$container" --exact systemd); do
    kill -0 "$container" 2>/dev/null || { cat "$work/console" >&2 && die "the container did not start"; }
    sleep 0.2
  done
  inside=(nsenter --target "$leader" --all -- env --ignore-environment "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive PIP_CERT=/etc/ssl/certs/ca-certificates.crt)
  eventually "systemd is up in a fresh $suite" "${inside[@]}" systemctl is-system-running --quiet
}

stop_container() {
  if [ -n "$container" ] && kill -0 "$container" 2>/dev/null; then
    kill "$container"
    wait "$container" || true
  fi
  container=""
}

systemctl_() { "${inside[@]}" systemctl "$@"; }
property() { systemctl_ show "${2:-edged}" --property="$1" --value; }
journal() { "${inside[@]}" journalctl --unit edged --no-pager --output=cat "$@"; }
log_says() { journal | grep --quiet --ignore-case -- "$1"; }
is() { [ "$(property "$1" "${3:-edged}")" = "$2" ]; }
isnt() { [ "$(property "$1" "${3:-edged}")" != "$2" ]; }

failed() {
  {
    systemctl_ status --no-pager edged || true
    journal --lines=40 || cat "$work/console"
    [ ! -f "$work/block" ] || tail --lines=30 "$work/block"
  } >&2
  die "FAILED: $1"
}

# eventually WORDS COMMAND…: the command succeeds within half a minute.
eventually() {
  local words=$1 deadline=$((SECONDS + 30))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || failed "$words"
    sleep 0.2
  done
  say "ok: $words"
}

# surely WORDS COMMAND…: the command succeeds now.
surely() {
  local words=$1
  shift
  "$@" >"$work/block" 2>&1 || failed "$words"
  say "ok: $words"
}

# The shell blocks of a section of docs/install.md, as a reader would type them.
blocks() {
  awk -v wanted="$1" '
    /^```/ { if (fence) { fence = 0; run = 0 } else { fence = 1; run = here && $0 == "```sh" } next }
    fence { if (run) print; next }
    /^#+ / { title = $0; sub(/^#+ /, "", title); here = title == wanted }
  ' docs/install.md
}

# follow SECTION: runs them in the checkout inside, as root. Ends where one fails.
follow() {
  local begin=$SECONDS
  blocks "$1" >"$root/root/block.sh"
  [ -s "$root/root/block.sh" ] || die "docs/install.md has no commands in its section $1"
  "${inside[@]}" bash -e -o pipefail -c 'cd /root/edged; . /root/block.sh' </dev/null >"$work/block" 2>&1 ||
    failed "docs/install.md, $1"
  say "ok: docs/install.md, $1 ($((SECONDS - begin)) s)"
}
