# ResNet-110, CIFAR-10 (Table 1).
_base_ = [
    "./_base_/models/cifar_r110.py",
    "./_base_/datasets/cifar10.py",
    "./_base_/schedules/cifar10.py",
    "./_base_/default_runtime.py",
]
model = dict(cls_head=dict(num_classes=_base_.num_classes))
