# TSM-R18 on the rendered data, from random weights.
_base_ = [
    "./_base_/models/tsm_r50.py",
    "./_base_/datasets/mini_sth.py",
    "./_base_/schedules/mini.py",
    "./_base_/default_runtime.py",
]
model = dict(
    backbone=dict(depth=18, num_segments=_base_.num_segments, pretrained=None),
    cls_head=dict(
        in_channels=512, num_classes=_base_.num_classes, num_segments=_base_.num_segments, dropout_ratio=0.2, init_std=0.01
    ),
    test_cfg=dict(views_per_forward=48),
)
