"""The options that both benchmark tools take."""

import argparse
from collections.abc import Sequence

import torch

from cgc_video.engine.names import suggestion
from cgc_video.errors import UserError
from cgc_video.ops.gated_conv import BACKENDS

from .formulations import DEFAULT_FORMULATIONS
from .run import MODES
from .settings import AMP_DTYPES, Settings

__all__ = ["add_options", "chosen", "settings_from"]


def add_options(parser: argparse.ArgumentParser, repeats: int, default_cases: str) -> None:
    """Add what :func:`settings_from` reads, and the choice of cases, formulations, modes and sizes."""
    parser.add_argument("--cases", nargs="+", metavar="CASE", help=f"which to run (default: {default_cases})")
    parser.add_argument(
        "--formulations",
        nargs="+",
        default=list(DEFAULT_FORMULATIONS),
        metavar="NAME",
        help="plain (always measured), unfold, grouped, ours, or a backend of ours (default: %(default)s)",
    )
    parser.add_argument(
        "--modes",
        nargs="+",
        default=list(MODES),
        metavar="MODE",
        help="inference and training are timed; memory: their peak memory, too (default: %(default)s)",
    )
    parser.add_argument("--repeats", type=int, default=repeats, help="measured rounds (default: %(default)s)")
    parser.add_argument("--warmup", type=int, help="rounds before them (default: 1, on a GPU 3)")
    parser.add_argument(
        "--threads", type=int, default=torch.get_num_threads(), help="of PyTorch on the CPU (default: %(default)s)"
    )
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1 ... (default: cpu)")
    parser.add_argument("--amp", metavar="DTYPE", help=f"autocast: {' or '.join(AMP_DTYPES)} (default: float32)")
    parser.add_argument("--channels-last", action="store_true", help="memory format of activations and kernels")
    parser.add_argument("--output", default="work_dirs/benchmark", help="folder of the results (default: %(default)s)")


def settings_from(args: argparse.Namespace) -> Settings:
    """The settings of a run.

    Raises:
        UserError: If an option is out of its range or names something unknown.
    """
    _check_names("--modes", args.modes, MODES)
    _check_names("--formulations", args.formulations, (*DEFAULT_FORMULATIONS, *BACKENDS))
    for name in ("size", "batch", "clips"):
        value = getattr(args, name, None)
        if value is not None and value < 1:
            raise UserError(f"--{name} ({value}) must be at least 1.")
    warmup = args.warmup if args.warmup is not None else 3 if args.device.startswith("cuda") else 1
    return Settings(args.device, args.amp, args.channels_last, args.threads, args.repeats, warmup)


def chosen(names: Sequence[str] | None, cases: Sequence, default: Sequence) -> list:
    """The cases of ``--cases``.

    Raises:
        UserError: If a name is unknown; with the nearest one.
    """
    if names is None:
        return list(default)
    _check_names("--cases", names, [case.name for case in cases])
    return [case for case in cases if case.name in names]


def _check_names(option: str, names: Sequence[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise UserError(f"{option} ({name}) must be among {', '.join(known)}{suggestion(name, known)}.")
