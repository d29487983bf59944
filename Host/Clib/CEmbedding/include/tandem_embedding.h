// The token-embedding table that is part of the binary, and the arithmetic on its rows.
//
// All functions are pure, take borrowed memory, keep nothing, and may be called from any thread.
#ifndef TANDEM_EMBEDDING_H
#define TANDEM_EMBEDDING_H

#include <stddef.h>
#include <stdint.h>

/// The table's first byte; it lies in read-only pages that the kernel maps as they are touched. 64-byte aligned.
const uint8_t *tandem_embedding_table(void);
/// The table's length in bytes.
size_t tandem_embedding_table_length(void);

/// Adds rows of a table of int8 vectors to a sum: `sum[d] += scales[id] * rows[id * dimensions + d]` for each id.
///
/// Every id must be below the number of rows; that is the caller's to see to.
void tandem_embedding_add(
    const int8_t *rows, const float *scales, size_t dimensions, const int32_t *ids, size_t count, float *sum);

/// The scaled dot products of one int8 vector with `count` others that lie one after the other:
/// `out[i] = scale * scales[i] * (vector . rows[i])`.
void tandem_embedding_dots(
    const int8_t *vector, float scale, const int8_t *rows, const float *scales, size_t dimensions, size_t count,
    float *out);

#endif
