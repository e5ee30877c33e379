# CBAM-ResNet-50 + CGC, Advanced setting (Table 1). CBAM's own convolution is not gated.
_base_ = "./resnet50_cbam_imagenet_advanced.py"
model = dict(backbone=dict(conv_cfg=dict(type="CGC2d")))
