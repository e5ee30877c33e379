# TSM, 8 frames, Something-Something v1 (Table 4).
_base_ = [
    "./_base_/models/tsm_r50.py",
    "./_base_/datasets/sthv1.py",
    "./_base_/schedules/sgd_sthv1.py",
    "./_base_/default_runtime.py",
]
model = dict(
    backbone=dict(num_segments=_base_.num_segments),
    cls_head=dict(num_classes=_base_.num_classes, num_segments=_base_.num_segments),
)
