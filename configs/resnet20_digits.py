# ResNet-20 of the CIFAR family on handwritten digits of 8x8, from random weights.
_base_ = [
    "./_base_/datasets/digits.py",
    "./_base_/schedules/digits.py",
    "./_base_/default_runtime.py",
]
model = dict(
    type="ImageClassifier",
    backbone=dict(type="CIFARResNet", depth=20),
    cls_head=dict(type="LinearHead", in_channels=64, num_classes=_base_.num_classes),
    # the digits' statistics, of values from 0 to 255
    data_preprocessor=dict(type="ActionDataPreprocessor", mean=[77.9] * 3, std=[95.9] * 3, format_shape="NCHW"),
)
