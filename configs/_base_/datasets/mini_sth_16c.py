# Clips of 16 frames that span the video, for P3D-A, which divides time by 4.
_base_ = "./mini_sth.py"
num_frames = 16
pack = [dict(type="FormatShape", input_format="NCTHW"), dict(type="PackActionInputs")]
sample = dict(type="UniformSample", clip_len=num_frames)
train_pipeline = [_base_.train_pipeline[0], dict(sample), *_base_.train_pipeline[2:-2], *pack]
val_pipeline = [_base_.val_pipeline[0], dict(sample, test_mode=True), *_base_.val_pipeline[2:-2], *pack]
test_pipeline = [_base_.test_pipeline[0], dict(sample, num_clips=2, test_mode=True), *_base_.test_pipeline[2:-2], *pack]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
