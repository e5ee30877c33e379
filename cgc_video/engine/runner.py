"""MMEngine's runner with a readable console, and with several processes also on a machine without a GPU."""

import logging
import os
import sys
from pathlib import Path

import torch
from mmengine.dist import is_distributed, is_main_process
from mmengine.logging import MMLogger
from mmengine.runner import Runner
from torch.utils.data import DataLoader

__all__ = ["VideoRunner"]

# Openings of records that are pages long or repeat per parameter; they stay in the log file.
_FILE_ONLY = (
    "Config:",
    "Keys that differ between checkpoint and model:",
    "Hooks will be executed",
    "paramwise_options",
    "Exp name:",
    "Distributed training is not used",
    '"FileClient" will be deprecated',
    '"HardDiskBackend" is the alias',
    "Checkpoints will be saved to",
    "The prefix is not set in metric class DumpResults",
)


class _ConsoleFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage().lstrip("\n-")
        return not message.startswith((*_FILE_ONLY, "System environment:"))


class _LogFault:
    """A log file that cannot be written, as on a full disk, is told of once; logging would print a traceback per line."""

    told = False

    def __call__(self, record: logging.LogRecord) -> None:
        if not self.told:
            self.told = True
            sys.stderr.write(f"warning: the log file cannot be written: {sys.exc_info()[1]}.\n")


class VideoRunner(Runner):
    """A ``Runner`` whose console shows progress and results only; the log file holds everything."""

    def setup_env(self, env_cfg: dict) -> None:
        """As MMEngine, whose ``--launcher pytorch`` insists on CUDA: without it, the processes talk through gloo."""
        if self._launcher == "pytorch" and not torch.cuda.is_available() and not is_distributed():
            torch.distributed.init_process_group("gloo")
        super().setup_env(env_cfg)

    def set_randomness(self, seed: int | None, diff_rank_seed: bool = False, deterministic: bool = False) -> None:
        """As MMEngine; on a GPU, ``deterministic`` also fixes cuBLAS, and warns of an operation without a deterministic form by name.

        MMEngine stops there: a gated layer's average pooling has none in its backward pass.
        """
        if deterministic:
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read at cuBLAS's first call
        super().set_randomness(seed, diff_rank_seed, deterministic)
        if deterministic:
            torch.use_deterministic_algorithms(True, warn_only=True)

    def wrap_model(self, model_wrapper_cfg: dict | None, model: torch.nn.Module) -> torch.nn.Module:
        """As MMEngine, but a model on the CPU is wrapped without device ids, which are those of GPUs."""
        if self.distributed and model_wrapper_cfg is None and not torch.cuda.is_available():
            unused = self.cfg.get("find_unused_parameters", False)
            model_wrapper_cfg = {"type": "MMDistributedDataParallel", "find_unused_parameters": unused}
            model_wrapper_cfg |= {"broadcast_buffers": False, "device_ids": None}
        return super().wrap_model(model_wrapper_cfg, model)

    @staticmethod
    def build_dataloader(
        dataloader: DataLoader | dict, seed: int | None = None, diff_rank_seed: bool = False
    ) -> DataLoader:
        """As MMEngine, but making workers, which need a number, draws none from the random states of the training."""
        loader = Runner.build_dataloader(dataloader, seed, diff_rank_seed)
        if loader.generator is None:
            loader.generator = torch.Generator().manual_seed(seed or 0)
        return loader

    def dump_config(self) -> None:
        """As MMEngine, but a test puts its config beside its log: in the work dir it would take the place of the training's."""
        if self._train_loop is not None:
            super().dump_config()
        elif is_main_process():
            self.cfg.dump(str(Path(self.log_dir, Path(self.cfg.filename or "config.py").name)))

    def build_logger(self, *args, **kwargs) -> MMLogger:
        logger = super().build_logger(*args, **kwargs)
        for handler in logger.handlers:
            if not isinstance(handler, logging.FileHandler):
                handler.addFilter(_ConsoleFilter())
            else:
                handler.handleError = _LogFault()
        return logger
