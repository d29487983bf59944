/*
 * call.h - one call of a library's function: arguments in, value and message out.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TANDEM_FOREIGN_CALL_H
#define TANDEM_FOREIGN_CALL_H

#include "plan.h"
#include "tandem/tandem.h"
#include "text.h"

/* The objects of one person, made on first use. Indices are those of the plan. */
struct call_objects {
    void *pointers[MAX_OBJECTS];
};

/* How a call ended. `value` and `message` are malloced or null. */
struct call_outcome {
    tandem_status status; /* TANDEM_OK: value and message are those of a result, else of a tool error */
    char *value;
    size_t value_length;
    struct text message;
};

/*
 * Calls a function with the arguments of a tool, which have been validated against its schema. Blocks for as long as the
 * library does. Never fails without an outcome.
 */
void call_function(const struct plan *plan, const struct function *function, const struct call_objects *objects,
                   const json_t *arguments, struct call_outcome *outcome);

/* Makes an object; null with the reason in the outcome's message. */
void *call_create(const struct plan *plan, const struct object *object, const struct call_objects *objects,
                  struct call_outcome *outcome);
void call_destroy(const struct object *object, void *pointer);

void call_outcome_clear(struct call_outcome *outcome);

/* A tool error. `code` is a name for programs, `message` is for the person. */
void call_fail(struct call_outcome *outcome, tandem_status status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
