# CBAM-ResNet-50 on ObjectNet (Table 2): a test of what resnet50_cbam_imagenet.py trains.
_base_ = "./resnet50_objectnet.py"
model = dict(backbone=dict(block_plugin=dict(type="CBAM")))
