/* The gated convolution with the gate computed in registers, for small output maps. Called by cpu_direct.py.
 *
 * Layouts, all float32, channels last; C and O are padded with zeros to multiples of 16, so there is no tail, and every
 * row starts at a multiple of 64 bytes:
 *   x, dx (N, R, C), R = H * W      w, dw (K, O, C), K = kh * kw      a = exp(-gate_in), dgi (N, K, C)
 *   b = exp(-gate_out), dgo (N, K, O)      y, g (N, P, O), P = Hout * Wout
 * Geometry: tap k connects count[k] pairs, input pixel row[k * P + j] and output pixel out[k * P + j]; pairs that fall
 * into the zero padding are absent.
 */
#include <string.h>

#include "gate.h"

#define OT 4           /* output channels of a tile */
#define OG 32          /* output channels that share one buffer of kernels in the backward pass */
#if VL == 16
#define JMAX 4 /* output pixels of a forward tile: 4 x JMAX accumulators */
#else
#define JMAX 3
#endif
#define JFUSED 4       /* up to here the backward pass needs no buffer */
#define CB_FORWARD 512 /* channels of a buffer, so that it stays in the L1 cache */
#define CB_BACKWARD 128
#define L2_BYTES (128 * 1024)

#define ALIGNED __attribute__((aligned(64)))

typedef struct {
    const int *count, *row, *out;
    long batch, channels, out_channels, taps, pixels, rows;
} Geometry;

INLINE long min_long(long p, long q) { return p < q ? p : q; }

/* sum[i] += the sum of the lanes of v[i], i < 4 */
INLINE void add_sums(const vec *v, float *sum) {
#if defined(__AVX__)
    __m256 h[OT];
    UNROLL for (int i = 0; i < OT; i++) {
#if defined(__AVX512F__)
        __m512 whole = (__m512)v[i];
        h[i] = _mm256_add_ps(_mm512_castps512_ps256(whole),
                             _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(whole), 1)));
#else
        h[i] = (__m256)v[i];
#endif
    }
    __m256 even = _mm256_add_ps(_mm256_unpacklo_ps(h[0], h[2]), _mm256_unpackhi_ps(h[0], h[2]));
    __m256 odd = _mm256_add_ps(_mm256_unpacklo_ps(h[1], h[3]), _mm256_unpackhi_ps(h[1], h[3]));
    __m256 all = _mm256_add_ps(_mm256_unpacklo_ps(even, odd), _mm256_unpackhi_ps(even, odd));
    __m128 total = _mm_add_ps(_mm256_castps256_ps128(all), _mm256_extractf128_ps(all, 1));
    _mm_storeu_ps(sum, _mm_add_ps(_mm_loadu_ps(sum), total));
#else
    for (int i = 0; i < OT; i++)
        for (int lane = 0; lane < VL; lane++) sum[i] += v[i][lane];
#endif
}

/* src (items, C, R) -> dst[item * item_stride + r * row_stride + c], zeros in C <= c < padded */
void cgc_pack(const float *src, float *dst, long items, long channels, long rows, long padded, long item_stride,
              long row_stride, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (long item = 0; item < items; item++)
        for (long r = 0; r < rows; r++) {
            const float *from = src + item * channels * rows + r;
            float *to = dst + item * item_stride + r * row_stride;
            for (long c = 0; c < channels; c++) to[c] = from[c * rows];
            for (long c = channels; c < padded; c++) to[c] = 0.0f;
        }
}

/* The inverse of cgc_pack. */
void cgc_unpack(const float *src, float *dst, long items, long channels, long rows, long item_stride, long row_stride,
                int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (long item = 0; item < items; item++)
        for (long r = 0; r < rows; r++) {
            const float *from = src + item * item_stride + r * row_stride;
            float *to = dst + item * channels * rows + r;
            for (long c = 0; c < channels; c++) to[c * rows] = from[c];
        }
}

enum { FUSED, GATE_AND_KEEP, USE_KEPT };

