# CIFAR-10 from its official archive (A.2).
data_root = "data/cifar10"
data_help = dict(
    get="make it, download the 'CIFAR-10 python version' from https://www.cs.toronto.edu/~kriz/cifar.html and put cifar-10-python.tar.gz there",
    mini="configs/resnet20_cgc_digits.py",
)
num_classes = 10

train_pipeline = [
    dict(type="RandomCropImage", size=32, padding=4),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PackImage"),
]
val_pipeline = [dict(type="PackImage")]
loader = dict(num_workers=2, persistent_workers=True, batch_size=128)  # on 1 GPU (A.2)
train_dataloader = dict(
    **loader,
    sampler=dict(type="ResumableSampler", shuffle=True),
    dataset=dict(type="CIFAR10", data_root=data_root, split="train", pipeline=train_pipeline),
)
val_dataloader = dict(
    **loader,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(type="CIFAR10", data_root=data_root, split="test", pipeline=val_pipeline, test_mode=True),
)
test_dataloader = val_dataloader
