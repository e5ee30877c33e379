/* The gate alone, for convolutions that a library computes. Called by cpu_gating.py.
 *
 * Layouts, all float32, those of PyTorch, C = C_in / groups:
 *   w, dw (O, C, K), K = kh * kw      kernels, dk (N, O, C, K)
 *   a = exp(-gate_in), dgi (N, groups * C, K)      b = exp(-gate_out), dgo (N, O, K)
 * A row is the C * K elements of one output channel. There a[c, k] runs along, while b[k] repeats every K elements, so every
 * K vectors: the pattern of b is laid out once per row, and three vectors longer, to be read four at a time.
 */
#include <stdlib.h>
#include <string.h>

#include "gate.h"

#define AHEAD 4 /* vectors that are gated at a time */

static void lay_out(const float *b, long taps, float *pattern) {
    for (long i = 0, k = 0; i < (taps + AHEAD - 1) * VL; i++, k = k + 1 == taps ? 0 : k + 1) pattern[i] = b[k];
}

/* A row of w serves all samples before the next one is read. */
void cgc_gate(const float *w, const float *a, const float *b, float *kernels, long batch, long out_channels,
              long channels, long taps, long groups, int threads) {
    const long row = channels * taps, per_group = out_channels / groups;
#pragma omp parallel num_threads(threads)
    {
        float *pattern = malloc((taps + AHEAD - 1) * VL * sizeof(float));
#pragma omp for schedule(static) collapse(2)
        for (long o = 0; o < out_channels; o++)
            for (long n = 0; n < batch; n++) {
                const float *w_row = w + o * row, *a_row = a + (n * groups + o / per_group) * row;
                const float *b_row = b + (n * out_channels + o) * taps;
                float *out = kernels + (n * out_channels + o) * row;
                lay_out(b_row, taps, pattern);
                long i = 0, phase = 0;
                for (; i + AHEAD * VL <= row; i += AHEAD * VL) {
                    UNROLL for (int v = 0; v < AHEAD; v++) {
                        const vec d = 1.0f + load(a_row + i + v * VL) * load(pattern + (phase + v) * VL);
                        store(out + i + v * VL, divide(load(w_row + i + v * VL), d, v));
                    }
                    for (phase += AHEAD; phase >= taps;) phase -= taps;
                }
                for (; i < row; i++) out[i] = w_row[i] / (1.0f + a_row[i] * b_row[i % taps]);
            }
        free(pattern);
    }
}

/* From the gradients of the kernels: dw += sum_n G dk, and dk W G (1 - G), whose sum over the output channels of a group is
 * dgi and whose sum over the channels is dgo. Each of `parts` tasks has its own rows of dw and dgo and its own copy of dgi
 * (parts, N, groups * C, K), for the caller to sum; dw and dgi start as zeros or hold what is to be added to. */
void cgc_gate_backward(const float *w, const float *a, const float *b, const float *dk, float *dw, float *dgi,
                       float *dgo, long batch, long out_channels, long channels, long taps, long groups, long parts,
                       int threads) {
    const long row = channels * taps, per_group = out_channels / groups, padded = (taps + AHEAD - 1) * VL;
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (long part = 0; part < parts; part++) {
        float *pattern = malloc(2 * padded * sizeof(float)), *sums = pattern + padded;
        for (long o = part * out_channels / parts; o < (part + 1) * out_channels / parts; o++)
            for (long n = 0; n < batch; n++) {
                const long at_a = (n * groups + o / per_group) * row, at_k = (n * out_channels + o) * row;
                const float *w_row = w + o * row, *a_row = a + at_a, *dk_row = dk + at_k;
                const float *b_row = b + (n * out_channels + o) * taps;
                float *dw_row = dw + o * row, *dgi_row = dgi + part * batch * groups * row + at_a;
                float *dgo_row = dgo + (n * out_channels + o) * taps;
                lay_out(b_row, taps, pattern);
                memset(sums, 0, padded * sizeof(float));
                memset(dgo_row, 0, taps * sizeof(float));
                long i = 0, phase = 0;
                for (; i + AHEAD * VL <= row; i += AHEAD * VL) {
                    UNROLL for (int v = 0; v < AHEAD; v++) {
                        const long at = i + v * VL, repeats = (phase + v) * VL;
                        vec dgi_v = load(dgi_row + at), dgo_v = load(sums + repeats);
                        gate_backward(w_row + at, load(a_row + at), load(pattern + repeats), load(dk_row + at),
                                      dw_row + at, &dgi_v, &dgo_v, v);
                        store(dgi_row + at, dgi_v);
                        store(sums + repeats, dgo_v);
                    }
                    for (phase += AHEAD; phase >= taps;) phase -= taps;
                }
                for (long j = 0, k = 0; j < padded; j++, k = k + 1 == taps ? 0 : k + 1) dgo_row[k] += sums[j];
                for (; i < row; i++) {
                    const float g = 1.0f / (1.0f + a_row[i] * b_row[i % taps]), product = g * dk_row[i];
                    const float logit = product * (w_row[i] - w_row[i] * g);
                    dw_row[i] += product;
                    dgi_row[i] += logit;
                    dgo_row[i % taps] += logit;
                }
            }
        free(pattern);
    }
}
