# P3D-A + CGC 1D: temporal context in the temporal convolutions of the blocks (Table 4).
_base_ = "./p3d_r50_sthv1.py"
model = dict(backbone=dict(temporal_conv_cfg=dict(type="CGC1d")))