/* y[j][0..4] += sum_c kernel[o][c] * x[j][c] for 4 output channels and jt pixels. */
INLINE void forward_tile(const int jt, const int mode, const float *w, long w_stride, const float *a, const float *b,
                         const float *const *x, long channels, float *kept, float *const *y) {
    const float *x_row[JMAX];
    vec acc[JMAX][OT], scale[OT];
    UNROLL for (int j = 0; j < jt; j++) x_row[j] = x[j];
    UNROLL for (int o = 0; o < OT; o++) {
        scale[o] = splat(b[o]);
        UNROLL for (int j = 0; j < jt; j++) acc[j][o] = (vec){0};
    }
    for (long c = 0; c < channels; c += VL) {
        vec av = mode == USE_KEPT ? (vec){0} : load(a + c), kernel[OT];
        UNROLL for (int o = 0; o < OT; o++) {
            if (mode == USE_KEPT)
                kernel[o] = load(kept + o * CB_FORWARD + c);
            else
                kernel[o] = divide(load(w + o * w_stride + c), 1.0f + av * scale[o], o);
            if (mode == GATE_AND_KEEP) store(kept + o * CB_FORWARD + c, kernel[o]);
            UNROLL for (int j = 0; j < jt; j++) acc[j][o] += kernel[o] * load(x_row[j] + c);
        }
    }
    UNROLL for (int j = 0; j < jt; j++) add_sums(acc[j], y[j]);
}

#define FORWARD_CASE(jt, mode) \
    case jt: forward_tile(jt, mode, w, w_stride, a, b, x, channels, kept, y); break;
#define FORWARD_TILES(name, mode)                                                                                   \
    static void name(int jt, const float *w, long w_stride, const float *a, const float *b, const float *const *x, \
                     long channels, float *kept, float *const *y) {                                                \
        switch (jt) { FORWARD_CASE(1, mode) FORWARD_CASE(2, mode) FORWARD_CASE(3, mode) FORWARD_LAST(mode) }        \
    }
#if JMAX == 4
#define FORWARD_LAST(mode) FORWARD_CASE(4, mode)
#else
#define FORWARD_LAST(mode)
#endif
FORWARD_TILES(forward_fused, FUSED)
FORWARD_TILES(forward_gate, GATE_AND_KEEP)
FORWARD_TILES(forward_kept, USE_KEPT)

/* One sample, one tap, the output channels o0 <= o < o1. */
static void forward_tap(const Geometry *s, long n, long k, long o0, long o1, const float *x, const float *w,
                        const float *a, const float *b, float *y) {
    float kept[OT * CB_FORWARD] ALIGNED;
    const int count = s->count[k], *row = s->row + k * s->pixels, *out = s->out + k * s->pixels;
    const int passes = (count + JMAX - 1) / JMAX, step = passes ? (count + passes - 1) / passes : 1;
    for (long o = o0; o < o1; o += OT)
        for (long c0 = 0; c0 < s->channels; c0 += CB_FORWARD) {
            const long channels = min_long(CB_FORWARD, s->channels - c0);
            const float *w_tile = w + (k * s->out_channels + o) * s->channels + c0;
            const float *a_row = a + (n * s->taps + k) * s->channels + c0;
            const float *b_row = b + (n * s->taps + k) * s->out_channels + o;
            for (int j0 = 0; j0 < count; j0 += step) {
                const int jt = (int)min_long(step, count - j0);
                const float *x_rows[JMAX];
                float *y_rows[JMAX];
                for (int j = 0; j < jt; j++) {
                    x_rows[j] = x + (n * s->rows + row[j0 + j]) * s->channels + c0;
                    y_rows[j] = y + (n * s->pixels + out[j0 + j]) * s->out_channels + o;
                }
                (passes == 1 ? forward_fused : j0 == 0 ? forward_gate : forward_kept)(
                    jt, w_tile, s->channels, a_row, b_row, x_rows, channels, kept, y_rows);
            }
        }
}

/* Tasks are blocks of output channels, whose weights of one tap stay in the L2 cache for all samples, by parts of the
 * batch. */
