# Sequence to sequence with the mode token last, through beam search: BLEU above 95 after 2,000 steps.
_base_ = [
    "./_base_/models/lightconv_mini.py",
    "./_base_/datasets/modecopy.py",
    "./_base_/schedules/modes.py",
    "./_base_/default_runtime.py",
]
model = dict(encoder=dict(mixer=dict(type="CGCLightweightConv")))
train_cfg = dict(max_epochs=4)
# down to nothing: at a constant rate, BLEU still falls now and then by some points
param_scheduler = [dict(type="CosineAnnealingLR", by_epoch=True, begin=0, end=4, eta_min=0, convert_to_iter_based=True)]
default_hooks = dict(logger=dict(interval=100), checkpoint=dict(save_best="translation/bleu"))
custom_hooks = [dict(type="CurvesHook"), dict(type="DataTimeHook"), dict(type="DictionaryHook")]
val_evaluator = [dict(type="BLEU")]
test_evaluator = val_evaluator
