# BAM-ResNet-50, Default setting (Table 1).
_base_ = "./resnet50_imagenet.py"
model = dict(backbone=dict(stage_plugin=dict(type="BAM")))
