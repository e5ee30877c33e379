# Trained and validated on ImageNet, tested on ObjectNet (Table 2): one crop, as there. A config takes test_evaluator from here.
_base_ = "./imagenet.py"
test_pipeline = [_base_.val_pipeline[0], dict(type="CropBorder", width=2), *_base_.val_pipeline[1:]]
test_dataloader = dict(
    dataset=dict(
        _delete_=True, type="ObjectNet", data_root="data/objectnet-1.0", pipeline=test_pipeline, test_mode=True
    )
)
objectnet_evaluator = [dict(type="MappedAccuracy")]
