# TSM, 8 frames, Something-Something v2: the settings of v1, as the paper has no results on v2.
_base_ = [
    "./_base_/models/tsm_r50.py",
    "./_base_/datasets/sthv2.py",
    "./_base_/schedules/sgd_sthv1.py",
    "./_base_/default_runtime.py",
]
model = dict(
    backbone=dict(num_segments=_base_.num_segments),
    cls_head=dict(num_classes=_base_.num_classes, num_segments=_base_.num_segments),
)
