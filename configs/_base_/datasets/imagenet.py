# ImageNet 2012 (A.2): train/<WordNet ID>/*.JPEG, and val/ in class folders or flat as it is shipped, then with the unpacked development kit
# or another label file beside it (cgc_video/datasets/images/label_files.py lists them).
data_root = "data/imagenet"
data_help = dict(
    get="put the unpacked training images (train/<WordNet ID>/), validation images (val/) and ILSVRC2012_devkit_t12/ of image-net.org there",
    mini="configs/resnet20_cgc_digits.py",
)
num_classes = 1000

train_pipeline = [
    dict(type="LoadImage"),
    dict(type="RandomResizedCropImage", size=224),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PackImage"),
]
# A single crop of 224 (Sec. 4.2), from the centre of an image whose short side is 256. MMAction2 has steps of the same names for clips:
# "mmengine." asks for those of mmcv. The long side is free; Pillow averages over pixels, as torchvision does.
val_pipeline = [
    dict(type="LoadImage"),
    dict(type="mmengine.Resize", scale=(100_000, 256), keep_ratio=True, backend="pillow"),
    dict(type="mmengine.CenterCrop", crop_size=224),
    dict(type="PackImage"),
]
loader = dict(num_workers=8, persistent_workers=True)
train_dataloader = dict(
    **loader,
    batch_size=32,  # on each of 8 GPUs (A.2)
    sampler=dict(type="ResumableSampler", shuffle=True),
    dataset=dict(
        type="ImageFolder", data_root=data_root, data_prefix=dict(img_path="train"), pipeline=train_pipeline
    ),
)
val_dataloader = dict(
    **loader,
    batch_size=32,
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
