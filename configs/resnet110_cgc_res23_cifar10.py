# Table 3(a), (res2,3): the last two stages.
_base_ = "./resnet110_cgc_cifar10.py"
model = dict(backbone=dict(gated_stages=(2, 3)))
