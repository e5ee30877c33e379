# TSN-R18 + CGC on the rendered data.
_base_ = "./tsn_r18_mini.py"
model = dict(backbone=dict(conv_cfg=dict(type="CGC3d")))
