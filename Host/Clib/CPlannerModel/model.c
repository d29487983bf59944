#include "tandem_planner_model.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

/// What Tools/planner/make_model.py writes.
static const uint8_t model[] __attribute__((aligned(64))) = {
#embed "model.bin"
};

const uint8_t *tandem_planner_model(void) { return model; }

size_t tandem_planner_model_length(void) { return sizeof model; }
