# A short run from random weights on the digits; all numbers are our choice. AdamW, because so few steps leave SGD no time; its steps do
# not grow with the gradient, so the gates keep the full rate (A.2's tenth is for SGD).
train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=8, val_interval=1)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.1, by_epoch=True, begin=0, end=1, convert_to_iter_based=True),
    dict(type="CosineAnnealingLR", by_epoch=True, begin=1, end=8, eta_min=0, convert_to_iter_based=True),
]
optim_wrapper = dict(optimizer=dict(type="AdamW", lr=3e-3, weight_decay=0.05))
auto_scale_lr = dict(enable=False, base_batch_size=64)
