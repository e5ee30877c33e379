"""The Triton kernels of the gated convolution: matrix products, and gates that exist in registers only.

Both run over the pixels of one sample and over *columns*, the pairs of a kernel tap and a channel. A column block holds
``BLOCK_TAPS`` taps times ``BLOCK_C`` channels: one tap where channels are many, several where they are few (the three
of the stem, the one of a depthwise convolution), which then fill a tile together.

Along an image axis, output pixel ``i`` and kernel tap ``t`` read input pixel ``i * step + start + t * tap_step``. The
forward pass is one such convolution; the input gradient is one per residue of the stride (see ``triton.py``), so the
first kernel serves both.

Imported on first use: whether TRITON_INTERPRET=1 is set at that time decides if the kernels run in the interpreter.
"""

import triton
import triton.language as tl
from triton.runtime.jit import JITFunction

__all__ = ["CONSISTENT", "INTERPRETED", "_gated_conv_bwd_weight_kernel", "_gated_conv_fwd_kernel"]

@triton.jit
def _gated_conv_fwd_kernel(
    x_ptr, w_ptr, gate_c_ptr, gate_o_ptr, y_ptr,
    groups, out_channels, channels, taps,           # channels of one group
    height, width, out_pixels, out_width,
    step_h, step_w, start_h, start_w, tap_step_h, tap_step_w,
    x_n, x_c, x_h, x_w,                             # strides, in elements
    w_group, w_o, w_c, w_h, w_w,
    gate_c_n, gate_c_c, gate_c_h, gate_c_w,
    gate_o_n, gate_o_c, gate_o_h, gate_o_w,
    y_n, y_c, y_h, y_w,
    BLOCK_O: tl.constexpr, BLOCK_C: tl.constexpr, BLOCK_TAPS: tl.constexpr, BLOCK_P: tl.constexpr,
    TAPS_W: tl.constexpr, WIDEN: tl.constexpr,
):  # fmt: skip
    """``y[n, o, p]``: the sum of ``w[o, c, t] * sigmoid(gate_o[n, o, t] + gate_c[n, c, t]) * x[n, c, p(t)]``.

    The sum is over the channels ``c`` and the taps ``t``, of which each reads a pixel ``p(t)`` of its own. One program
    per sample, pixel block, group and block of output channels. The input gradient calls it with ``o`` and ``c``
    exchanged.
    """
    BLOCK_K: tl.constexpr = BLOCK_TAPS * BLOCK_C
    # Neighbouring programs share the x tile in the L2 cache: blocks of output channels run fastest, samples slowest.
    o_blocks = (out_channels + BLOCK_O - 1) // BLOCK_O
    p_blocks = (out_pixels + BLOCK_P - 1) // BLOCK_P
    c_blocks = (channels + BLOCK_C - 1) // BLOCK_C
    pid = tl.program_id(0)
    o = pid % o_blocks * BLOCK_O + tl.arange(0, BLOCK_O)                        # (O)
    pid = pid // o_blocks
    group = pid % groups
    pid = pid // groups
    p = pid % p_blocks * BLOCK_P + tl.arange(0, BLOCK_P)                        # (P)
    n = (pid // p_blocks).to(tl.int64)

    k = tl.arange(0, BLOCK_K)
    o_valid, p_valid = o < out_channels, p < out_pixels
    o_of_all = (group * out_channels + o).to(tl.int64)
    # The input pixel of tap (0, 0), which may lie in the padding. Pixels past the last need no mask until they are
    # stored: what each reads lies inside of the image, and meets no other.
    top, left = p // out_width * step_h + start_h, p % out_width * step_w + start_w
    x_ptr += n * x_n + top.to(tl.int64) * x_h + left.to(tl.int64) * x_w         # (P)
    w_ptr += group.to(tl.int64) * w_group + o.to(tl.int64) * w_o                # (O)
    gate_c_ptr += n * gate_c_n
    gate_o_ptr += n * gate_o_n + o_of_all * gate_o_c                            # (O)

    acc = tl.full((BLOCK_O, BLOCK_P), 0.0, tl.float32)
    for step in range((taps + BLOCK_TAPS - 1) // BLOCK_TAPS * c_blocks):
        first_tap = step // c_blocks * BLOCK_TAPS
        tap = first_tap + k // BLOCK_C                                          # (K)
        c = step % c_blocks * BLOCK_C + k % BLOCK_C
        tap_h, tap_w = tap // TAPS_W, tap % TAPS_W
        c_of_all = (group * channels + c).to(tl.int64)
        k_valid = (c < channels) & (tap < taps)
        tile_valid = o_valid[:, None] & k_valid[None, :]
        if BLOCK_TAPS == 1:  # one tap, one logit per output channel, one mask of pixels serve the whole tile
            first_h, first_w = first_tap // TAPS_W, first_tap % TAPS_W
            h, w = (top + first_h * tap_step_h)[None, :], (left + first_w * tap_step_w)[None, :]
            gate_o = tl.load(gate_o_ptr + (first_h * gate_o_h + first_w * gate_o_w), mask=o_valid, other=0.0)[:, None]
        else:
            h, w = top[None, :] + (tap_h * tap_step_h)[:, None], left[None, :] + (tap_w * tap_step_w)[:, None]
            at_tap = (tap_h * gate_o_h + tap_w * gate_o_w)[None, :]
            gate_o = tl.load(gate_o_ptr[:, None] + at_tap, mask=tile_valid, other=0.0)
        at_k = c_of_all * gate_c_c + tap_h * gate_c_h + tap_w * gate_c_w
        gate_c = tl.load(gate_c_ptr + at_k, mask=k_valid, other=0.0)
        at_k = c * w_c + tap_h * w_h + tap_w * w_w
        kernel = tl.load(w_ptr[:, None] + at_k[None, :], mask=tile_valid, other=0.0).to(tl.float32)  # (O, K)
        # As an unsigned number, a negative one is too large.
        inside = (h.to(tl.uint32) < height) & (w.to(tl.uint32) < width) & k_valid[:, None]
        at_k = c_of_all * x_c + (tap_h * tap_step_h).to(tl.int64) * x_h + (tap_w * tap_step_w).to(tl.int64) * x_w
        x = tl.load(x_ptr[None, :] + at_k[:, None], mask=inside, other=0.0)     # (K, P)
        # Of a very negative logit the exponential is infinite and the quotient exactly 0: no NaN, whatever the logits.
        kernel = kernel / (1.0 + tl.exp(-(gate_o.to(tl.float32) + gate_c.to(tl.float32)[None, :])))
        kernel = kernel.to(x.dtype)
        if WIDEN:  # the interpreter multiplies the bit patterns of bfloat16; in float32 the products are the same
            kernel, x = kernel.to(tl.float32), x.to(tl.float32)
        acc = tl.dot(kernel, x, acc, input_precision="ieee")

    at_p = (p // out_width).to(tl.int64) * y_h + (p % out_width).to(tl.int64) * y_w
    at = y_ptr + n * y_n + (o_of_all * y_c)[:, None] + at_p[None, :]
    tl.store(at, acc.to(y_ptr.dtype.element_ty), mask=o_valid[:, None] & p_valid[None, :])


@triton.jit
def _gated_conv_bwd_weight_kernel(
    grad_ptr, x_ptr, w_ptr, gate_in_ptr, gate_out_ptr, grad_w_ptr, grad_in_ptr, grad_out_ptr,
    batch, groups, out_channels, channels, taps,
    height, width, out_pixels, out_width,
    step_h, step_w, start_h, start_w, tap_step_h, tap_step_w,
    grad_n, grad_c, grad_h, grad_w,
    x_n, x_c, x_h, x_w,
    w_o, w_c, w_h, w_w,
    gate_in_n, gate_in_c, gate_in_h, gate_in_w,
    gate_out_n, gate_out_c, gate_out_h, gate_out_w,
    samples,                                        # of one split
    NEED_WEIGHT: tl.constexpr, NEED_IN: tl.constexpr, NEED_OUT: tl.constexpr,
    BLOCK_O: tl.constexpr, BLOCK_C: tl.constexpr, BLOCK_TAPS: tl.constexpr, BLOCK_P: tl.constexpr,
    TAPS_W: tl.constexpr, WIDEN: tl.constexpr,
):  # fmt: skip
    """Gradients of the weight and of both logits, from the gradients ``V`` of the modulated kernels, sample by sample.

    One program per column block, group with block of output channels, and split of the batch. ``V`` is a product over
    the pixels and stays in registers: ``G V`` is added up over the samples, ``V W G (1 - G)`` reduced over the tile's
    output channels and over its input channels. What several tiles add to one element goes to a slot for each, which
    the host sums, in one order each time:

    - ``grad_w`` ``(splits, taps, C_out, C_in / groups)``
    - ``grad_in`` ``(blocks of output channels, N, taps, C_in)``
    - ``grad_out`` ``(blocks of input channels, N, taps, C_out)``
    """
    BLOCK_K: tl.constexpr = BLOCK_TAPS * BLOCK_C
    o_blocks = (out_channels + BLOCK_O - 1) // BLOCK_O
    c_blocks = (channels + BLOCK_C - 1) // BLOCK_C
    c_block, tap_block = tl.program_id(0) % c_blocks, tl.program_id(0) // c_blocks
    o_block, group = tl.program_id(1) % o_blocks, tl.program_id(1) // o_blocks
    split = tl.program_id(2).to(tl.int64)

    o = o_block * BLOCK_O + tl.arange(0, BLOCK_O)                               # (O)
    k = tl.arange(0, BLOCK_K)
    tap = tap_block * BLOCK_TAPS + k // BLOCK_C                                 # (K)
    c = c_block * BLOCK_C + k % BLOCK_C
    tap_h, tap_w = tap // TAPS_W, tap % TAPS_W
    o_valid, k_valid = o < out_channels, (c < channels) & (tap < taps)
    tile_valid = o_valid[:, None] & k_valid[None, :]
    all_o, all_c = groups * out_channels, groups * channels
    o_of_all = (group * out_channels + o).to(tl.int64)
    c_of_all = (group * channels + c).to(tl.int64)
    top, left = start_h + tap_h * tap_step_h, start_w + tap_w * tap_step_w      # of output pixel (0, 0)
    x_ptr += c_of_all * x_c + top.to(tl.int64) * x_h + left.to(tl.int64) * x_w  # (K)
    grad_ptr += o_of_all * grad_c                                               # (O)

    at_w = (o_of_all * w_o)[:, None] + (c * w_c + tap_h * w_h + tap_w * w_w)[None, :]
    kernel = tl.load(w_ptr + at_w, mask=tile_valid, other=0.0).to(tl.float32)   # (O, K)
    grad_kernel = tl.full((BLOCK_O, BLOCK_K), 0.0, tl.float32)
    first = split * samples
    for n in range(first, tl.minimum(first + samples, batch)):
        grad_modulated = tl.full((BLOCK_O, BLOCK_K), 0.0, tl.float32)           # V
        for first_p in range(0, out_pixels, BLOCK_P):
            p = first_p + tl.arange(0, BLOCK_P)
            p_valid = p < out_pixels
            i, j = p // out_width, p % out_width
            at_p = n * grad_n + i.to(tl.int64) * grad_h + j.to(tl.int64) * grad_w
            grad = tl.load(
                grad_ptr[:, None] + at_p[None, :], mask=o_valid[:, None] & p_valid[None, :], other=0.0
            )                                                                   # (O, P)
            i, j = i * step_h, j * step_w
            h, w = i[:, None] + top[None, :], j[:, None] + left[None, :]        # (P, K)
            inside = (h.to(tl.uint32) < height) & (w.to(tl.uint32) < width) & p_valid[:, None] & k_valid[None, :]
            at_p = n * x_n + i.to(tl.int64) * x_h + j.to(tl.int64) * x_w
            x = tl.load(x_ptr[None, :] + at_p[:, None], mask=inside, other=0.0)
            if WIDEN:
                grad, x = grad.to(tl.float32), x.to(tl.float32)
            grad_modulated = tl.dot(grad, x, grad_modulated, input_precision="ieee")

        at_in = gate_in_ptr + n * gate_in_n + c_of_all * gate_in_c + tap_h * gate_in_h + tap_w * gate_in_w
        gate_in = tl.load(at_in, mask=k_valid, other=0.0).to(tl.float32)
        at_out = gate_out_ptr + n * gate_out_n + o_of_all * gate_out_c
        if BLOCK_TAPS == 1:  # one logit per output channel serves the whole tile
            at_out += tap_block // TAPS_W * gate_out_h + tap_block % TAPS_W * gate_out_w
            gate_out = tl.load(at_out, mask=o_valid, other=0.0)[:, None]
        else:
            at_out = at_out[:, None] + (tap_h * gate_out_h + tap_w * gate_out_w)[None, :]
            gate_out = tl.load(at_out, mask=tile_valid, other=0.0)
        gate = 1.0 / (1.0 + tl.exp(-(gate_out.to(tl.float32) + gate_in[None, :])))
        gated = gate * grad_modulated
        if NEED_WEIGHT:
            grad_kernel += gated
        if NEED_IN or NEED_OUT:
            grad_logits = gated * kernel * (1.0 - gate)
            if NEED_IN:
                slot = (o_block.to(tl.int64) * batch + n) * taps + tap
                tl.store(grad_in_ptr + slot * all_c + c_of_all, tl.sum(grad_logits, 0), mask=k_valid)
            if NEED_OUT:
                slot = (c_block.to(tl.int64) * batch + n) * taps + tap_block * BLOCK_TAPS
                if BLOCK_TAPS == 1:
                    tl.store(grad_out_ptr + slot * all_o + o_of_all, tl.sum(grad_logits, 1), mask=o_valid)
                else:
                    tap_of_block = tl.arange(0, BLOCK_TAPS)
                    per_tap = tl.sum(tl.reshape(grad_logits, (BLOCK_O, BLOCK_TAPS, BLOCK_C)), 2)
                    tap_valid = tap_block * BLOCK_TAPS + tap_of_block < taps
                    tl.store(
                        grad_out_ptr + ((slot + tap_of_block) * all_o)[None, :] + o_of_all[:, None],
                        per_tap, mask=o_valid[:, None] & tap_valid[None, :],
                    )
    if NEED_WEIGHT:
        at_tap = ((split * taps + tap) * all_o * channels)[None, :]
        tl.store(grad_w_ptr + at_tap + (o_of_all * channels)[:, None] + c[None, :], grad_kernel, mask=tile_valid)


INTERPRETED = not isinstance(_gated_conv_fwd_kernel, JITFunction)
# The language's own functions are decorated when Triton is imported, which something else may have done before.
CONSISTENT = isinstance(tl.sum, JITFunction) != INTERPRETED
