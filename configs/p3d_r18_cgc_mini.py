# P3D-A-R18 + CGC 1D and 3D on the rendered data.
_base_ = "./p3d_r18_mini.py"
model = dict(backbone=dict(conv_cfg=dict(type="CGC3d"), temporal_conv_cfg=dict(type="CGC1d")))
