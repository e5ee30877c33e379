# P3D-A, clips of 32 frames (Table 4).
_base_ = [
    "./_base_/models/p3d_r50.py",
    "./_base_/datasets/sthv1_32c.py",
    "./_base_/schedules/sgd_p3d_sthv1.py",
    "./_base_/default_runtime.py",
]
model = dict(cls_head=dict(num_classes=_base_.num_classes))
