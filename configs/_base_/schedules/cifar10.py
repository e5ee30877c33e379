# CIFAR-10 (A.2): 164 epochs, by 0.1 at the 81st and 122nd. From 0.1, momentum 0.9, weight decay 1e-4: He et al., CVPR 2016, Sec. 4.2.
train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=164, val_interval=1)
param_scheduler = [
    # ResNet-110 does not start to converge at 0.1: He et al. train it at 0.01 until the error falls below 80 %, "about 400 iterations".
    # Here it is the first epoch, of 391; `end` names the epoch behind the one that is back at the full rate.
    dict(type="ConstantLR", factor=0.1, by_epoch=True, begin=0, end=2),
    dict(type="MultiStepLR", by_epoch=True, begin=0, end=164, milestones=[81, 122], gamma=0.1),
]
optim_wrapper = dict(
    optimizer=dict(type="SGD", lr=0.1, momentum=0.9, weight_decay=1e-4),
    # A gate trains at a tenth of the rate (A.2).
    paramwise_cfg=dict(custom_keys={".gate.": dict(lr_mult=0.1)}),
)
# 128 images in a batch, on 1 GPU (A.2)
auto_scale_lr = dict(enable=False, base_batch_size=128)
