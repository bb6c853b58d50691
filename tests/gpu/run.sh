#!/usr/bin/env bash
# All GPU tests and the figures of README.md, in one command from the repository's root: tests/gpu/run.sh [PYTHON]
# Needs what README.md lists, and ../shared/data.
set -u
python=${1:-python3}
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1
timeout 280 "$python" -m pytest -c tests/gpu/pytest.ini --rootdir . --confcutdir tests tests/gpu -q --tb=short
status=$?
timeout 280 "$python" -m tests.gpu.figures || status=$?
exit $status
