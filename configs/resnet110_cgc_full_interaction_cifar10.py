# Table 3(a), g = 1: all channels interact.
_base_ = "./resnet110_cgc_cifar10.py"
model = dict(backbone=dict(conv_cfg=dict(channel_groups=1)))
