# TSM, 16 frames at half the batch (Table 4, Sec. 4.3).
_base_ = [
    "./_base_/models/tsm_r50.py",
    "./_base_/datasets/sthv1_16f.py",
    "./_base_/schedules/sgd_sthv1.py",
    "./_base_/default_runtime.py",
]
model = dict(
    backbone=dict(num_segments=_base_.num_segments),
    cls_head=dict(num_classes=_base_.num_classes, num_segments=_base_.num_segments),
)
auto_scale_lr = dict(base_batch_size=32)
