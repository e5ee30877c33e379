# Sec. 4.3 for TSN and TSM on Something-Something v1.
train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=45, val_interval=1)
param_scheduler = [dict(type="MultiStepLR", by_epoch=True, begin=0, end=45, milestones=[26, 36], gamma=0.1)]
optim_wrapper = dict(
    # Momentum 0.9 without Nesterov, weight decay 5e-4 and clipping at 20: TSM's code and its Something-Something scripts.
    optimizer=dict(type="SGD", lr=0.025, momentum=0.9, weight_decay=5e-4),
    clip_grad=dict(max_norm=20, norm_type=2),
    paramwise_cfg=dict(
        # TSM's parameter policies: biases at twice the rate without decay, norms without decay, the classifier at five times
        # the rate (its bias at ten). A gate trains at a tenth of the rate (A.2).
        bias_lr_mult=2,
        bias_decay_mult=0,
        norm_decay_mult=0,
        custom_keys={
            "fc_cls.weight": dict(lr_mult=5),
            "fc_cls.bias": dict(lr_mult=10, decay_mult=0),
            ".gate.": dict(lr_mult=0.1),
            ".gate.norm": dict(lr_mult=0.1, decay_mult=0),
        },
    ),
)
# 64 clips in a batch: 8 GPUs of 8 (Sec. 4.3)
auto_scale_lr = dict(enable=False, base_batch_size=64)
