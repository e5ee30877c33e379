# P3D-A (A.3).
_base_ = "./tsn_r50.py"
model = dict(
    type="ClipRecognizer3D",
    backbone=dict(type="P3DResNet"),
    cls_head=dict(type="I3DHead", dropout_ratio=0.8),  # Sec. 4.3
    data_preprocessor=dict(format_shape="NCTHW"),
    test_cfg=dict(views_per_forward=4),
)
