# SE-ResNet-50, Advanced setting (Table 1).
_base_ = "./resnet50_imagenet_advanced.py"
model = dict(backbone=dict(block_plugin=dict(type="SE")))