void cgc_forward(const float *x, const float *w, const float *a, const float *b, float *y, const int *count,
                 const int *row, const int *out, long batch, long channels, long out_channels, long taps, long pixels,
                 long rows, int threads) {
    const Geometry s = {count, row, out, batch, channels, out_channels, taps, pixels, rows};
    long block = L2_BYTES / (long)(channels * sizeof(float)) / OG * OG;
    block = block < OG ? OG : min_long(block, out_channels);
    const long blocks = (out_channels + block - 1) / block;
    const long parts = min_long(batch, threads == 1 ? 1 : (4 * threads + blocks - 1) / blocks);
#pragma omp parallel for num_threads(threads) schedule(dynamic) collapse(2)
    for (long i = 0; i < blocks; i++)
        for (long part = 0; part < parts; part++) {
            const long o0 = i * block, o1 = min_long(o0 + block, out_channels);
            const long n0 = part * batch / parts, n1 = (part + 1) * batch / parts;
            for (long pixel = n0 * pixels; pixel < n1 * pixels; pixel++)
                memset(y + pixel * out_channels + o0, 0, (o1 - o0) * sizeof(float));
            for (long k = 0; k < taps; k++)
                for (long n = n0; n < n1; n++) forward_tap(&s, n, k, o0, o1, x, w, a, b, y);
        }
}

/* 4 output channels, jt pixels, all in registers. */
INLINE void backward_tile(const int jt, const int need_x, const float *w, float *dw, long w_stride, const float *a,
                          float *dgi, const float *b, float *dgo, const float *const *g, const float *const *x,
                          float *const *dx, long channels) {
    const float *x_row[JFUSED];
    float *dx_row[JFUSED];
    vec scale[OT], grad[OT][JFUSED], dgo_v[OT];
    UNROLL for (int j = 0; j < jt; j++) x_row[j] = x[j], dx_row[j] = dx[j];
    UNROLL for (int o = 0; o < OT; o++) {
        scale[o] = splat(b[o]);
        dgo_v[o] = (vec){0};
        UNROLL for (int j = 0; j < jt; j++) grad[o][j] = splat(g[j][o]);
    }
    for (long c = 0; c < channels; c += VL) {
        vec av = load(a + c), dgi_v = load(dgi + c), xv[JFUSED], dxv[JFUSED];
        UNROLL for (int j = 0; j < jt; j++) {
            xv[j] = load(x_row[j] + c);
            dxv[j] = need_x ? load(dx_row[j] + c) : (vec){0};
        }
        UNROLL for (int o = 0; o < OT; o++) {
            vec dk = grad[o][0] * xv[0];
            UNROLL for (int j = 1; j < jt; j++) dk += grad[o][j] * xv[j];
            const long at = o * w_stride + c;
            vec kernel = gate_backward(w + at, av, scale[o], dk, dw + at, &dgi_v, &dgo_v[o], o);
            if (need_x) UNROLL for (int j = 0; j < jt; j++) dxv[j] += grad[o][j] * kernel;
        }
        store(dgi + c, dgi_v);
        if (need_x) UNROLL for (int j = 0; j < jt; j++) store(dx_row[j] + c, dxv[j]);
    }
    add_sums(dgo_v, dgo);
}

#define BACKWARD_CASE(jt)                                                                                       \
    case jt:                                                                                                    \
        if (need_x) backward_tile(jt, 1, w, dw, w_stride, a, dgi, b, dgo, g, x, dx, channels);                  \
        else backward_tile(jt, 0, w, dw, w_stride, a, dgi, b, dgo, g, x, dx, channels);                         \
        break;
static void backward_fused(int jt, int need_x, const float *w, float *dw, long w_stride, const float *a, float *dgi,
                           const float *b, float *dgo, const float *const *g, const float *const *x, float *const *dx,
                           long channels) {
    switch (jt) { BACKWARD_CASE(1) BACKWARD_CASE(2) BACKWARD_CASE(3) BACKWARD_CASE(4) }
}

