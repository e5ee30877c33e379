"""Options of the command line that change a config: what they cannot mean is refused before anything is built."""

import argparse
import copy
from collections.abc import Sequence
from typing import Any

from mmengine.config import Config, DictAction

from ...errors import UserError

__all__ = ["OptionAction", "load_overridden"]

_SHOWN = 120


class OptionAction(DictAction):
    """MMEngine's ``DictAction``, which raises an assertion or worse for a text that is no ``KEY=VALUE``."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        for text in values or ():
            key, equals, _ = str(text).partition("=")
            if not equals or not all(key.split(".")):
                parser.error(f"{option_string}: {_short(text)} must read KEY=VALUE, such as train_cfg.max_epochs=1")
            try:
                super().__call__(parser, argparse.Namespace(), [text], option_string)
            except (AssertionError, ValueError, IndexError, RecursionError) as error:
                parser.error(f'{option_string}: {_short(text)} cannot be read ({error}); write lists as key="[a,b]"')
        super().__call__(parser, namespace, values, option_string)


def load_overridden(path: str, options: dict[str, Any] | None, split: str) -> Config:
    """``load_config``, with options that fit the config and pass the checks of a start.

    Args:
        split: ``"train"`` or ``"test"``: what is to be started.
    Raises:
        UserError: If an option does not fit; names it.
    """
    from ..config import load_config, merge_options

    cfg = load_config(path)
    if not options:
        return cfg
    before = copy.deepcopy(cfg)
    try:
        merge_options(cfg, options)
        _check_kinds(before._cfg_dict, cfg._cfg_dict)
        _settle_workers(cfg)
        _try_start(copy.deepcopy(cfg), split)
    except UserError:
        raise
    except Exception as error:  # a value that the code behind the checks did not reckon with
        given = ", ".join(f"{key}={value!r}" for key, value in options.items())
        reason = " ".join(str(error).split()) or "no reason given"
        raise UserError(
            f"--cfg-options {_short(given)}: the config cannot be used with that ({type(error).__name__}: {_short(reason)}); correct the value."
        ) from error
    return cfg


def _check_kinds(before: Any, after: Any, way: str = "") -> None:
    """A part of a config stays a part: a dict one, or None; a list one, a single part of it, or None."""
    if isinstance(before, dict):
        if after is not None and not isinstance(after, dict):
            raise UserError(
                f"--cfg-options {way}: ({_short(repr(after))}) must be keys and values, as in the config; set one of them."
            )
        for key in before.keys() & (after or {}).keys():
            _check_kinds(before[key], after[key], f"{way}.{key}" if way else str(key))
    elif isinstance(before, list | tuple) and any(isinstance(part, dict) for part in before):
        if after is not None and not isinstance(after, list | tuple | dict):
            raise UserError(
                f"--cfg-options {way}: ({_short(repr(after))}) must be a list, as in the config; set one of its parts."
            )
        parts = after if isinstance(after, list | tuple) else ()
        if odd := [part for part in parts if not isinstance(part, dict | None)]:
            raise UserError(f"--cfg-options {way}: {_short(repr(odd[0]))} must be keys and values; correct it.")
        for index, (old, new) in enumerate(zip(before, parts, strict=False)):
            _check_kinds(old, new, f"{way}.{index}")


def _settle_workers(cfg: Config) -> None:
    """A loader without workers has none that persist, or that fetch ahead: torch refuses what configs set for those they have."""
    for split in ("train", "val", "test"):
        loader = cfg.get(f"{split}_dataloader")
        if loader and loader.get("num_workers") == 0:
            loader.persistent_workers, loader.prefetch_factor = False, None


def _try_start(cfg: Config, split: str) -> None:
    """What a start does to a config before it builds anything."""
    from ..checks import check_backends, check_before_training, check_data, check_segments, check_types, check_values
    from ..prepare import add_hooks, check_same_classes, configure_reports, name_classes

    cfg.setdefault("work_dir", "work_dirs")
    if split == "train":
        check_before_training(cfg)
        check_same_classes(name_classes(cfg, "train"), name_classes(cfg, "val"))
        add_hooks(cfg, "ProgressHook")
        configure_reports(cfg, "val", table=False)
    else:
        check_types(cfg)
        check_values(cfg)
        check_backends(cfg)
        check_segments(cfg, ("test",))
        check_data(cfg, ("test",))
        name_classes(cfg, "test")
        configure_reports(cfg, "test", table=False)


def _short(text: Any) -> str:
    text = str(text)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
