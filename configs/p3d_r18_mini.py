# P3D-A-R18 on the rendered data, from random weights.
_base_ = [
    "./_base_/models/p3d_r50.py",
    "./_base_/datasets/mini_sth_16c.py",
    "./_base_/schedules/mini.py",
    "./_base_/default_runtime.py",
]
model = dict(
    backbone=dict(depth=18, pretrained=None),
    cls_head=dict(in_channels=512, num_classes=_base_.num_classes, dropout_ratio=0.2),
    test_cfg=dict(views_per_forward=48),
)
