# Table 3(a), Shared Norm: one norm for both branches.
_base_ = "./resnet110_cgc_cifar10.py"
model = dict(backbone=dict(conv_cfg=dict(shared_norm=True)))
