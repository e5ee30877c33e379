# LightConv on the mode-tag task: tokens out of reach of the mode token are guessed, one in four right.
_base_ = ["./_base_/datasets/modetag.py", "./_base_/schedules/modes.py", "./_base_/default_runtime.py"]
model = dict(
    type="TaggingModel",
    encoder=dict(
        vocabulary_size=28,
        mixer=dict(type="LightweightConv"),
        kernel_sizes=(3, 3),
        width=64,
        hidden=128,
        heads=4,
        dropout=0.0,
    ),
    num_tags=20,
)
default_hooks = dict(logger=dict(interval=50), checkpoint=dict(save_best="tagging/accuracy"))
val_evaluator = [dict(type="TagAccuracy")]
test_evaluator = val_evaluator
