# Kinetics-400 videos, sampled densely: 8 frames out of a window of 64 (TSM's code, "dense sample", after Wang et al., CVPR 2018).
# Lists: tools/data/prepare_kinetics.py.
data_root = "data/kinetics400"
data_help = dict(prepare="python tools/data/prepare_kinetics.py data/kinetics400", mini="configs/tsm_r50_cgc_mini.py")
num_classes = 400
num_segments = 8

videos = dict(type="ListedVideos", data_prefix=dict(video=data_root))
sample = dict(type="DenseSampleFrames", clip_len=1, frame_interval=1, num_clips=num_segments, sample_range=64)
train_pipeline = [
    dict(type="VideoOpen"),
    dict(sample),
    dict(type="VideoDecode"),
    dict(type="Resize", scale=(-1, 256)),
    # TSM's code: scales, 13 fixed positions, mirroring
    dict(
        type="MultiScaleCrop",
        input_size=224,
        scales=(1, 0.875, 0.75, 0.66),
        random_crop=False,
        max_wh_scale_gap=1,
        num_fixed_crops=13,
    ),
    dict(type="Resize", scale=(224, 224), keep_ratio=False),
    dict(type="Flip", flip_ratio=0.5),
    dict(type="FormatShape", input_format="NCHW"),
    dict(type="PackActionInputs"),
]
# 1 clip, centre crop: while training, and the ..._efficient.py configs.
val_pipeline = [
    dict(type="VideoOpen"),
    dict(sample, num_sample_positions=1, test_mode=True),
    dict(type="VideoDecode"),
    dict(type="Resize", scale=(-1, 256)),
    dict(type="CenterCrop", crop_size=224),
    dict(type="FormatShape", input_format="NCHW"),
    dict(type="PackActionInputs"),
]
# 10 clips x 3 crops of 256: the protocol behind TSM's 74.1 %, which Table 5 starts from.
# Each frame is decoded and resized once, and the views are cut in the recognizer, a few at a time.
test_pipeline = [
    dict(type="VideoOpen", with_size=True),
    dict(sample, num_sample_positions=10, test_mode=True),
    dict(type="Resize", scale=(-1, 256), lazy=True),
    dict(type="VideoDecode", unique=True),
    dict(type="LazyViews", crop_size=256, crops=3, input_format="NCHW"),
    dict(type="PackActionInputs", collect_keys=("frames", "frame_places", "boxes")),
]
loader = dict(num_workers=8, persistent_workers=True)
train_dataloader = dict(
    **loader,
    batch_size=8,
    sampler=dict(type="ResumableSampler", shuffle=True),
    dataset=dict(**videos, ann_file=f"{data_root}/train_list.txt", pipeline=train_pipeline),
)
val_dataloader = dict(
    **loader,
    batch_size=8,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(**videos, ann_file=f"{data_root}/val_list.txt", pipeline=val_pipeline, test_mode=True),
)
test_dataloader = dict(
    **loader,
    batch_size=1,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(**videos, ann_file=f"{data_root}/val_list.txt", pipeline=test_pipeline, test_mode=True),
)
