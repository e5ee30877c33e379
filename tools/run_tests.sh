#!/usr/bin/env bash
# Makes the environment if it is not there, checks the style, and runs the tests: bash tools/run_tests.sh [pytest arguments]
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/environment.sh
ruff check -q .
ruff format -q --check .
mypy --no-error-summary
# One process per core, one thread each: the tensors are too small for more.
export OMP_NUM_THREADS=1
# A process that has run out of tests takes some of another's: the long ones are many at the end.
exec python -m pytest -n auto --dist worksteal "$@"
