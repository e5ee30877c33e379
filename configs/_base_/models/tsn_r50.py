# TSN and TSM in the code base of TSM: scores per frame, averaged (Sec. 4.3: "we adapt the code base of TSM").
model = dict(
    type="ClipRecognizer2D",
    backbone=dict(
        type="TSNResNet",
        depth=50,
        # ImageNet (Sec. 4.3), torchvision's first ResNet-50 weights, the ones of the paper's time
        pretrained="https://download.pytorch.org/models/resnet50-0676ba61.pth",
        # without a network the run goes on from random weights, with a warning; "error" stops it
        if_unreachable="random",
    ),
    cls_head=dict(
        type="TSMHead",
        in_channels=2048,
        dropout_ratio=0.5,  # Sec. 4.3
        init_std=0.001,  # TSM's code
        average_clips="prob",
    ),
    # ImageNet's statistics, of values from 0 to 255
    data_preprocessor=dict(
        type="ActionDataPreprocessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], format_shape="NCHW"
    ),
    test_cfg=dict(views_per_forward=8),
)
# For the ..._nl_... configs: behind every other block of res3 and res4 (Wang et al., CVPR 2018; the paper's counts).
non_local_blocks = dict(
    non_local=((), (1, 0, 1, 0), (1, 0, 1, 0, 1, 0), ()),
    non_local_cfg=dict(mode="embedded_gaussian", sub_sample=True, use_scale=False, norm_cfg=dict(type="BN3d")),
)
