# GC-ResNet-50, Default setting (Table 1).
_base_ = "./resnet50_imagenet.py"
model = dict(backbone=dict(block_plugin=_base_.gc_block))
