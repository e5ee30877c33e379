# ResNet-110 + CGC (Tables 1 and 3a).
_base_ = "./resnet110_cifar10.py"
model = dict(backbone=dict(conv_cfg=dict(type="CGC2d")))
