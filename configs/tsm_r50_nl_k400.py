# TSM + Non-local (Table 5).
_base_ = "./tsm_r50_k400.py"
model = dict(backbone=_base_.non_local_blocks)
