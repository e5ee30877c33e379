# Table 3(b), Shared D: one decoder for both gates.
_base_ = "./resnet50_cgc_imagenet.py"
model = dict(backbone=dict(conv_cfg=dict(shared_decoder=True)))
