# CBAM-ResNet-50 + CGC, Default setting (Table 1). CBAM's own convolution is not gated.
_base_ = "./resnet50_cbam_imagenet.py"
model = dict(backbone=dict(conv_cfg=dict(type="CGC2d")))
