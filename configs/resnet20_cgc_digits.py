# ResNet-20 + CGC on handwritten digits.
_base_ = "./resnet20_digits.py"
model = dict(backbone=dict(conv_cfg=dict(type="CGC2d")))
