# Table 3(a), only G(2), the gate of the output channels.
_base_ = "./resnet110_cgc_cifar10.py"
model = dict(backbone=dict(conv_cfg=dict(gate="out")))
