#!/usr/bin/env bash
# Makes .venv with the locked dependencies: setup.sh [EXTRA,...]. A second run with the same lock does nothing.
set -eu
cd "$(dirname "$0")/.."
extras=${1:-}
stamp=.venv/installed-${extras//,/-}
wanted=$(cat pyproject.toml requirements.lock | cksum)
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && exit 0

fits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; }
if [ ! -x .venv/bin/python ]; then
    python=
    for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
        if fits "$candidate"; then python=$candidate; break; fi
    done
    [ -n "$python" ] || { echo "trtviewer needs Python 3.11, 3.12 or 3.13 (set PYTHON to one)" >&2; exit 3; }
    "$python" -m venv .venv || { echo "the venv could not be made; on Debian or Ubuntu: sudo apt-get install python3-venv" >&2; exit 3; }
fi
echo "installing the locked dependencies into .venv"
.venv/bin/python -m pip install -q --disable-pip-version-check -c requirements.lock -e ".${extras:+[$extras]}"
printf '%s' "$wanted" >"$stamp"
