# ResNet-110 for CIFAR-10, with plain blocks (Sec. 4.2).
model = dict(
    type="ImageClassifier",
    backbone=dict(type="CIFARResNet", depth=110),
    cls_head=dict(type="LinearHead", in_channels=64, init_std=0.01),  # our choice: the paper does not say
    # CIFAR-10's statistics over the training images, of RGB values from 0 to 255
    data_preprocessor=dict(
        type="ActionDataPreprocessor", mean=[125.31, 122.95, 113.87], std=[62.99, 62.09, 66.70], format_shape="NCHW"
    ),
)
