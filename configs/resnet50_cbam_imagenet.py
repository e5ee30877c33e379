# CBAM-ResNet-50, Default setting (Table 1).
_base_ = "./resnet50_imagenet.py"
model = dict(backbone=dict(block_plugin=dict(type="CBAM")))
