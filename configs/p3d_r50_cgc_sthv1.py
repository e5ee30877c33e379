# P3D-A + CGC 1D and 3D (Table 4).
_base_ = "./p3d_r50_sthv1.py"
model = dict(backbone=dict(conv_cfg=dict(type="CGC3d"), temporal_conv_cfg=dict(type="CGC1d")))
