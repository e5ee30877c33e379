# Table 3(a), (res1,2,3): all but the stem.
_base_ = "./resnet110_cgc_cifar10.py"
model = dict(backbone=dict(gated_stages=(1, 2, 3)))
