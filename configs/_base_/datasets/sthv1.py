# Something-Something v1 as raw frames, 8 of them per clip. Lists: tools/data/prepare_sthv1.py.
data_root = "data/sthv1"
data_help = dict(prepare="python tools/data/prepare_sthv1.py data/sthv1", mini="configs/tsm_r50_cgc_mini.py")
num_classes = 174
num_segments = 8

frames = dict(
    type="ListedFrames",
    data_prefix=dict(img=f"{data_root}/20bn-something-something-v1"),
    filename_tmpl="{:05}.jpg",
    start_index=1,
)
train_pipeline = [
    dict(type="SampleFrames", clip_len=1, frame_interval=1, num_clips=num_segments),  # one frame per segment
    dict(type="FrameDecode"),
    dict(type="Resize", scale=(-1, 256)),
    # TSM's code: scales, 13 fixed positions, no mirroring ("left" and "right" are labels)
    dict(
        type="MultiScaleCrop",
        input_size=224,
        scales=(1, 0.875, 0.75, 0.66),
        random_crop=False,
        max_wh_scale_gap=1,
        num_fixed_crops=13,
    ),
    dict(type="Resize", scale=(224, 224), keep_ratio=False),
    dict(type="FormatShape", input_format="NCHW"),
    dict(type="PackActionInputs"),
]
# 1 clip, centre crop: Table 4, and the "efficient" protocol of TSM.
val_pipeline = [
    dict(type="SampleFrames", clip_len=1, frame_interval=1, num_clips=num_segments, test_mode=True),
    dict(type="FrameDecode"),
    dict(type="Resize", scale=(-1, 256)),
    dict(type="CenterCrop", crop_size=224),
    dict(type="FormatShape", input_format="NCHW"),
    dict(type="PackActionInputs"),
]
# 2 clips, 3 crops of 256: TSM's "accurate" protocol, for the ..._accurate.py configs.
accurate_pipeline = [
    dict(
        type="SampleFrames", clip_len=1, frame_interval=1, num_clips=num_segments, test_mode=True, twice_sample=True
    ),
    dict(type="FrameDecode"),
    dict(type="Resize", scale=(-1, 256)),
    dict(type="ThreeCrop", crop_size=256),
    dict(type="FormatShape", input_format="NCHW"),
    dict(type="PackActionInputs"),
]
loader = dict(num_workers=8, persistent_workers=True)
train_dataloader = dict(
    **loader,
    batch_size=8,
    sampler=dict(type="ResumableSampler", shuffle=True),
    dataset=dict(**frames, ann_file=f"{data_root}/train_list.txt", pipeline=train_pipeline),
)
val_dataloader = dict(
    **loader,
    batch_size=8,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(**frames, ann_file=f"{data_root}/val_list.txt", pipeline=val_pipeline, test_mode=True),
)
test_dataloader = val_dataloader
