# A short run from random weights on the rendered data; all numbers are our choice but the gate's rate (A.2).
train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=8, val_interval=1)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.1, by_epoch=True, begin=0, end=1, convert_to_iter_based=True),
    dict(type="CosineAnnealingLR", by_epoch=True, begin=1, end=8, eta_min=0, convert_to_iter_based=True),
]
optim_wrapper = dict(
    optimizer=dict(type="SGD", lr=0.02, momentum=0.9, weight_decay=5e-4),
    clip_grad=dict(max_norm=20, norm_type=2),
    paramwise_cfg=dict(custom_keys={".gate.": dict(lr_mult=0.1)}),
)
auto_scale_lr = dict(enable=False, base_batch_size=16)
