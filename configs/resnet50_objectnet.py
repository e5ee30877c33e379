# ResNet-50 on ObjectNet (Table 2): a test of what resnet50_imagenet.py trains.
_base_ = [
    "./_base_/models/image_r50.py",
    "./_base_/datasets/objectnet.py",
    "./_base_/schedules/imagenet_default.py",
    "./_base_/default_runtime.py",
]
model = dict(cls_head=dict(num_classes=_base_.num_classes))
test_evaluator = _base_.objectnet_evaluator
