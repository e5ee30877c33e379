# Something-Something v2 as WebM videos, 8 frames per clip; otherwise as v1. Lists: tools/data/prepare_sthv2.py.
_base_ = "./sthv1.py"
data_root = "data/sthv2"
data_help = dict(prepare="python tools/data/prepare_sthv2.py data/sthv2", mini="configs/tsm_r50_cgc_mini.py")

videos = dict(_delete_=True, type="ListedVideos", data_prefix=dict(video=f"{data_root}/20bn-something-something-v2"))
# the sampling step of v1, between opening and decoding; then v1's resizing and cropping
train_pipeline = [dict(type="VideoOpen"), _base_.train_pipeline[0], dict(type="VideoDecode"), *_base_.train_pipeline[2:]]
val_pipeline = [dict(type="VideoOpen"), _base_.val_pipeline[0], dict(type="VideoDecode"), *_base_.val_pipeline[2:]]
accurate_pipeline = [
    dict(type="VideoOpen"), _base_.accurate_pipeline[0], dict(type="VideoDecode"), *_base_.accurate_pipeline[2:]
]
train_dataloader = dict(dataset=dict(**videos, ann_file=f"{data_root}/train_list.txt", pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(**videos, ann_file=f"{data_root}/val_list.txt", pipeline=val_pipeline, test_mode=True)
)
test_dataloader = val_dataloader
