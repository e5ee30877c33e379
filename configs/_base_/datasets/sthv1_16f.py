# 16 frames per clip, at half the batch (Sec. 4.3).
_base_ = "./sthv1.py"
num_segments = 16
train_pipeline = [dict(_base_.train_pipeline[0], num_clips=num_segments), *_base_.train_pipeline[1:]]
val_pipeline = [dict(_base_.val_pipeline[0], num_clips=num_segments), *_base_.val_pipeline[1:]]
accurate_pipeline = [dict(_base_.accurate_pipeline[0], num_clips=num_segments), *_base_.accurate_pipeline[1:]]
train_dataloader = dict(batch_size=4, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(batch_size=4, dataset=dict(pipeline=val_pipeline))
test_dataloader = val_dataloader
