/* Vectors, the gate of one vector of kernel elements, and its gradients; see cpu.py for the derivation. */
#ifndef CGC_VIDEO_GATE_H
#define CGC_VIDEO_GATE_H

#if defined(__AVX512F__)
#include <immintrin.h>
#define VL 16
#elif defined(__AVX__)
#include <immintrin.h>
#define VL 8
#else
#define VL 4
#endif

#define DIVIDED 1 /* of four neighbours, how many are gated by a true division, see divide() */

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

typedef float vec __attribute__((vector_size(VL * sizeof(float)), aligned(sizeof(float)), may_alias));

INLINE vec load(const float *p) { return *(const vec *)p; }
INLINE void store(float *p, vec v) { *(vec *)p = v; }
INLINE vec splat(float s) { return s - (vec){0}; }

/* x / d. An estimate of 12 bits and one Newton step (1.3e-7 at worst) keeps the multipliers busy, a division the
 * divider: output channel i of a tile takes the one or the other, so that both work at once. */
INLINE vec divide(vec x, vec d, const int i) {
#if defined(__AVX512F__)
    const vec r = (vec)_mm512_rcp14_ps((__m512)d);
#elif defined(__AVX__)
    const vec r = (vec)_mm256_rcp_ps((__m256)d);
#else
    const vec r = 1.0f / d;
#endif
    return i < DIVIDED || VL == 4 ? x / d : x * r * (2.0f - d * r);
}

/* Gradients of one kernel element: dk is the gradient of the modulated kernel; returns that kernel. */
INLINE vec gate_backward(const float *w, vec av, vec scale, vec dk, float *dw, vec *dgi, vec *dgo, const int i) {
    const vec g = divide(splat(1.0f), 1.0f + av * scale, i), weight = load(w), kernel = weight * g, product = g * dk;
    store(dw, load(dw) + product);
    vec logit = product * (weight - kernel); /* dk W G (1 - G) */
    *dgi += logit;
    *dgo += logit;
    return kernel;
}

#endif
