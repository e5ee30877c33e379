# The Default setting on ImageNet (A.2): 100 epochs from 0.1, by 0.1 every 30.
train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=100, val_interval=1)
param_scheduler = [dict(type="MultiStepLR", by_epoch=True, begin=0, end=100, milestones=[30, 60, 90], gamma=0.1)]
optim_wrapper = dict(
    # Every parameter decays, norms and biases too: A.2 names one weight decay and no exception.
    optimizer=dict(type="SGD", lr=0.1, momentum=0.9, weight_decay=1e-4),
    # A gate trains at a tenth of the rate (A.2).
    paramwise_cfg=dict(custom_keys={".gate.": dict(lr_mult=0.1)}),
)
# 256 images in a batch: 8 GPUs of 32 (A.2)
auto_scale_lr = dict(enable=False, base_batch_size=256)
