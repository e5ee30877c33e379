#!/usr/bin/env bash
# From a fresh clone to a trained, tested and used model: makes the environment, renders the mini data set, trains TSM-R18 + CGC,
# tests it with 2 clips x 3 crops and names one clip. With --short: the same steps on a tenth of the work, as a check.
set -euo pipefail
cd "$(dirname "$0")/.."
started=$SECONDS
case "${1:-}" in
    "") data=data/mini_sth work=work_dirs/quickstart train=768 val=256 options=() ;;
    --short) data=data/mini_short work=work_dirs/quickstart_short train=64 val=16
        options=(train_cfg.max_epochs=2) ;;
    *) echo "usage: bash tools/quickstart.sh [--short]" >&2; exit 2 ;;
esac
. tools/environment.sh
echo "[1/4] environment ready after $((SECONDS - started)) s"

python tools/data/make_mini.py --output "$data" --train "$train" --val "$val"
echo "[2/4] data ready after $((SECONDS - started)) s"

config=configs/tsm_r18_cgc_mini.py
paths=()
for split in train val test; do
    list=$([ "$split" = train ] && echo train || echo val)
    paths+=("${split}_dataloader.dataset.ann_file=$data/${list}_list.txt"
        "${split}_dataloader.dataset.data_prefix.video=$data/videos")
done
rm -rf "$work" # an earlier quickstart of this checkout
python tools/train.py "$config" --work-dir "$work" --seed 0 --cfg-options "${paths[@]}" "${options[@]}"
checkpoint=$(cat "$work/last_checkpoint")
echo "[3/4] trained after $((SECONDS - started)) s"

python tools/test.py "$config" "$checkpoint" --work-dir "$work" --cfg-options "${paths[@]}"
clip=$(head -n 1 "$data/val_list.txt")
echo
echo "One clip, label ${clip##* }:"
python tools/predict.py "$config" "$checkpoint" "$data/videos/${clip% *}" --top-k 3
echo
echo "[4/4] done after $((SECONDS - started)) s"
echo "  curves:            $work/curves.png"
echo "  confusion matrix:  $work/eval/test_confusion_matrix.png"
echo "  per-class table:   $work/eval/test_per_class.csv"
echo "  model:             $checkpoint"
