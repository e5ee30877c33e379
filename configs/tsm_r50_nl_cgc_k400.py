# TSM + Non-local + CGC (Table 5).
_base_ = "./tsm_r50_nl_k400.py"
model = dict(backbone=dict(conv_cfg=dict(type="CGC3d")))
