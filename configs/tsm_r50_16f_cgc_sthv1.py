# TSM + CGC, 16 frames (Table 4).
_base_ = "./tsm_r50_16f_sthv1.py"
model = dict(backbone=dict(conv_cfg=dict(type="CGC3d")))
