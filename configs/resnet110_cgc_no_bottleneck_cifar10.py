# Table 3(a), d = k1 x k2: no bottleneck in the context encoding.
_base_ = "./resnet110_cgc_cifar10.py"
model = dict(backbone=dict(conv_cfg=dict(latent_dim=9)))
