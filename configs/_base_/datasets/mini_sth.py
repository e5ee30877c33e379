# The rendered data set (tools/data/make_mini.py): 8 classes that differ in temporal order alone. All sizes are our choice.
data_root = "data/mini_sth"
data_help = dict(prepare="python tools/data/make_mini.py", mini=None)
num_classes = 8
num_segments = 4

videos = dict(type="ListedVideos", data_prefix=dict(video=f"{data_root}/videos"))
train_pipeline = [
    dict(type="VideoOpen"),
    dict(type="SampleFrames", clip_len=1, frame_interval=1, num_clips=num_segments),
    dict(type="VideoDecode"),
    dict(type="Resize", scale=(36, 32), keep_ratio=False),
    dict(type="RandomCrop", size=32),
    dict(type="FormatShape", input_format="NCHW"),
    dict(type="PackActionInputs"),
]
val_pipeline = [
    dict(type="VideoOpen"),
    dict(type="SampleFrames", clip_len=1, frame_interval=1, num_clips=num_segments, test_mode=True),
    dict(type="VideoDecode"),
    dict(type="Resize", scale=(36, 32), keep_ratio=False),
    dict(type="CenterCrop", crop_size=32),
    dict(type="FormatShape", input_format="NCHW"),
    dict(type="PackActionInputs"),
]
# 2 clips x 3 crops
test_pipeline = [
    dict(type="VideoOpen"),
    dict(
        type="SampleFrames", clip_len=1, frame_interval=1, num_clips=num_segments, test_mode=True, twice_sample=True
    ),
    dict(type="VideoDecode"),
    dict(type="Resize", scale=(36, 32), keep_ratio=False),
    dict(type="ThreeCrop", crop_size=32),
    dict(type="FormatShape", input_format="NCHW"),
    dict(type="PackActionInputs"),
]
loader = dict(num_workers=1, persistent_workers=True)
train_dataloader = dict(
    **loader,
    batch_size=16,
    sampler=dict(type="ResumableSampler", shuffle=True),
    dataset=dict(**videos, ann_file=f"{data_root}/train_list.txt", pipeline=train_pipeline),
)
val_dataloader = dict(
    **loader,
    batch_size=16,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(**videos, ann_file=f"{data_root}/val_list.txt", pipeline=val_pipeline, test_mode=True),
)
test_dataloader = dict(
    **loader,
    batch_size=16,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(**videos, ann_file=f"{data_root}/val_list.txt", pipeline=test_pipeline, test_mode=True),
)
