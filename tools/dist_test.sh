#!/usr/bin/env bash
# Test in several processes, one per GPU (on a machine without any: on the CPU); each sample is scored once:
#   bash tools/dist_test.sh CONFIG CHECKPOINT N [arguments of tools/test.py]
# On several machines, set the variables that tools/dist_train.sh names.
set -euo pipefail
[ $# -ge 3 ] || { echo "usage: bash tools/dist_test.sh CONFIG CHECKPOINT N [arguments of tools/test.py]" >&2; exit 2; }
tools=$(cd "$(dirname "$0")" && pwd)
export PYTHONPATH="$tools/..${PYTHONPATH:+:$PYTHONPATH}"
export TORCH_CPP_LOG_LEVEL="${TORCH_CPP_LOG_LEVEL:-ERROR}" # each try to connect is a warning, with a trace of C++
exec python -m cgc_video.engine.processes "$3" "$tools/test.py" "$1" "$2" --launcher pytorch "${@:4}"
