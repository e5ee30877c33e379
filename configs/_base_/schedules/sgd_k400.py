# "We follow [TSM] to train and evaluate" (Sec. 4.3). TSM, Sec. 5.1: 100 epochs from 0.01, by 0.1 at 40 and 80, weight decay 1e-4,
# 64 clips in a batch, dropout 0.5; parameter policies and clipping as on Something-Something.
_base_ = "./sgd_sthv1.py"
train_cfg = dict(max_epochs=100)
param_scheduler = [dict(type="MultiStepLR", by_epoch=True, begin=0, end=100, milestones=[40, 80], gamma=0.1)]
optim_wrapper = dict(optimizer=dict(lr=0.01, weight_decay=1e-4))
