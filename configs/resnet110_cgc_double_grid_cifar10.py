# Table 3(a), h' = 2 k1, w' = 2 k2: a context grid of twice the kernel size.
_base_ = "./resnet110_cgc_cifar10.py"
model = dict(backbone=dict(conv_cfg=dict(context_scale=2)))