/* dk[o][c] = sum_j g[j][o] * x[j][c] for 4 output channels and cv vectors of channels. */
INLINE void kernel_grad_tile(const int cv, int count, const float *g, long out_channels, const int *out, const float *x,
                             long channels, const int *row, float *dk) {
    vec acc[OT][2];
    UNROLL for (int o = 0; o < OT; o++) UNROLL for (int v = 0; v < cv; v++) acc[o][v] = (vec){0};
    for (int j = 0; j < count; j++) {
        const float *xj = x + row[j] * channels, *gj = g + out[j] * out_channels;
        UNROLL for (int o = 0; o < OT; o++)
            UNROLL for (int v = 0; v < cv; v++) acc[o][v] += splat(gj[o]) * load(xj + v * VL);
    }
    UNROLL for (int o = 0; o < OT; o++)
        UNROLL for (int v = 0; v < cv; v++) store(dk + o * CB_BACKWARD + v * VL, acc[o][v]);
}

/* dx[j][c] += sum_o g[j][o] * kernel[o][c] for jt <= 4 pixels and cv vectors of channels. */
INLINE void input_grad_tile(const int jt, const int cv, int group, const float *g, long out_channels, const int *out,
                            const float *kernel, float *dx, long channels, const int *row) {
    vec acc[4][2];
    UNROLL for (int j = 0; j < jt; j++)
        UNROLL for (int v = 0; v < cv; v++) acc[j][v] = load(dx + row[j] * channels + v * VL);
    for (int o = 0; o < group; o++)
        UNROLL for (int j = 0; j < jt; j++)
            UNROLL for (int v = 0; v < cv; v++)
                acc[j][v] += splat(g[out[j] * out_channels + o]) * load(kernel + o * CB_BACKWARD + v * VL);
    UNROLL for (int j = 0; j < jt; j++)
        UNROLL for (int v = 0; v < cv; v++) store(dx + row[j] * channels + v * VL, acc[j][v]);
}

#define INPUT_GRAD_CASE(jt)                                                                                            \
    case jt:                                                                                                           \
        for (; c + 2 * VL <= channels; c += 2 * VL)                                                                    \
            input_grad_tile(jt, 2, group, g, s->out_channels, out + j, kernel + c, dx + c, s->channels, row + j);      \
        for (; c < channels; c += VL)                                                                                  \
            input_grad_tile(jt, 1, group, g, s->out_channels, out + j, kernel + c, dx + c, s->channels, row + j);      \
        break;

/* OG output channels by CB_BACKWARD channels: kernel gradients, gates and input gradients one after the other in a
 * buffer. */
static void backward_buffered(const Geometry *s, long k, int group, long channels, int need_x, const float *w,
                              float *dw, const float *a, float *dgi, const float *b, vec *dgo, const float *g,
                              const float *x, float *dx) {
    float kernel[OG * CB_BACKWARD] ALIGNED;
    const int count = s->count[k], *row = s->row + k * s->pixels, *out = s->out + k * s->pixels;
    for (int o = 0; o < group; o += OT) {
        float *buffer = kernel + o * CB_BACKWARD;
        long c = 0;
        for (; c + 2 * VL <= channels; c += 2 * VL)
            kernel_grad_tile(2, count, g + o, s->out_channels, out, x + c, s->channels, row, buffer + c);
        for (; c < channels; c += VL)
            kernel_grad_tile(1, count, g + o, s->out_channels, out, x + c, s->channels, row, buffer + c);
        const float *w_tile = w + o * s->channels;
        float *dw_tile = dw + o * s->channels;
        vec scale[OT], dgo_v[OT];
        UNROLL for (int i = 0; i < OT; i++) scale[i] = splat(b[o + i]), dgo_v[i] = dgo[o + i];
        for (c = 0; c < channels; c += VL) {
            vec av = load(a + c), dgi_v = load(dgi + c);
            UNROLL for (int i = 0; i < OT; i++) {
                float *dk = buffer + i * CB_BACKWARD + c;
                const long at = i * s->channels + c;
                store(dk, gate_backward(w_tile + at, av, scale[i], load(dk), dw_tile + at, &dgi_v, &dgo_v[i], i));
            }
            store(dgi + c, dgi_v);
        }
        UNROLL for (int i = 0; i < OT; i++) dgo[o + i] = dgo_v[i];
    }
    for (int j = 0; need_x && j < count; j += 4) {
        long c = 0;
        switch (count - j) {
            INPUT_GRAD_CASE(1) INPUT_GRAD_CASE(2) INPUT_GRAD_CASE(3)
            default: INPUT_GRAD_CASE(4)
        }
    }
}

