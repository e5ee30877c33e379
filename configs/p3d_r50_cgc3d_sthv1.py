# P3D-A + CGC 3D: spatiotemporal context in the spatial convolutions (Table 4).
_base_ = "./p3d_r50_sthv1.py"
model = dict(backbone=dict(conv_cfg=dict(type="CGC3d")))
