#!/usr/bin/env bash
# Train in several processes, one per GPU (on a machine without any: on the CPU):
#   bash tools/dist_train.sh CONFIG N [arguments of tools/train.py]
# On several machines, run it on each:
#   NNODES=2 NODE_RANK=0 MASTER_ADDR=first-machine MASTER_PORT=29500 bash tools/dist_train.sh CONFIG N
# batch_size of a config is that of one process; --auto-scale-lr follows the number of processes.
set -euo pipefail
[ $# -ge 2 ] || { echo "usage: bash tools/dist_train.sh CONFIG N [arguments of tools/train.py]" >&2; exit 2; }
tools=$(cd "$(dirname "$0")" && pwd)
export PYTHONPATH="$tools/..${PYTHONPATH:+:$PYTHONPATH}"
export TORCH_CPP_LOG_LEVEL="${TORCH_CPP_LOG_LEVEL:-ERROR}" # each try to connect is a warning, with a trace of C++
exec python -m cgc_video.engine.processes "$2" "$tools/train.py" "$1" --launcher pytorch "${@:3}"
