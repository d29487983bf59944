// What the embedded planner has learned, as bytes that are part of the binary.
#ifndef TANDEM_PLANNER_MODEL_H
#define TANDEM_PLANNER_MODEL_H

#include <stddef.h>
#include <stdint.h>

/// The model's first byte, in read-only pages; 64-byte aligned. Host/Language/Meaning/PlannerModel.swift reads it.
const uint8_t *tandem_planner_model(void);
/// The model's length in bytes.
size_t tandem_planner_model_length(void);

#endif
