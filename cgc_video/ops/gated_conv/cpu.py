"""The gated convolution fused in a C kernel, for small output maps on the CPU.

Where a layer's output has few pixels, gating a kernel per sample costs as much as the convolution, and writing it to
memory costs more. The kernel in ``cpu_kernels.c`` computes each gate in registers, where it is used. It takes
``exp(-gate_in)`` and ``exp(-gate_out)``, small tensors, because ``sigmoid(i + o) = 1 / (1 + exp(-i) exp(-o))``: one
multiply-add and one reciprocal per kernel element. The backward pass computes the gates again; only inputs are saved.

The kernel is compiled at first use with the system's C compiler (``$CC``, else cc, gcc or clang) into
``$CGC_VIDEO_CACHE``, else ``~/.cache/cgc_video``. Where that is impossible one log line says why, and the eager backend
serves.
"""

import ctypes
import functools
import hashlib
import logging
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

import torch
from torch import Tensor

from .eager import gated_conv2d_eager, refuse_second_order

__all__ = ["gated_conv2d_cpu", "is_available", "is_faster", "unsupported_reason", "why_unavailable"]

logger = logging.getLogger(__name__)

_SOURCE = Path(__file__).with_name("cpu_kernels.c")
# No -ffast-math: GCC before 13 then links start-up code that makes the whole process flush denormals to zero.
_FLAGS = ("-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-fopenmp", "-shared", "-fPIC")
_MAX_LOGIT = 40.0  # exp(2 * 40) and its reciprocal are normal float32 numbers
_LANES = 16  # channels are padded to multiples of this


def is_available() -> bool:
    """Whether the compiled kernel can be used; the first call compiles it (about two seconds)."""
    return why_unavailable() is None


def why_unavailable() -> str | None:
    """Why there is no compiled kernel on this machine, or ``None`` if there is one."""
    return _load()[1]


def unsupported_reason(
    x: Tensor,
    weight: Tensor,
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    groups: int,
) -> str | None:
    """Why this backend cannot run a call, as a clause, or ``None`` if it can."""
    for tensor in (x, weight):
        if tensor.device.type != "cpu":
            return f"it runs on the CPU only ({tensor.device} given)"
        if tensor.dtype != torch.float32:
            return f"it takes float32 only ({str(tensor.dtype).removeprefix('torch.')} given)"
        if type(tensor) not in (Tensor, torch.nn.Parameter):
            return f"it takes plain tensors only ({type(tensor).__name__} given)"
    if groups != 1:
        return f"it takes groups=1 only ({groups} given)"
    if torch.jit.is_tracing() or getattr(torch.compiler, "is_compiling", bool)():  # older torch has no is_compiling
        return "a compiled kernel cannot be traced"
    return why_unavailable()


def is_faster(
    x: Tensor, weight: Tensor, stride: tuple[int, int], padding: tuple[int, int], dilation: tuple[int, int]
) -> bool:
    """Whether this backend beats the eager one for a call.

    Measured forward + backward, CPU time of one thread of an AMD EPYC (Zen, AVX2), batch 128 unless noted, 3x3 kernels,
    in ms:

    ==========================  ==========  ====  =====
    channels, output map        plain conv  here  eager
    ==========================  ==========  ====  =====
    512, 2x2                    453         426   6842
    256, 3x3                    144         194   1496
    128, 6x6                    143         182   484
    256, 7x7 (batch 16)         95          102   318
    128, 14x14 (batch 16)       100         114   152
    64, 16x16 (batch 64)        122         173   185
    64, 28x28 (batch 8)         46          63    54
    3 -> 64, 8x8 (batch 64)     5           17    8
    ==========================  ==========  ====  =====

    So it serves up to 14x14 output pixels, each weighted by the work that padding the channels to multiples of 16 adds.
    """
    out_channels, channels = weight.shape[:2]
    out_h, out_w = _output_size(*x.shape[2:], *weight.shape[2:], *stride, *padding, *dilation)
    padding_factor = _padded(channels) * _padded(out_channels) / max(1, channels * out_channels)
    return 0 < out_h * out_w * padding_factor <= 200


def gated_conv2d_cpu(
    x: Tensor,
    weight: Tensor,
    gate_in: Tensor,
    gate_out: Tensor,
    bias: Tensor | None,
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    groups: int,
) -> Tensor:
    """See :func:`gated_conv2d`; differentiable once.

    The caller has asked :func:`unsupported_reason`. What the kernel's arithmetic cannot hold (logits beyond +-40, NaN,
    empty tensors) goes to the eager backend.
    """
    out_size = _output_size(*x.shape[2:], *weight.shape[2:], *stride, *padding, *dilation)
    if x.numel() == 0 or weight.numel() == 0 or min(out_size) < 1 or not (_in_range(gate_in) and _in_range(gate_out)):
        return gated_conv2d_eager(x, weight, gate_in, gate_out, bias, stride, padding, dilation, groups)
    return _GatedConv2dCPU.apply(x, weight, gate_in, gate_out, bias, stride, padding, dilation)


