# ResNet-50 + CGC: 2D context in every convolution that is not 1x1; Default setting (Table 1).
_base_ = "./resnet50_imagenet.py"
model = dict(backbone=dict(conv_cfg=dict(type="CGC2d")))
