# TSM + CGC: 3D context in every spatial convolution.
_base_ = "./tsm_r50_sthv2.py"
model = dict(backbone=dict(conv_cfg=dict(type="CGC3d")))
