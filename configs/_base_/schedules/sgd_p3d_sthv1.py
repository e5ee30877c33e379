# Sec. 4.3 for P3D-A: 50 epochs from 0.01, by 0.1 at 30, 40 and 45; the rest as for TSN and TSM.
_base_ = "./sgd_sthv1.py"
train_cfg = dict(max_epochs=50)
param_scheduler = [dict(type="MultiStepLR", by_epoch=True, begin=0, end=50, milestones=[30, 40, 45], gamma=0.1)]
optim_wrapper = dict(optimizer=dict(lr=0.01))
