# Table 3(a), (res3): the last stage.
_base_ = "./resnet110_cgc_cifar10.py"
model = dict(backbone=dict(gated_stages=(3,)))
