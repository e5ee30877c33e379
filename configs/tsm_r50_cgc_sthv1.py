# TSM + CGC: 3D context in every spatial convolution (Table 4).
_base_ = "./tsm_r50_sthv1.py"
model = dict(backbone=dict(conv_cfg=dict(type="CGC3d")))
