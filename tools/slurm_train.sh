#!/usr/bin/env bash
# Train as a Slurm job, a task per GPU:
#   [GPUS=8] [GPUS_PER_NODE=8] [CPUS_PER_TASK=5] [SRUN_ARGS="--time=2-0"] bash tools/slurm_train.sh PARTITION JOB_NAME CONFIG [arguments of tools/train.py]
# GRES names the GPUs where a partition wants it (GRES=gpu:a100:8), and GRES= asks for none: GPUS is then the number of processes on CPUs.
set -euo pipefail
[ $# -ge 3 ] || { echo "usage: bash tools/slurm_train.sh PARTITION JOB_NAME CONFIG [arguments of tools/train.py]" >&2; exit 2; }
command -v srun >/dev/null || { echo "error: srun is not here; run this where Slurm's commands are." >&2; exit 2; }
gpus=${GPUS:-8}
[[ $gpus =~ ^[1-9][0-9]*$ ]] || { echo "error: GPUS ($gpus) must be a whole number of at least 1." >&2; exit 2; }
per_node=${GPUS_PER_NODE:-$((gpus < 8 ? gpus : 8))}
gres=${GRES-gpu:$per_node}
tools=$(cd "$(dirname "$0")" && pwd)
# kill-on-bad-exit: when one task fails, the others would wait for it
# shellcheck disable=SC2086
exec srun -p "$1" --job-name="$2" ${gres:+"--gres=$gres"} --ntasks="$gpus" --ntasks-per-node="$per_node" \
    --cpus-per-task="${CPUS_PER_TASK:-5}" --kill-on-bad-exit=1 ${SRUN_ARGS:-} \
    python -u "$tools/train.py" "$3" --launcher slurm "${@:4}"
