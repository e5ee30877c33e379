"""What torch does beside tracing, kept out of the way."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr

import torch.fx.config

__all__ = ["quiet_tracing"]


@contextmanager
def quiet_tracing() -> Iterator[None]:
    """Within it torch prints no graphs and warnings on its way to an error, and does not look up the line of code behind each node.

    The lines take a fifth of the time, and would go into the file.
    """
    logger = logging.getLogger("torch")
    level, lookup = logger.level, getattr(torch.fx.config, "do_not_emit_stack_traces", False)
    logger.setLevel(logging.ERROR)
    torch.fx.config.do_not_emit_stack_traces = True
    try:
        with redirect_stderr(io.StringIO()):
            yield
    finally:
        torch.fx.config.do_not_emit_stack_traces = lookup
        logger.setLevel(level)
