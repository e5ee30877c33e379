# ResNet-50 for images, from random weights (Sec. 4.2).
model = dict(
    type="ImageClassifier",
    backbone=dict(type="ImageResNet", depth=50),
    cls_head=dict(type="LinearHead", in_channels=2048, init_std=0.01),  # our choice: the paper does not say
    # ImageNet's statistics, of RGB values from 0 to 255
    data_preprocessor=dict(
        type="ActionDataPreprocessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], format_shape="NCHW"
    ),
)
# For the ..._gc_... configs: MMCV's block, at the ratio that gives the paper's count, behind the last convolution of every block.
gc_block = dict(type="ContextBlock", ratio=1 / 16)
