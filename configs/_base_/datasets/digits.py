# Handwritten digits of 8x8 in class folders (tools/data/make_digits.py). All sizes are our choice.
data_root = "data/digits"
data_help = dict(prepare="python tools/data/make_digits.py", mini=None)
num_classes = 10

train_pipeline = [
    dict(type="LoadImage"),
    dict(type="RandomCropImage", size=8, padding=1),
    dict(type="PackImage"),
]
# Resize leaves the digits as they are; it is for images of other sizes that a trained model is given
val_pipeline = [dict(type="LoadImage"), dict(type="Resize", scale=(8, 8), keep_ratio=False), dict(type="PackImage")]
loader = dict(num_workers=1, persistent_workers=True, batch_size=64)
train_dataloader = dict(
    **loader,
    sampler=dict(type="ResumableSampler", shuffle=True),
    dataset=dict(
        type="ImageFolder", data_root=data_root, data_prefix=dict(img_path="train"), pipeline=train_pipeline
    ),
)
val_dataloader = dict(
    **loader,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="ImageFolder",
        data_root=data_root,
        data_prefix=dict(img_path="val"),
        classes_from="train",
        pipeline=val_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader
