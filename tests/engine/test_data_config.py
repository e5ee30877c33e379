"""The data sets that a config names."""

from mmengine.config import Config
from mmengine.registry import DefaultScope

from cgc_video.datasets.images import ImageFolder
from cgc_video.engine.data_config import open_images, split_datasets


def test_images_open_whatever_runner_this_process_had_before(tmp_path):
    for name in ("left", "right"):
        (tmp_path / "train" / name).mkdir(parents=True)
    dataset = dict(type="ImageFolder", data_root=str(tmp_path), data_prefix=dict(img_path="train"), pipeline=[])
    cfg = Config(dict(default_scope="mmaction", train_dataloader=dict(dataset=dataset)))
    ((_, described),) = split_datasets(cfg, "train")
    with DefaultScope.overwrite_default_scope("mmengine"):
        assert isinstance(open_images(cfg, described), ImageFolder)
