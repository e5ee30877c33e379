# The Advanced setting on ImageNet (A.2): 5 epochs of warm-up, then a cosine to the 120th; the rest as in the Default setting.
# Mixup, which belongs to it, is in resnet50_imagenet_advanced.py.
_base_ = "./imagenet_default.py"
train_cfg = dict(max_epochs=120)
# By iteration, up from 0 and down to 0 (He et al., Bag of Tricks, CVPR 2019, whom A.2 follows); MMEngine has to start above 0.
param_scheduler = [
    dict(type="LinearLR", start_factor=1e-4, by_epoch=True, begin=0, end=5, convert_to_iter_based=True),
    dict(type="CosineAnnealingLR", eta_min=0, by_epoch=True, begin=5, end=120, convert_to_iter_based=True),
]
