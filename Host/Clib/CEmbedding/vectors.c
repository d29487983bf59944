#include "tandem_embedding.h"

// One version for each generation of the processor, chosen when the program is loaded. The loops are written so that the
// compiler makes the widening multiply-add of bytes of them.
#if defined(__x86_64__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif

FOR_EACH_PROCESSOR
void tandem_embedding_add(
    const int8_t *rows, const float *scales, size_t dimensions, const int32_t *ids, size_t count, float *sum) {
    for (size_t i = 0; i < count; i++) {
        const int8_t *row = rows + (size_t)ids[i] * dimensions;
        float scale = scales[ids[i]];
        for (size_t d = 0; d < dimensions; d++) sum[d] += scale * (float)row[d];
    }
}

FOR_EACH_PROCESSOR
void tandem_embedding_dots(
    const int8_t *vector, float scale, const int8_t *rows, const float *scales, size_t dimensions, size_t count,
    float *out) {
    for (size_t i = 0; i < count; i++) {
        const int8_t *row = rows + i * dimensions;
        int32_t sum = 0;
        for (size_t d = 0; d < dimensions; d++) sum += (int32_t)((int16_t)vector[d] * (int16_t)row[d]);
        out[i] = scale * scales[i] * (float)sum;
    }
}
