# Sourced by scripts/demo, scripts/test and others: finds a Python, makes the virtual environment `.venv`, installs
# edged into it. Everything is done only once, and again only when pyproject.toml or the Python changed.
# shellcheck shell=bash

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

die() {
  say "$@"
  exit 1
}

# The Debian packages among the arguments that are not installed, one a line.
missing_packages() {
  local package
  for package in "$@"; do
    if [ "$(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
      printf '%s\n' "$package"
    fi
  done
}

# Install Debian packages, as root; the lists of packages are only fetched when it does not work without.
install_packages() {
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get --quiet=2 --option Dpkg::Use-Pty=0)
  say "installing with apt: $*"
  "${apt[@]}" install --yes --no-install-recommends "$@" >/dev/null 2>&1 && return
  "${apt[@]}" update >/dev/null && "${apt[@]}" install --yes --no-install-recommends "$@" >/dev/null
}

# Whether a program is a Python that edged runs on and that can make virtual environments.
usable_python() {
  "$1" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

# Prints the Python to use: $EDGED_PYTHON, or the first that fits.
find_python() {
  local candidate
  if [ -n "${EDGED_PYTHON:-}" ]; then
    usable_python "$EDGED_PYTHON" || die "EDGED_PYTHON=$EDGED_PYTHON is no Python 3.11 to 3.13 with venv and ensurepip"
    printf '%s\n' "$EDGED_PYTHON"
    return
  fi
  for candidate in python3 python3.13 python3.12 python3.11; do
    if usable_python "$candidate"; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

# A Python to use, installed with apt where that can be done. Prints it.
require_python() {
  find_python && return
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    install_packages python3 python3-venv && find_python && return
  fi
  die "no Python 3.11 to 3.13 with venv. On Debian 12 or newer: sudo apt-get install python3 python3-venv" \
    "(or name one: EDGED_PYTHON=/path/to/python3 $0)"
}

# ensure_environment KIND REQUIREMENT: `.venv` has what pip makes of the requirement. KIND names the stamp.
ensure_environment() {
  local kind=$1 requirement=$2 python wanted stamp log=.venv/install.log
  python=$(require_python) || exit 1
  stamp=.venv/installed-$kind
  wanted=$({ printf '%s\n%s\n' "$PWD" "$requirement" && "$python" --version && cat pyproject.toml; } | sha256sum)
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && return
  if ! .venv/bin/python -c '' 2>/dev/null || [ "$(cat .venv/made-for 2>/dev/null)" != "$PWD $("$python" --version)" ]; then
    say "making the virtual environment .venv with $("$python" --version)"
    "$python" -m venv --clear .venv || die "$python could not make a virtual environment in $PWD/.venv"
    printf '%s' "$PWD $("$python" --version)" >.venv/made-for
  fi
  say "installing edged and what it needs into .venv (once; a minute or two)"
  if ! .venv/bin/python -m pip install --disable-pip-version-check --editable "$requirement" >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    die "pip could not install $requirement; the whole log is $PWD/$log"
  fi
  printf '%s\n' "$wanted" >"$stamp"
}
