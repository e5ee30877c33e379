# Table 3(a), Two Es: an encoder of its own for the channel interaction.
_base_ = "./resnet110_cgc_cifar10.py"
model = dict(backbone=dict(conv_cfg=dict(two_encoders=True)))
