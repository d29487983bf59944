/*
 * plan.h - what the `foreign` section of a manifest says, ready to be carried out.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TANDEM_FOREIGN_PLAN_H
#define TANDEM_FOREIGN_PLAN_H

#include <ffi.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MAX_PARAMETERS = 16,
    MAX_STEPS = 4,    /* names in a JSON Pointer */
    MAX_OBJECTS = 8,
    MAX_FUNCTIONS = 64,
    MAX_LIST = 1024,  /* elements of a list of strings */
};

#define DEFAULT_ARGUMENT_BYTES ((size_t)4096)
#define DEFAULT_RESULT_BYTES ((size_t)16384)
#define MAX_BYTES ((size_t)1 << 20)

enum kind {
    KIND_NONE,
    KIND_INT8,
    KIND_INT16,
    KIND_INT32,
    KIND_INT64,
    KIND_UINT8,
    KIND_UINT16,
    KIND_UINT32,
    KIND_UINT64,
    KIND_BOOL,
    KIND_FLOAT,
    KIND_DOUBLE,
    KIND_STRING,
    KIND_BYTES,
    KIND_STRINGS,
    KIND_FILE,
    KIND_OBJECT,
    KIND_POINTER, /* a null, or within a release function the pointer to be freed */
    KIND_ADDRESS, /* within a release function: where the pointer was written to */
};

enum direction { DIRECTION_IN, DIRECTION_OUT, DIRECTION_INOUT };

/* Where the value that is passed in comes from. */
enum source { SOURCE_NONE, SOURCE_ARGUMENT, SOURCE_CONSTANT, SOURCE_LENGTH, SOURCE_CAPACITY, SOURCE_FILE, SOURCE_OBJECT };

/* A JSON Pointer whose steps are member names. */
struct place {
    const char *steps[MAX_STEPS];
    unsigned count;
};

/* What frees a pointer that the library gave. */
struct release {
    void (*symbol)(void); /* null: nothing is to be freed */
    ffi_cif cif;
    ffi_type *types[4];
    struct {
        enum kind kind; /* KIND_POINTER, KIND_ADDRESS, KIND_OBJECT or an integer, which is the length */
        unsigned object;
    } parameters[4];
    unsigned count;
};

/* One parameter of a function, or its return value. */
struct value {
    const char *name; /* null: nameless */
    enum kind kind;
    enum direction direction;
    enum source source;
    struct place argument;
    struct place result;
    bool has_result;
    bool is_nullable;       /* null is no error but a member that is not there */
    bool is_base64;
    bool is_truth;          /* an integer that is shown as true or false */
    bool is_fixed;          /* the whole buffer is the result */
    bool has_length;
    int length;             /* index of the value that carries the length, or with SOURCE_LENGTH or SOURCE_CAPACITY of
                               the value whose length this is; the return value's index is the parameter count */
    size_t capacity;        /* of a buffer that the adapter provides; 0: none */
    size_t max_bytes;
    const json_t *constant; /* the constant, or the default of an argument, or null */
    const json_t *choices;  /* {"word": number} or null */
    double scale;
    double offset;
    int decimals;           /* in messages; -1: six significant digits */
    char *file;             /* the path of its sealed copy */
    unsigned object;
    struct release release;
};

enum failure { FAILURE_NONE, FAILURE_CODE, FAILURE_NULL, FAILURE_ERRNO, FAILURE_PARAMETER };
enum expectation { EXPECT_EQUAL, EXPECT_NONNEGATIVE, EXPECT_POSITIVE, EXPECT_NONZERO };

/* How a function says that it failed. */
struct error_rule {
    enum failure failure;
    enum expectation expectation;
    int64_t ok;
    int parameter;
    void (*message)(void); /* const char *message(int code) or const char *message(void), or null */
    bool message_takes_code;
    bool message_is_freed;
    const char *text;      /* a template with {message} and {code}, or null */
    const json_t *cases;   /* {"-2": "text"} or null */
};

struct function {
    const char *tool; /* or the object's name */
    void (*symbol)(void);
    struct value values[MAX_PARAMETERS + 1]; /* the last one in use is the return value */
    unsigned count;                          /* parameters */
    ffi_cif cif;
    ffi_type *types[MAX_PARAMETERS];
    struct error_rule error;
    const json_t *message; /* a string, or an array of {"when", "text"} */
};

struct object {
    const char *name;
    struct function create;
    void (*destroy)(void);
    bool is_shared;
};

struct plan {
    json_t *document; /* keeps every string above alive */
    json_t *strings;  /* keeps the steps of places alive */
    const char *name; /* the plugin's, for messages */
    unsigned max_in_flight;
    bool is_concurrent;
    struct object objects[MAX_OBJECTS];
    unsigned object_count;
    struct function *functions;
    unsigned function_count;
    void *library;
    int folder;      /* while the plan is read */
    int *descriptors; /* sealed copies of files */
    unsigned descriptor_count;
};

/* Reads a manifest; false with a reason when it does not hold together. The plan is to be cleared in either case. */
bool plan_read(struct plan *plan, const char *manifest, size_t length, int folder, char *reason, size_t capacity);
void plan_clear(struct plan *plan);

const struct function *plan_function(const struct plan *plan, const uint8_t *tool, size_t length);

static inline bool kind_is_integer(enum kind kind) { return kind >= KIND_INT8 && kind <= KIND_UINT64; }
static inline bool kind_is_scalar(enum kind kind) { return kind >= KIND_INT8 && kind <= KIND_DOUBLE; }
static inline bool kind_is_memory(enum kind kind) { return kind >= KIND_STRING && kind <= KIND_STRINGS; }

#endif