/* One sample, one tap, output channels o0 <= o < o1, channels c0 <= c < c1. */
static void backward_tap(const Geometry *s, long n, long k, long o0, long o1, long c0, long c1, const float *x,
                         const float *w, const float *a, const float *b, const float *g, float *dx, float *dw,
                         float *dgi, float *dgo) {
    const int count = s->count[k], *row = s->row + k * s->pixels, *out = s->out + k * s->pixels;
    const long C = s->channels, O = s->out_channels;
    const float *x_n = x + n * s->rows * C, *g_n = g + n * s->pixels * O;
    float *dx_n = dx ? dx + n * s->rows * C : 0;
    a += (n * s->taps + k) * C, dgi += (n * s->taps + k) * C;
    b += (n * s->taps + k) * O, dgo += (n * s->taps + k) * O;
    w += k * O * C, dw += k * O * C;
    if (count > JFUSED) {
        for (long o = o0; o < o1; o += OG) {
            const int group = (int)min_long(OG, o1 - o);
            vec sums[OG];
            memset(sums, 0, sizeof sums);
            for (long c = c0; c < c1; c += CB_BACKWARD)
                backward_buffered(s, k, group, min_long(CB_BACKWARD, c1 - c), dx != 0, w + o * C + c, dw + o * C + c,
                                  a + c, dgi + c, b + o, sums, g_n + o, x_n + c, dx_n ? dx_n + c : 0);
            for (int i = 0; i < group; i += OT) add_sums(sums + i, dgo + o + i);
        }
        return;
    }
    for (long o = o0; o < o1 && count; o += OT) {
        const float *g_rows[JFUSED], *x_rows[JFUSED];
        float *dx_rows[JFUSED];
        for (int j = 0; j < count; j++) {
            g_rows[j] = g_n + out[j] * O + o;
            x_rows[j] = x_n + row[j] * C + c0;
            dx_rows[j] = dx_n ? dx_n + row[j] * C + c0 : 0;
        }
        backward_fused(count, dx != 0, w + o * C + c0, dw + o * C + c0, C, a + c0, dgi + c0, b + o, dgo + o, g_rows,
                       x_rows, dx_rows, c1 - c0);
    }
}

/* c_parts x o_parts tasks, each with its own part of dw, so no two write to the same address: dx (o_parts, N, R, C) and
 * dgi (o_parts, N, K, C) are copies for the caller to sum, as is dgo (c_parts, N, K, O). All gradients start as zeros.
 * dx may be NULL. */
void cgc_backward(const float *x, const float *w, const float *a, const float *b, const float *g, float *dx, float *dw,
                  float *dgi, float *dgo, const int *count, const int *row, const int *out, long batch, long channels,
                  long out_channels, long taps, long pixels, long rows, long c_parts, long o_parts, int threads) {
    const Geometry s = {count, row, out, batch, channels, out_channels, taps, pixels, rows};
#pragma omp parallel for num_threads(threads) schedule(static, 1) collapse(2)
    for (long c_part = 0; c_part < c_parts; c_part++)
        for (long o_part = 0; o_part < o_parts; o_part++) {
            const long c0 = c_part * (channels / 16) / c_parts * 16, c1 = (c_part + 1) * (channels / 16) / c_parts * 16;
            const long first = o_part * (out_channels / 16) / o_parts * 16;
            const long last = (o_part + 1) * (out_channels / 16) / o_parts * 16;
            long block = L2_BYTES / (long)((c1 - c0) * sizeof(float)) / OG * OG;
            block = block < OG ? OG : block;
            float *dx_part = dx ? dx + o_part * batch * rows * channels : 0;
            float *dgi_part = dgi + o_part * batch * taps * channels;
            float *dgo_part = dgo + c_part * batch * taps * out_channels;
            for (long o0 = first; o0 < last; o0 += block)
                for (long k = 0; k < taps; k++)
                    for (long n = 0; n < batch; n++)
                        backward_tap(&s, n, k, o0, min_long(o0 + block, last), c0, c1, x, w, a, b, g, dx_part, dw,
                                     dgi_part, dgo_part);
        }
}
