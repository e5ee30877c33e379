"""Load a config file, merge options into it, and refuse what a config cannot mean."""

import inspect
import os
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.runner import Runner

from ..errors import UserError
from .names import nearest, suggestion
from .slurm import torchrun_variables

__all__ = ["load_config", "merge_options", "set_launcher", "set_work_dir"]

# Top-level keys that MMEngine reads although Runner.__init__ does not take them.
_EXTRA_KEYS = {"runner_type", "model_wrapper_cfg", "activation_checkpointing", "efficient_conv_bn_eval", "compile"}


def load_config(path: str, options: dict[str, Any] | None = None) -> Config:
    """Read a config file and merge ``key.sub=value`` options into it.

    Raises:
        UserError: If the file is missing or cannot be parsed, or an option names nothing in it.
    """
    file = Path(path)
    if file.is_dir():
        raise UserError(f"config ({path}) is a folder; name one of its .py files.")
    if file.is_file() and file.suffix not in (".py", ".json", ".yaml", ".yml"):
        raise UserError(
            f"config ({path}) must be a .py, .json or .yaml file; give the path of a config, such as configs/<name>.py."
        )
    if not file.is_file():
        folder = file.parent if file.parent.is_dir() else Path("configs")
        names = {p.stem: p for p in folder.glob("*.py")} or {p.stem: p for p in Path("configs").glob("*.py")}
        found = nearest(file.stem, names)
        hint = f"did you mean {names[found]}?" if found else "give the path of a config, such as configs/<name>.py."
        raise UserError(f"config ({path}) does not exist; {hint}")
    try:
        cfg = Config.fromfile(str(file))
    except Exception as error:  # whatever Python, YAML or MMEngine may raise while reading someone's file
        reason = str(error).strip().split("\n")[0]
        raise UserError(f"config ({path}) cannot be read: {type(error).__name__}: {reason}; mend that file.") from error
    if "model" not in cfg:
        raise UserError(f"config ({path}) holds no model; give a complete config, not a part under _base_.")
    if cfg.get("default_scope") is None:
        cfg.default_scope = "mmaction"
    merge_options(cfg, options or {})
    return cfg


def merge_options(cfg: Config, options: dict[str, Any]) -> None:
    """Merge ``--cfg-options`` into ``cfg``; a new leaf is allowed, a mistyped way to it is not."""
    for key in options:
        _check_option(cfg, key)
    try:
        cfg.merge_from_dict(options)
    except (KeyError, TypeError, IndexError) as error:
        raise UserError(f"--cfg-options ({options}) do not fit the config: {error}.") from error


def _check_option(cfg: Config, key: str) -> None:
    parts = key.split(".")
    top_level = set(cfg.keys()) | set(inspect.signature(Runner.__init__).parameters) | _EXTRA_KEYS
    if parts[0] not in top_level:
        hint = suggestion(parts[0], top_level)
        raise UserError(f"--cfg-options {key}: the config has no {parts[0]!r}{hint}; use a key of the config.")
    node, way = cfg.get(parts[0]), parts[0]
    for position, part in enumerate(parts[1:], start=1):
        last = position == len(parts) - 1
        if isinstance(node, list | tuple):
            if not part.isdigit() or int(part) >= len(node):
                raise UserError(
                    f"--cfg-options {key}: {way!r} is a list of {len(node)}; use an index from 0 to {len(node) - 1}."
                )
            node = node[int(part)]
        elif isinstance(node, dict):
            if part not in node and not last and (found := nearest(part, node, cutoff=0.6)):
                raise UserError(f"--cfg-options {key}: {way!r} has no {part!r}; did you mean {found!r}?")
            node = node.get(part)
        elif node is not None:
            raise UserError(f"--cfg-options {key}: {way!r} is a value ({node!r}), nothing below it can be set.")
        way = f"{way}.{part}"


def set_work_dir(cfg: Config, path: str, work_dir: str | None) -> None:
    """``--work-dir`` goes before the config's ``work_dir``, and that before ``./work_dirs/<config name>``."""
    cfg.work_dir = work_dir or cfg.get("work_dir") or os.path.join(".", "work_dirs", Path(path).stem)
    if Path(cfg.work_dir).is_file():
        raise UserError(f"work_dir ({cfg.work_dir}) is a file; give a folder with --work-dir.")


def set_launcher(cfg: Config, launcher: str, local_rank: int = 0) -> None:
    """Set how processes were started; without torchrun and Slurm, ``LOCAL_RANK`` comes from the option."""
    if launcher == "slurm":
        os.environ |= torchrun_variables(os.environ)
        launcher = "pytorch"
    cfg.launcher = launcher
    os.environ.setdefault("LOCAL_RANK", str(local_rank))
    if launcher == "pytorch" and "RANK" not in os.environ:
        raise UserError(
            "--launcher pytorch needs torchrun's environment; start it with `bash tools/dist_train.sh CONFIG N`, "
            "or leave the option away for one process."
        )
    processes, devices = int(os.environ.get("LOCAL_WORLD_SIZE", 1)), torch.cuda.device_count()
    if launcher == "pytorch" and processes > devices > 0:
        raise UserError(f"{processes} processes were started on a machine of {devices} GPUs; start one per GPU.")
