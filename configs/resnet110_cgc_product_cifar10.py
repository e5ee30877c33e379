# Table 3(a), G(1) * G(2) in place of their sum.
_base_ = "./resnet110_cgc_cifar10.py"
model = dict(backbone=dict(conv_cfg=dict(gate="product")))
