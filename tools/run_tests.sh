#!/usr/bin/env bash
# Makes the environment if it is not there, checks the style, and runs the tests: bash tools/run_tests.sh [pytest arguments]
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/environment.sh
ruff check -q .
ruff format -q --check .
mypy --no-error-summary
exec python -m pytest "$@"
