# Table 3(a), MaxPool: a context of maxima.
_base_ = "./resnet110_cgc_cifar10.py"
model = dict(backbone=dict(conv_cfg=dict(pool="max")))