def _in_range(gate: Tensor) -> bool:
    return gate.dtype == torch.float32 and bool(gate.detach().abs().amax() <= _MAX_LOGIT)  # False for NaN


def _padded(channels: int) -> int:
    return -(-channels // _LANES) * _LANES


class _GatedConv2dCPU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, gate_in, gate_out, bias, stride, padding, dilation):
        ctx.save_for_backward(x, weight, gate_in, gate_out)
        ctx.conv_args, ctx.has_bias = (stride, padding, dilation), bias is not None
        call = _Call(x, weight, gate_in, gate_out, stride, padding, dilation)
        y = call.forward()
        return y if bias is None else y.add_(bias.view(-1, 1, 1))

    @staticmethod
    def backward(ctx, grad):
        refuse_second_order()
        need_x, need_weight, need_in, need_out, need_bias = ctx.needs_input_grad[:5]
        grads = (None,) * 4
        if need_x or need_weight or need_in or need_out:
            grads = _Call(*ctx.saved_tensors, *ctx.conv_args).backward(grad, *ctx.needs_input_grad[:4])
        return *grads, grad.sum((0, 2, 3)) if ctx.has_bias and need_bias else None, None, None, None


class _Call:
    """One call's sizes and its inputs in the kernel's layout (see ``cpu_kernels.c``)."""

    def __init__(self, x, weight, gate_in, gate_out, stride, padding, dilation):
        self.batch, self.channels, *self.size = x.shape
        self.out_channels, _, *self.kernel_size = weight.shape
        self.out_size = _output_size(*self.size, *self.kernel_size, *stride, *padding, *dilation)
        self.geometry = _geometry(*self.size, *self.kernel_size, *stride, *padding, *dilation)
        self.taps, self.pixels, self.rows = (a * b for a, b in (self.kernel_size, self.out_size, self.size))
        self.padded = _padded(self.channels), _padded(self.out_channels)
        self.threads = torch.get_num_threads()
        self.x = _pack(x, self.threads)
        self.a = _pack(gate_in.neg().exp_(), self.threads)
        self.b = _pack(gate_out.neg().exp_(), self.threads)
        self.w = _pack(weight, self.threads, taps_first=True)

    def sizes(self) -> tuple[int, ...]:
        return self.batch, *self.padded, self.taps, self.pixels, self.rows

    def forward(self) -> Tensor:
        y = torch.empty(self.batch, self.pixels, self.padded[1])
        _run("cgc_forward", self.x, self.w, self.a, self.b, y, *self.geometry, *self.sizes(), self.threads)
        return _unpack(y, self.out_channels, self.out_size, self.threads)

    def backward(self, grad: Tensor, need_x: bool, need_weight: bool, need_in: bool, need_out: bool):
        channels, out_channels = self.padded
        # Threads own ranges of channels of at least 64, then of output channels: each range of the latter needs its own
        # copy of the gradients of x and gate_in, each range of the former one of gate_out.
        c_parts = max(1, min(self.threads, channels // 64))
        o_parts = max(1, min(self.threads // c_parts, out_channels // _LANES))
        dx = torch.zeros(o_parts, self.batch, self.rows, channels) if need_x else None
        dw = torch.zeros(self.taps, out_channels, channels)
        dgi = torch.zeros(o_parts, self.batch, self.taps, channels)
        dgo = torch.zeros(c_parts, self.batch, self.taps, out_channels)
        grads = (_pack(grad, self.threads), dx, dw, dgi, dgo)
        parts = (c_parts, o_parts, self.threads)
        _run("cgc_backward", self.x, self.w, self.a, self.b, *grads, *self.geometry, *self.sizes(), *parts)
        return (
            _unpack(_sum(dx), self.channels, self.size, self.threads) if need_x else None,
            _unpack(dw, self.channels, self.kernel_size, self.threads, self.out_channels) if need_weight else None,
            _unpack(_sum(dgi), self.channels, self.kernel_size, self.threads) if need_in else None,
            _unpack(_sum(dgo), self.out_channels, self.kernel_size, self.threads) if need_out else None,
        )


def _sum(copies: Tensor) -> Tensor:
    return copies[0] if len(copies) == 1 else copies.sum(0)


def _pack(x: Tensor, threads: int, taps_first: bool = False) -> Tensor:
    """``(N, C, *S)`` to ``(N, prod(S), C)``, ``taps_first``: to ``(prod(S), N, C)``. ``C`` (and that ``N``) padded."""
    batch, channels, height, width = x.shape
    rows, padded = height * width, _padded(channels)
    if taps_first:
        packed = (torch.empty if batch == _padded(batch) else torch.zeros)(rows, _padded(batch), padded)
        strides = packed.stride(1), packed.stride(0)
    else:
        channels_last = x.permute(0, 2, 3, 1)
        if padded == channels and channels_last.is_contiguous() and x.data_ptr() % 64 == 0:
            return channels_last
        packed = torch.empty(batch, rows, padded)
        strides = packed.stride()[:2]
    _run("cgc_pack", x.contiguous(), packed, batch, channels, rows, padded, *strides, threads)
    return packed


def _unpack(packed: Tensor, channels: int, size: tuple[int, int], threads: int, taps_first_items: int = 0) -> Tensor:
    """The inverse of :func:`_pack`; ``taps_first_items``: the unpadded ``N`` of a tensor packed with the taps first."""
    strides = packed.stride()[1::-1] if taps_first_items else packed.stride()[:2]
    batch = taps_first_items or len(packed)
    x = torch.empty(batch, channels, *size)
    _run("cgc_unpack", packed, x, batch, channels, size[0] * size[1], *strides, threads)
    return x


def _output_size(height, width, kh, kw, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w) -> tuple[int, int]:
    return (
        (height + 2 * pad_h - dilation_h * (kh - 1) - 1) // stride_h + 1,
        (width + 2 * pad_w - dilation_w * (kw - 1) - 1) // stride_w + 1,
    )


@functools.lru_cache(maxsize=64)
def _geometry(height, width, kh, kw, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w) -> tuple[Tensor, ...]:
    """Per tap: how many pairs of an input and an output pixel it connects, the input pixels, the output pixels."""
    out_h, out_w = _output_size(height, width, kh, kw, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w)
    row = torch.arange(kh)[:, None] * dilation_h + torch.arange(out_h) * stride_h - pad_h  # (kh, out_h)
    column = torch.arange(kw)[:, None] * dilation_w + torch.arange(out_w) * stride_w - pad_w  # (kw, out_w)
    row, column = row[:, None, :, None], column[None, :, None, :]
    valid = ((row >= 0) & (row < height) & (column >= 0) & (column < width)).flatten(2).flatten(0, 1)  # (taps, pixels)
    out = (~valid).to(torch.uint8).argsort(dim=1, stable=True)  # valid pairs first
    at = (row * width + column).flatten(2).flatten(0, 1).gather(1, out)
    return valid.sum(1).int(), at.int().contiguous(), out.int().contiguous()


def _run(name: str, *arguments: Tensor | int | None) -> None:
    """Call a C function: tensors become pointers, ``None`` null, numbers longs, but the last (threads) an int."""
    *arguments, threads = arguments
    converted = []
    for argument in arguments:
        if isinstance(argument, int):
            converted.append(ctypes.c_long(argument))
        else:
            assert argument is None or argument.is_contiguous()
            converted.append(ctypes.c_void_p(None if argument is None else argument.data_ptr()))
    getattr(_load()[0], name)(*converted, ctypes.c_int(threads))


@functools.lru_cache(maxsize=1)
def _load() -> tuple[ctypes.CDLL | None, str | None]:
    """The compiled library, or why there is none."""
    try:
        return ctypes.CDLL(str(_build())), None
    except Exception as error:  # whatever a machine's compiler, folders and settings do, the eager backend serves
        reason = f"its C kernel is not available ({error})"
        logger.warning("The fused CPU backend of gated_conv2d is off, and the eager one serves: %s.", reason)
        return None, reason


def _build() -> Path:
    """Compile the kernel unless the cache holds it; the file's name is the hash of all that decides its content."""
    compiler = _compiler()
    version = subprocess.run([*compiler, "--version"], capture_output=True, text=True, check=True, timeout=60).stdout
    key = (_SOURCE.read_text(), *_FLAGS, *compiler, version, _cpu_model())
    folder = _cache_folder()
    library = folder / f"gated_conv_{hashlib.sha256(chr(0).join(key).encode()).hexdigest()[:16]}.so"
    if library.exists():
        return library
    # Processes may build at once: each writes its own file, and the renaming is atomic.
    handle, name = tempfile.mkstemp(suffix=".so.tmp", dir=folder)
    os.close(handle)
    try:
        command = [*compiler, *_FLAGS, "-o", name, str(_SOURCE)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode:
            raise RuntimeError(f"{compiler[0]} failed: {(done.stderr.strip().splitlines() or ['no message'])[0]}")
        os.replace(name, library)
    finally:
        Path(name).unlink(missing_ok=True)
    return library


def _compiler() -> list[str]:
    if os.environ.get("CC"):
        return shlex.split(os.environ["CC"])
    for name in ("cc", "gcc", "clang"):
        if path := shutil.which(name):
            return [path]
    raise RuntimeError("no C compiler (cc, gcc or clang) on the PATH; set CC")


def _cpu_model() -> str:
    """What ``-march=native`` depends on: a home folder may be shared by machines of several kinds."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    keys = ("model name", "flags", "Features", "CPU part")
    return platform.machine() + "".join(sorted({line for line in lines if line.startswith(keys)}))


def _cache_folder() -> Path:
    """A folder of this user's that can be written to."""
    try:
        folder = Path(os.environ.get("CGC_VIDEO_CACHE") or "~/.cache/cgc_video").expanduser()
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK | os.X_OK):
            return folder
    except (OSError, RuntimeError):  # RuntimeError: no home folder
        pass
    folder = Path(tempfile.gettempdir()) / f"cgc_video-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.stat()
    if status.st_uid != os.getuid() or status.st_mode & 0o022:  # others could have put a library there
        return Path(tempfile.mkdtemp(prefix="cgc_video-"))
    return folder
