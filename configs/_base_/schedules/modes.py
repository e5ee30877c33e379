# A short run at one rate; our choice.
train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=3, val_interval=1)
param_scheduler = []
optim_wrapper = dict(optimizer=dict(type="AdamW", lr=2e-3, fused=True))  # one call, not one per tensor: a sixth of a step
