_base_ = "./tsn_r50.py"
# 1/8 of the channels each way (TSM, Sec. 4)
model = dict(backbone=dict(type="TSMResNet", shift_div=8))
