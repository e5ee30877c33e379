# Sec. 4.4: "the training protocol of DynamicConv [53] provided in [37]": 50,000 updates by Adam, 4,000 of them warm-up, no clipping.
train_cfg = dict(type="UpdateBasedTrainLoop", max_updates=50000, val_interval=5)
param_scheduler = [dict(type="InverseSqrtLR", warmup=4000, start_lr=1e-7)]
optim_wrapper = dict(
    optimizer=dict(type="AdamW", lr=5e-4, betas=(0.9, 0.98), eps=1e-8, weight_decay=1e-4),
)
