# TSN + Non-local (Table 4).
_base_ = "./tsn_r50_sthv1.py"
model = dict(backbone=_base_.non_local_blocks)
