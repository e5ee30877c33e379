# LightConv on IWSLT'14 De-En (Table 6). Test the average of the last 10 checkpoints, averaged.pth in the work dir.
_base_ = [
    "./_base_/models/lightconv.py",
    "./_base_/datasets/iwslt14.py",
    "./_base_/schedules/inverse_sqrt.py",
    "./_base_/default_runtime.py",
]
default_hooks = dict(
    logger=dict(interval=100),
    checkpoint=dict(max_keep_ckpts=10, save_best="translation/bleu"),
)
custom_hooks = [
    dict(type="CurvesHook"),
    dict(type="DataTimeHook"),
    dict(type="DictionaryHook"),
    dict(type="AverageCheckpointsHook", last=10),
]
val_evaluator = [dict(type="BLEU")]
test_evaluator = val_evaluator
