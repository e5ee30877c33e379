# TSM-R50 + CGC on the rendered data: the network of tsm_r50_cgc_sthv1.py, with everything else small.
_base_ = "./tsm_r18_cgc_mini.py"
model = dict(backbone=dict(depth=50), cls_head=dict(in_channels=2048))
