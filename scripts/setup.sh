#!/usr/bin/env bash
# Makes a bare checkout ready: servers from apt (only the missing ones) and Python packages in .venv. Safe to repeat; quick when all is there.
#   scripts/setup.sh           what `make demo` needs
#   scripts/setup.sh --tests   and what `make test` needs
# Exits 2 with the list of what to install where it cannot install by itself.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PATH="$PATH:/usr/sbin:/sbin"

# binary:package
SERVERS="mariadbd:mariadb-server-core mariadb-install-db:mariadb-server-core my_print_defaults:mariadb-client-core
  mariadb-dump:mariadb-client mariadb-binlog:mariadb-client redis-server:redis-server nats-server:nats-server prometheus:prometheus promtool:prometheus
  prometheus-alertmanager:prometheus-alertmanager"
# Not asked of who is not root: only root may set packet rules, and HAProxy is of the larger topology alone, which names it when it is missing.
ROOTS="haproxy:haproxy nft:nftables"
TESTS="chromium:chromium chromedriver:chromium-driver wrk:wrk redis-benchmark:redis-tools"
# The log-structured storage engine: without it the key-value tier uses InnoDB, and `failwhale status` says so.
ENGINE=mariadb-plugin-rocksdb
PLUGINS="/usr/lib/mysql/plugin /usr/lib64/mariadb/plugin /usr/lib/mariadb/plugin"
POLICY=/usr/sbin/policy-rc.d
LISTS_ARE_NEW=""
UNIT_DIRECTORIES="/lib/systemd/system /usr/lib/systemd/system"

say() { echo "setup: $*" >&2; }

fail() {
  say "$*"
  exit 2
}

# --- what is missing -------------------------------------------------------------------------------------------------

find_python() {
  local candidate
  for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  fail "Python 3.11 or newer is needed; this machine has $(python3 --version 2>&1 || echo none)"
}

can_make_venv() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

missing_packages() {
  local pair packages=""
  for pair in "$@"; do
    command -v "${pair%%:*}" >/dev/null || packages+="${pair#*:}"$'\n'
  done
  printf '%s' "$packages" | sort -u | tr '\n' ' '
}

# --- apt -------------------------------------------------------------------------------------------------------------

units() {
  local directory
  for directory in $UNIT_DIRECTORIES; do
    if [ -d "$directory" ]; then
      find "$directory" -maxdepth 1 \( -name '*.service' -o -name '*.socket' -o -name '*.timer' \) -printf '%f\n'
    fi
  done | sort -u
}

# Freshly installed servers must not start by themselves: neither during the installation nor at the next boot.
install_packages() {
  local before unit status=0
  before="$(units)"
  if [ -e "$POLICY" ]; then
    apt_install "$@" || status=$?
  else
    trap 'rm -f "$POLICY"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$POLICY"
    chmod 755 "$POLICY"
    apt_install "$@" || status=$?
    rm -f "$POLICY"
    trap - EXIT
  fi
  command -v systemctl >/dev/null || return "$status"
  for unit in $(comm -13 <(echo "$before") <(units)); do
    systemctl disable "$unit" >/dev/null 2>&1 || say "could not disable $unit, which came along"
  done
  return "$status"
}

apt_install() {
  export DEBIAN_FRONTEND=noninteractive
  if [ -z "$LISTS_ARE_NEW" ]; then
    say "apt-get update"
    apt-get update -qq </dev/null >/dev/null || say "apt-get update failed; trying with the package lists that are here"
    LISTS_ARE_NEW=yes
  fi
  say "installing: $*"
  apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends "$@" </dev/null >/dev/null
}

ensure_packages() {
  [ $# -eq 0 ] && return
  local command="apt-get install --no-install-recommends $*"
  command -v apt-get >/dev/null || fail "this machine has no apt; install what brings: $*"
  [ "$(id -u)" -eq 0 ] || fail "not root; install what is missing and run this again: sudo $command"
  install_packages "$@" || fail "apt could not install it; try by hand: $command"
}

# Optional. Every MariaDB of the machine would load the plugin, so one that is not ours is left alone; and not every distribution has it.
ensure_engine() {
  local directory without="the key-value tier will use InnoDB instead of RocksDB ($ENGINE)"
  for directory in $PLUGINS; do
    [ ! -e "$directory/ha_rocksdb.so" ] || return 0
  done
  if command -v mariadbd-safe >/dev/null || command -v mysqld_safe >/dev/null; then
    say "$without, which would change the MariaDB service that this machine has"
  elif ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
    say "$without"
  else
    install_packages "$ENGINE" || say "$without, which apt could not install"
  fi
}

# --- Python ----------------------------------------------------------------------------------------------------------

fingerprint() { { pwd && cat requirements.lock pyproject.toml scripts/setup.sh; } | sha256sum | cut -d' ' -f1; }

pip_install() {
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input "$@" </dev/null >&2 ||
    fail "pip could not install it (see above); repeat when the package index is reachable"
}

ensure_venv() {
  local wanted
  wanted="$(fingerprint)"
  if [ "$(cat .venv/setup-fingerprint 2>/dev/null)" = "$wanted" ] && .venv/bin/python -c '' 2>/dev/null; then
    return
  fi
  say "making .venv with $("$1" --version)"
  "$1" -m venv --clear .venv
  say "installing $(grep -c '==' requirements.lock) Python packages; this takes a minute or two"
  pip_install -r requirements.lock
  PYTHONWARNINGS=ignore pip_install --no-build-isolation --no-deps -e .
  echo "$wanted" >.venv/setup-fingerprint
  say "Python packages are installed"
}

main() {
  local wanted="$SERVERS" python packages
  case "${1:-}" in
  "") ;;
  --tests) wanted+=" $ROOTS $TESTS" ;;
  *) fail "unknown option $1; there is --tests" ;;
  esac
  [ "$(id -u)" -ne 0 ] || wanted+=" $ROOTS"
  # shellcheck disable=SC2086
  packages="$(missing_packages $wanted)"
  python="$(find_python)"
  can_make_venv "$python" || packages+="python3-venv "
  # shellcheck disable=SC2086
  ensure_packages $packages
  ensure_engine
  ensure_venv "$python"
  say "ready"
}

main "$@"
