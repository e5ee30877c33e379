# Table 3(a), Shared D: one decoder for both gates.
_base_ = "./resnet110_cgc_cifar10.py"
model = dict(backbone=dict(conv_cfg=dict(shared_decoder=True)))
