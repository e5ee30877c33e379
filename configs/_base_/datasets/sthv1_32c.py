# Clips of 32 consecutive frames, for P3D-A (Sec. 4.3); tested on 10 clips x 3 crops of 256, as in Wang et al., CVPR 2018.
_base_ = "./sthv1.py"
clip_len = 32
# Videos shorter than the clip hold their last frame: starting over would undo the order that the labels speak of.
sample = dict(type="SampleFrames", clip_len=clip_len, frame_interval=1, out_of_bound_opt="repeat_last")
pack = [dict(type="FormatShape", input_format="NCTHW"), dict(type="PackActionInputs")]
train_pipeline = [dict(sample, num_clips=1), *_base_.train_pipeline[1:-2], *pack]
val_pipeline = [dict(sample, num_clips=1, test_mode=True), *_base_.val_pipeline[1:-2], *pack]
test_pipeline = [dict(sample, num_clips=10, test_mode=True), *_base_.accurate_pipeline[1:-2], *pack]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = dict(batch_size=1, dataset=dict(pipeline=test_pipeline))
