#include "tandem_embedding.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

/// What Tools/embedding/make_table.py writes; Host/Embedding/EmbeddingTable.swift reads it.
static const uint8_t table[] __attribute__((aligned(64))) = {
#embed "table.bin"
};

const uint8_t *tandem_embedding_table(void) { return table; }

size_t tandem_embedding_table_length(void) { return sizeof table; }
