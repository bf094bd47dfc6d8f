#!/usr/bin/env bash
# The way of a newcomer, timed: HEAD is cloned, `make demo` is run in the clone, then the tutorial as it stands, each in a lab of its own.
# About three quarters of an hour. Whatever else uses the cores is in the figures; the clone is removed in the end.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

directory="$(mktemp -d)"
unset FAILWHALE_HOME
export FAILWHALE_PORT_BASE="${FAILWHALE_PORT_BASE:-32100}"
TIMEFORMAT="newcomer: that took %0R s"

leave() {
  [ ! -x .venv/bin/failwhale ] || .venv/bin/failwhale down || true
  rm -rf "$directory"
}

git clone --quiet . "$directory/failwhale"
cd "$directory/failwhale"
trap leave EXIT
time make demo
.venv/bin/failwhale down
time .venv/bin/python -m pytest -m verify -s tests/experiments/test_tutorial.py
