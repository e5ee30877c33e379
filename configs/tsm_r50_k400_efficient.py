# Testing with 1 clip and a centre crop, TSM's "efficient" protocol.
_base_ = "./tsm_r50_k400.py"
test_dataloader = dict(batch_size=8, dataset=dict(pipeline=_base_.val_pipeline))
