# Testing with 2 clips x 3 crops of 256, TSM's "accurate" protocol.
_base_ = "./tsm_r50_sthv1.py"
test_dataloader = dict(batch_size=1, dataset=dict(pipeline=_base_.accurate_pipeline))
