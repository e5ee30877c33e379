# Table 3(b), Shared Norm: one norm for both branches.
_base_ = "./resnet50_cgc_imagenet.py"
model = dict(backbone=dict(conv_cfg=dict(shared_norm=True)))
