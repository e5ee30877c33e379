# ResNet-50, ImageNet, Default setting (Table 1).
_base_ = [
    "./_base_/models/image_r50.py",
    "./_base_/datasets/imagenet.py",
    "./_base_/schedules/imagenet_default.py",
    "./_base_/default_runtime.py",
]
model = dict(cls_head=dict(num_classes=_base_.num_classes))
