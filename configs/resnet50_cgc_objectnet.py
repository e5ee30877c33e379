# ResNet-50 + CGC on ObjectNet (Table 2): a test of what resnet50_cgc_imagenet.py trains.
_base_ = "./resnet50_objectnet.py"
model = dict(backbone=dict(conv_cfg=dict(type="CGC2d")))
