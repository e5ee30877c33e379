"""Load a ResNet checkpoint into a backbone, plain or gated, and say what came of it.

Takes checkpoints of torchvision, of MMAction2 (TSN, TSM, with or without non-local blocks), of the TSM authors' code and our own.
A gated layer doubles a kernel that comes without a gate by itself (``ContextGatedConv``).
"""

import logging
import re
import urllib.error
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlparse

import torch
from mmengine.dist import barrier, get_rank
from mmengine.logging import print_log
from torch import Tensor, nn

from cgc_video.errors import UserError

from .checkpoints import compare_state, read_checkpoint, weights_of

__all__ = ["EXTRA_PARTS", "LoadReport", "canonical_key", "classifier_state", "fetch_checkpoint", "load_pretrained"]

MINIMUM_MATCH = 0.9

# What a plain 2D ResNet lacks: gates, temporal convolutions, non-local blocks, plug-ins.
EXTRA_PARTS = re.compile(r"\.gate\.|conv\d_t\.|\.non_local\.|\.plugin\.")
_RENAMES = [
    (re.compile(r"^(module\.|backbone\.|base_model\.)+"), ""),
    (re.compile(r"\.block\.|\.net\."), "."),  # MMAction2's and the TSM authors' wrappers of shifted and non-local blocks
    (re.compile(r"\.non_local_block\."), ".non_local."),
    (re.compile(r"^(|layer\d\.\d+\.)(conv\d)\.(weight|bias)$"), r"\1\2.conv.\3"),
    (re.compile(r"^(|layer\d\.\d+\.)bn(\d)\."), r"\1conv\2.bn."),
    (re.compile(r"\.downsample\.0\."), ".downsample.conv."),
    (re.compile(r"\.downsample\.1\."), ".downsample.bn."),
]
_CLASSIFIER = re.compile(r"^(fc|new_fc|cls_head|head|data_preprocessor)\.")


@dataclass
class LoadReport:
    """Keys of the backbone, or of the checkpoint for ``unexpected``."""

    checkpoint: str
    loaded: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    new_parts: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    mismatched: list[str] = field(default_factory=list)
    match: float = 0.0

    def __str__(self) -> str:
        def some(title: str, keys: list[str]) -> str:
            return f"\n  {title}: {len(keys)}" + (f" ({', '.join(keys[:5])}{', ...' if len(keys) > 5 else ''})" if keys else "")

        return (
            f"Weights from {self.checkpoint}: {self.match:.1%} of the plain backbone's elements.\n  loaded: {len(self.loaded)}"
            + some("missing", self.missing)
            + some("new here, initialised afresh (gates, temporal convolutions, non-local blocks, plug-ins)", self.new_parts)
            + some("unexpected", self.unexpected)
            + some("of another shape", self.mismatched)
        )


def canonical_key(key: str) -> str:
    """Our name for a key of a torchvision, MMAction2 or TSM checkpoint; our own keys stay as they are."""
    for pattern, replacement in _RENAMES:
        key = pattern.sub(replacement, key)
    return key


def classifier_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state dict of a torchvision ResNet under the names of an ``ImageClassifier``; any other as it is."""
    if "conv1.weight" not in state:
        return dict(state)
    fc = "fc."
    return {
        f"cls_head.fc_cls.{key.removeprefix(fc)}" if key.startswith(fc) else f"backbone.{canonical_key(key)}": value
        for key, value in state.items()
    }


def load_pretrained(backbone: nn.Module, checkpoint: str, if_unreachable: str = "error") -> LoadReport | None:
    """Load ``checkpoint`` (file or URL) into ``backbone`` and log the report.

    Args:
        if_unreachable: ``"error"`` or ``"random"``: what to do where a URL cannot be fetched. A file that is not there is an error
            in either case.

    Returns:
        The report, ``None`` if the backbone goes on from random weights.

    Raises:
        UserError: If the file is absent or no checkpoint, or holds under 90 % of the plain backbone.
    """
    if if_unreachable not in ("error", "random"):
        raise UserError(f"if_unreachable ({if_unreachable!r}) must be 'error' or 'random'.")
    try:
        path = fetch_checkpoint(checkpoint)
    except OSError as error:
        way_out = "fetch it elsewhere and set model.backbone.pretrained to the file, or to None for random weights"
        if if_unreachable == "error":
            raise UserError(f"The weights {checkpoint} cannot be fetched ({error}); {way_out}.") from error
        print_log(
            f"The weights {checkpoint} cannot be fetched ({error}): the backbone starts from RANDOM weights, which is not what the "
            f"paper does. To follow it, {way_out.split(', or')[0]}.",
            logger="current",
            level=logging.WARNING,
        )
        return None
    report = _load_state(backbone, weights_of(read_checkpoint(path), str(path)), checkpoint)
    if report.match < MINIMUM_MATCH:
        raise UserError(
            f"{checkpoint} holds {report.match:.1%} of the backbone's weights, and at least {MINIMUM_MATCH:.0%} are needed; name a "
            f"checkpoint of the same depth. {report}"
        )
    print_log(str(report), logger="current")
    return report


def fetch_checkpoint(checkpoint: str) -> Path:
    """The local path of a checkpoint; a URL is fetched once, into torch's hub folder.

    Raises:
        UserError: If a file does not exist.
        OSError: If a URL cannot be fetched.
    """
    url = urlparse(checkpoint)
    if url.scheme not in ("http", "https"):
        path = Path(checkpoint).expanduser()
        if not path.is_file():
            raise UserError(f"The checkpoint {checkpoint} does not exist; set model.backbone.pretrained to a file, a URL or None.")
        return path
    path = Path(torch.hub.get_dir(), "checkpoints", Path(url.path).name)
    if get_rank() == 0 and not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(checkpoint, str(path), progress=False)
        except (urllib.error.URLError, TimeoutError) as error:
            raise OSError(getattr(error, "reason", error)) from error
    barrier()
    if not path.is_file():
        raise OSError("the first process could not fetch it")
    return path


def _load_state(backbone: nn.Module, source: dict[str, Tensor], name: str) -> LoadReport:
    target = backbone.state_dict()
    original = {canonical_key(key): key for key in source}
    given = {key: _fit(source[theirs], target.get(key)) for key, theirs in original.items()}
    found = compare_state(target, given)
    usable = {key: value for key, value in given.items() if key in target and key not in found.shapes}
    backbone.load_state_dict(usable, strict=False)
    plain = {key: target[key].numel() for key in [*found.matched, *found.missing, *found.shapes] if not EXTRA_PARTS.search(key)}
    return LoadReport(
        name,
        loaded=sorted(usable),
        missing=[key for key in found.missing if not EXTRA_PARTS.search(key)],
        new_parts=[key for key in found.missing if EXTRA_PARTS.search(key)],
        unexpected=[original[key] for key in found.unexpected if not _CLASSIFIER.match(key)],
        mismatched=[f"{original[key]} {theirs} for {ours}" for key, (theirs, ours) in found.shapes.items()],
        match=sum(plain[key] for key in found.matched if key in plain) / sum(plain.values()),
    )


def _fit(value: Tensor, target: Tensor | None) -> Tensor:
    """Bring a kernel to a shape that differs by axes of size 1 (2D to 1xkxk and back); one of another size stays as it is."""
    squeezed = [size for size in value.shape if size != 1]
    fits = target is not None and squeezed == [size for size in target.shape if size != 1]
    return value.reshape(target.shape) if fits else value
