# ResNet-50, ImageNet, Advanced setting (Table 1).
_base_ = [
    "./_base_/models/image_r50.py",
    "./_base_/datasets/imagenet.py",
    "./_base_/schedules/imagenet_advanced.py",
    "./_base_/default_runtime.py",
]
model = dict(
    cls_head=dict(num_classes=_base_.num_classes),
    # alpha: He et al., Bag of Tricks, CVPR 2019, whom A.2 follows
    data_preprocessor=dict(blending=dict(type="MixupBlending", num_classes=_base_.num_classes, alpha=0.2)),
)
