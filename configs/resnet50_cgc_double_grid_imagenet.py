# Table 3(b), h' = 2 k1, w' = 2 k2: a context grid of twice the kernel size.
_base_ = "./resnet50_cgc_imagenet.py"
model = dict(backbone=dict(conv_cfg=dict(context_scale=2)))
