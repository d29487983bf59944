/*
 * plan.c - reads the `foreign` section of a manifest (docs/plugins/manifest.md) and prepares its calls.
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * The host has read the same text with exact places for every mistake; here one reason is enough.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "plan.h"

#include <dlfcn.h>
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sealed.h"

struct reader {
    struct plan *plan;
    const char *where; /* the function or object that is being read */
    char *reason;
    size_t capacity;
    bool has_failed;
};

/* Notes the first reason; false, so that it can be returned. */
__attribute__((format(printf, 2, 3))) static bool fail(struct reader *reader, const char *format, ...) {
    if (reader->has_failed) return false;
    reader->has_failed = true;
    int used = reader->where == NULL ? 0 : snprintf(reader->reason, reader->capacity, "%s: ", reader->where);
    if (used < 0 || (size_t)used >= reader->capacity) return false;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reader->reason + used, reader->capacity - (size_t)used, format, arguments);
    va_end(arguments);
    return false;
}

/* ---- Members ---- */

static const char *text(const json_t *object, const char *member) { return json_string_value(json_object_get(object, member)); }

static bool is_true(const json_t *object, const char *member) { return json_is_true(json_object_get(object, member)); }

static bool equals(const char *left, const char *right) { return left != NULL && strcmp(left, right) == 0; }

static size_t bytes_member(const json_t *object, const char *member, size_t otherwise) {
    const json_t *value = json_object_get(object, member);
    if (!json_is_integer(value)) return otherwise;
    json_int_t number = json_integer_value(value);
    return number < 1 || number > (json_int_t)MAX_BYTES ? otherwise : (size_t)number;
}

static double number_member(const json_t *object, const char *member, double otherwise) {
    const json_t *value = json_object_get(object, member);
    return json_is_number(value) ? json_number_value(value) : otherwise;
}

/* A number that is none, or out of range, is as good as absent. */
static int whole_member(const json_t *object, const char *member, int lowest, int highest, int otherwise) {
    double number = number_member(object, member, otherwise);
    return number >= lowest && number <= highest ? (int)number : otherwise;
}

static const struct {
    const char *name;
    enum kind kind;
} KINDS[] = {
    {"int8", KIND_INT8},     {"int16", KIND_INT16},     {"int32", KIND_INT32},   {"int64", KIND_INT64},
    {"uint8", KIND_UINT8},   {"uint16", KIND_UINT16},   {"uint32", KIND_UINT32}, {"uint64", KIND_UINT64},
    {"bool", KIND_BOOL},     {"float", KIND_FLOAT},     {"double", KIND_DOUBLE}, {"string", KIND_STRING},
    {"bytes", KIND_BYTES},   {"strings", KIND_STRINGS}, {"file", KIND_FILE},     {"object", KIND_OBJECT},
    {"pointer", KIND_POINTER}, {"address", KIND_ADDRESS},
};

static enum kind kind_member(const json_t *object) {
    const char *name = text(object, "type");
    for (size_t i = 0; name != NULL && i < sizeof KINDS / sizeof KINDS[0]; i++)
        if (strcmp(KINDS[i].name, name) == 0) return KINDS[i].kind;
    return KIND_NONE;
}

static ffi_type *ffi_of(enum kind kind) {
    switch (kind) {
    case KIND_NONE: return &ffi_type_void;
    case KIND_INT8: return &ffi_type_sint8;
    case KIND_INT16: return &ffi_type_sint16;
    case KIND_INT32: return &ffi_type_sint32;
    case KIND_INT64: return &ffi_type_sint64;
    case KIND_UINT8:
    case KIND_BOOL: return &ffi_type_uint8;
    case KIND_UINT16: return &ffi_type_uint16;
    case KIND_UINT32: return &ffi_type_uint32;
    case KIND_UINT64: return &ffi_type_uint64;
    case KIND_FLOAT: return &ffi_type_float;
    case KIND_DOUBLE: return &ffi_type_double;
    case KIND_STRING:
    case KIND_BYTES:
    case KIND_STRINGS:
    case KIND_FILE:
    case KIND_OBJECT:
    case KIND_POINTER:
    case KIND_ADDRESS: return &ffi_type_pointer;
    }
    return &ffi_type_void;
}

/* A pointer, or a bare name, cut into steps. */
static bool read_place(struct reader *reader, const char *from, struct place *place) {
    char *copy = strdup(from[0] == '/' ? from + 1 : from);
    if (copy == NULL) return fail(reader, "out of memory");
    char *rest = copy;
    char *step;
    place->count = 0;
    while ((step = strsep(&rest, "/")) != NULL) {
        json_t *kept = step[0] == 0 || strchr(step, '~') != NULL || place->count == MAX_STEPS ? NULL : json_string(step);
        if (json_array_append_new(reader->plan->strings, kept) != 0) {
            free(copy);
            return fail(reader, "%s is no usable pointer", from);
        }
        place->steps[place->count++] = json_string_value(kept);
    }
    free(copy);
    return true;
}

static void (*symbol(struct reader *reader, const char *name))(void) {
    if (name == NULL) {
        fail(reader, "a symbol is missing");
        return NULL;
    }
    dlerror();
    void *address = dlsym(reader->plan->library, name);
    if (address == NULL) {
        fail(reader, "the library has no function %s", name);
        return NULL;
    }
    void (*function)(void);
    memcpy(&function, &address, sizeof function);
    return function;
}

static bool find_object(struct reader *reader, const json_t *member, unsigned *index) {
    const char *name = text(member, "object");
    for (unsigned i = 0; name != NULL && i < reader->plan->object_count; i++)
        if (strcmp(reader->plan->objects[i].name, name) == 0) {
            *index = i;
            return true;
        }
    return fail(reader, "no such object");
}

/* ---- Values ---- */

static bool read_release(struct reader *reader, const json_t *from, struct release *release) {
    const json_t *spelled = json_object_get(from, "release");
    if (spelled == NULL) return true;
    if (json_is_string(spelled)) {
        release->symbol = symbol(reader, json_string_value(spelled));
        release->parameters[0].kind = KIND_POINTER;
        release->count = 1;
    } else {
        release->symbol = symbol(reader, text(spelled, "symbol"));
        const json_t *parameters = json_object_get(spelled, "parameters");
        if (json_array_size(parameters) < 1 || json_array_size(parameters) > 4)
            return fail(reader, "a release function takes 1 to 4 parameters");
        for (size_t i = 0; i < json_array_size(parameters); i++) {
            const json_t *parameter = json_array_get(parameters, i);
            enum kind kind = kind_member(parameter);
            if (kind != KIND_POINTER && kind != KIND_ADDRESS && kind != KIND_OBJECT && !kind_is_integer(kind))
                return fail(reader, "a release function has a parameter of a wrong type");
            release->parameters[i].kind = kind;
            if (kind == KIND_OBJECT && !find_object(reader, parameter, &release->parameters[i].object)) return false;
            release->count++;
        }
    }
    for (unsigned i = 0; i < release->count; i++) release->types[i] = ffi_of(release->parameters[i].kind);
    return !reader->has_failed &&
           (ffi_prep_cif(&release->cif, FFI_DEFAULT_ABI, release->count, &ffi_type_void, release->types) == FFI_OK ||
            fail(reader, "a release function cannot be called"));
}

static enum source source_of(const json_t *from, enum kind kind, enum direction direction) {
    if (kind == KIND_FILE) return SOURCE_FILE;
    if (kind == KIND_OBJECT) return SOURCE_OBJECT;
    if (json_object_get(from, "lengthOf") != NULL) return SOURCE_LENGTH;
    if (json_object_get(from, "capacityOf") != NULL) return SOURCE_CAPACITY;
    if (json_object_get(from, "constant") != NULL) return SOURCE_CONSTANT;
    return direction == DIRECTION_OUT ? SOURCE_NONE : SOURCE_ARGUMENT;
}

/* The path of a sealed copy of a file of the bundle, to be freed; null with a reason. `descriptor` stays open. */
static char *sealed_path(struct reader *reader, const char *name, int *descriptor) {
    const char *checksum = name == NULL ? NULL : text(json_object_get(reader->plan->document, "files"), name);
    char reason[256];
    char *path = malloc(32);
    if (path == NULL || checksum == NULL) {
        fail(reader, "a file that is not part of the bundle");
        free(path);
        return NULL;
    }
    *descriptor = sealed_copy(reader->plan->folder, name, checksum, reason, sizeof reason);
    if (*descriptor < 0) {
        fail(reader, "%s", reason);
        free(path);
        return NULL;
    }
    snprintf(path, 32, "/proc/self/fd/%d", *descriptor);
    return path;
}

static bool read_file(struct reader *reader, const json_t *from, struct value *value) {
    int descriptor = -1;
    value->file = sealed_path(reader, text(from, "file"), &descriptor);
    if (value->file == NULL) return false;
    int *descriptors = realloc(reader->plan->descriptors, (reader->plan->descriptor_count + 1) * sizeof(int));
    if (descriptors == NULL) {
        close(descriptor);
        return fail(reader, "out of memory");
    }
    reader->plan->descriptors = descriptors;
    descriptors[reader->plan->descriptor_count++] = descriptor;
    return true;
}

/* One parameter, or with `is_return` what the function returns. */
static bool read_value(struct reader *reader, const json_t *from, bool is_return, struct value *value) {
    *value = (struct value){.length = -1, .scale = 1, .decimals = -1};
    const char *direction = text(from, "direction");
    value->kind = kind_member(from);
    value->name = text(from, "name");
    value->direction = is_return || equals(direction, "out") ? DIRECTION_OUT
                       : equals(direction, "inout")          ? DIRECTION_INOUT
                                                             : DIRECTION_IN;
    if (value->kind == KIND_NONE || value->kind == KIND_ADDRESS) return fail(reader, "an unknown type");
    value->source = is_return && value->kind == KIND_OBJECT ? SOURCE_NONE : source_of(from, value->kind, value->direction);
    value->is_nullable = is_true(from, "nullable");
    value->is_base64 = equals(text(from, "encoding"), "base64");
    value->is_truth = equals(text(from, "as"), "bool");
    value->choices = json_object_get(from, "values");
    value->scale = number_member(from, "scale", 1);
    value->offset = number_member(from, "offset", 0);
    value->decimals = whole_member(from, "decimals", 0, 15, -1);
    value->capacity = bytes_member(from, "capacity", 0);
    if (json_object_get(from, "size") != NULL) {
        value->capacity = bytes_member(from, "size", 0);
        value->is_fixed = true;
    }
    value->max_bytes = bytes_member(from, "maxBytes", value->direction == DIRECTION_OUT ? DEFAULT_RESULT_BYTES : DEFAULT_ARGUMENT_BYTES);
    if (value->direction == DIRECTION_INOUT && !kind_is_scalar(value->kind))
        return fail(reader, "only a number can go in and out");
    if (value->kind == KIND_POINTER && (value->direction != DIRECTION_IN || value->source != SOURCE_CONSTANT))
        return fail(reader, "a pointer can only be the constant null");
    if (kind_is_memory(value->kind) && value->direction == DIRECTION_IN && value->kind == KIND_STRINGS)
        return fail(reader, "a list of strings can only come out");
    if (value->capacity > 0 && (value->direction != DIRECTION_OUT || is_return || (value->kind != KIND_STRING && value->kind != KIND_BYTES)))
        return fail(reader, "a capacity belongs to an out parameter");
    if (value->kind == KIND_FILE && (value->direction != DIRECTION_IN || !read_file(reader, from, value)))
        return fail(reader, "a file can only go in");
    if (value->kind == KIND_OBJECT && !is_return && !find_object(reader, from, &value->object)) return false;
    if (value->source == SOURCE_CONSTANT) value->constant = json_object_get(from, "constant");
    if (value->source == SOURCE_ARGUMENT) {
        const char *place = text(from, "argument");
        value->constant = json_object_get(from, "default");
        if (place == NULL) place = value->name;
        if (place == NULL) return fail(reader, "a parameter without a name");
        if (!read_place(reader, place, &value->argument)) return false;
    }
    if (value->direction != DIRECTION_IN && value->source != SOURCE_LENGTH && value->source != SOURCE_CAPACITY &&
        value->kind != KIND_OBJECT && !json_is_false(json_object_get(from, "result"))) {
        const char *place = text(from, "result");
        if (place == NULL) place = value->name;
        value->has_result = place != NULL;
        if (place != NULL && !read_place(reader, place, &value->result)) return false;
    }
    return kind_is_memory(value->kind) && value->direction == DIRECTION_OUT && value->capacity == 0
               ? read_release(reader, from, &value->release)
               : true;
}

static int find_value(const struct function *function, const char *name) {
    for (unsigned i = 0; name != NULL && i <= function->count; i++)
        if (function->values[i].name != NULL && strcmp(function->values[i].name, name) == 0) return (int)i;
    return -1;
}

/* Ties lengths to what they measure, both ways. */
static bool tie(struct reader *reader, struct function *function, const json_t *parameters, const json_t *returns) {
    for (unsigned i = 0; i <= function->count; i++) {
        struct value *value = &function->values[i];
        const json_t *from = i < function->count ? json_array_get(parameters, i) : returns;
        if (value->source != SOURCE_LENGTH && value->source != SOURCE_CAPACITY) continue;
        const char *name = text(from, value->source == SOURCE_LENGTH ? "lengthOf" : "capacityOf");
        int other = find_value(function, name);
        if (other < 0 || !kind_is_integer(value->kind)) return fail(reader, "a length of nothing");
        struct value *measured = &function->values[other];
        if (!kind_is_memory(measured->kind)) return fail(reader, "a length of something that has none");
        value->length = other;
        if (value->direction == DIRECTION_IN && measured->direction == DIRECTION_OUT && measured->capacity == 0)
            return fail(reader, "a capacity of something that has none");
        if (value->direction != DIRECTION_IN && measured->direction == DIRECTION_OUT) {
            measured->length = (int)i;
            measured->has_length = true;
        }
    }
    for (unsigned i = 0; i <= function->count; i++) {
        const struct value *value = &function->values[i];
        bool must_have_length = (value->kind == KIND_BYTES && !value->is_fixed) || value->kind == KIND_STRINGS;
        if (value->direction == DIRECTION_OUT && must_have_length && !value->has_length)
            return fail(reader, "a result whose length nothing tells");
    }
    return true;
}

static bool read_error(struct reader *reader, const json_t *from, struct function *function) {
    struct error_rule *rule = &function->error;
    const char *kind = text(from, "kind");
    if (from == NULL) return true;
    rule->failure = equals(kind, "code")        ? FAILURE_CODE
                    : equals(kind, "null")      ? FAILURE_NULL
                    : equals(kind, "errno")     ? FAILURE_ERRNO
                    : equals(kind, "parameter") ? FAILURE_PARAMETER
                                                : FAILURE_NONE;
    if (rule->failure == FAILURE_NONE) return fail(reader, "an unknown kind of error");
    const json_t *ok = json_object_get(from, "ok");
    const char *word = json_string_value(ok);
    rule->ok = json_is_integer(ok) ? json_integer_value(ok) : 0;
    rule->expectation = equals(word, "nonnegative") ? EXPECT_NONNEGATIVE
                        : equals(word, "positive")  ? EXPECT_POSITIVE
                        : equals(word, "nonzero")   ? EXPECT_NONZERO
                                                    : EXPECT_EQUAL;
    rule->parameter = rule->failure == FAILURE_PARAMETER ? find_value(function, text(from, "parameter")) : (int)function->count;
    if (rule->failure == FAILURE_CODE || rule->failure == FAILURE_PARAMETER) {
        if (rule->parameter < 0 || !kind_is_integer(function->values[rule->parameter].kind) ||
            function->values[rule->parameter].direction == DIRECTION_IN)
            return fail(reader, "an error code that is no integer from the function");
    } else if (rule->failure == FAILURE_NULL) {
        enum kind returned = function->values[function->count].kind;
        if (!kind_is_memory(returned) && returned != KIND_OBJECT) return fail(reader, "the function returns no pointer");
    }
    rule->text = text(from, "text");
    rule->cases = json_object_get(from, "cases");
    const json_t *message = json_object_get(from, "message");
    if (message != NULL) {
        rule->message = symbol(reader, text(message, "symbol"));
        rule->message_takes_code = !equals(text(message, "takes"), "nothing");
    }
    return !reader->has_failed;
}

static bool read_function(struct reader *reader, const char *name, const json_t *from, bool is_object, struct function *function) {
    reader->where = name;
    function->tool = name;
    function->symbol = symbol(reader, text(from, "symbol"));
    const json_t *parameters = json_object_get(from, "parameters");
    const json_t *returns = json_object_get(from, "returns");
    if (reader->has_failed) return false;
    if (json_array_size(parameters) > MAX_PARAMETERS) return fail(reader, "too many parameters");
    function->count = (unsigned)json_array_size(parameters);
    for (unsigned i = 0; i < function->count; i++) {
        struct value *value = &function->values[i];
        if (!read_value(reader, json_array_get(parameters, i), false, value)) return false;
        if (is_object && (value->source == SOURCE_ARGUMENT || value->direction != DIRECTION_IN))
            return fail(reader, "an object is made of constants and files");
        function->types[i] = value->direction == DIRECTION_IN ? ffi_of(value->kind) : &ffi_type_pointer;
    }
    struct value *returned = &function->values[function->count];
    *returned = (struct value){.direction = DIRECTION_OUT, .length = -1};
    if (returns != NULL && !read_value(reader, returns, true, returned)) return false;
    if ((returned->kind == KIND_OBJECT) != is_object) return fail(reader, "only an object's create returns an object");
    if (!tie(reader, function, parameters, returns)) return false;
    if (ffi_prep_cif(&function->cif, FFI_DEFAULT_ABI, function->count, ffi_of(returned->kind), function->types) != FFI_OK)
        return fail(reader, "the function cannot be called");
    function->message = json_object_get(from, "message");
    return read_error(reader, json_object_get(from, "error"), function);
}

/* ---- The whole ---- */

static bool open_library(struct reader *reader, const json_t *library) {
    struct plan *plan = reader->plan;
    const char *system = text(library, "system");
    const char *file = text(library, "file");
    char *path = NULL;
    if ((system == NULL) == (file == NULL)) return fail(reader, "a library is either of the system or in the bundle");
    if (system != NULL && strchr(system, '/') != NULL) return fail(reader, "a library of the system has no path");
    if (file != NULL) {
        /* Left open for ever: its number is the image's name, and glibc looks for names before it looks at files. */
        int descriptor = -1;
        path = sealed_path(reader, file, &descriptor);
        if (path == NULL) return false;
    }
    dlerror();
    plan->library = dlopen(system != NULL ? system : path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    free(path);
    if (plan->library != NULL) return true;
    const char *reason = dlerror();
    return fail(reader, "the library cannot be loaded: %s", reason != NULL ? reason : "unknown reason");
}

static bool read_objects(struct reader *reader, json_t *objects) {
    struct plan *plan = reader->plan;
    const char *name;
    json_t *from;
    if (json_object_size(objects) > MAX_OBJECTS) return fail(reader, "too many objects");
    json_object_foreach(objects, name, from) {
        struct object *object = &plan->objects[plan->object_count];
        object->name = name;
        object->is_shared = is_true(from, "shared");
        if (!read_function(reader, name, json_object_get(from, "create"), true, &object->create)) return false;
        if (json_object_get(from, "destroy") != NULL) object->destroy = symbol(reader, text(from, "destroy"));
        plan->object_count++;
        if (reader->has_failed) return false;
    }
    return true;
}

static bool read_functions(struct reader *reader, json_t *functions) {
    struct plan *plan = reader->plan;
    const char *name;
    json_t *from;
    size_t count = json_object_size(functions);
    if (count < 1 || count > MAX_FUNCTIONS) return fail(reader, "no functions, or too many");
    plan->functions = calloc(count, sizeof *plan->functions);
    if (plan->functions == NULL) return fail(reader, "out of memory");
    json_object_foreach(functions, name, from) {
        if (!read_function(reader, name, from, false, &plan->functions[plan->function_count++])) return false;
    }
    reader->where = NULL;
    return true;
}

bool plan_read(struct plan *plan, const char *manifest, size_t length, int folder, char *reason, size_t capacity) {
    struct reader reader = {.plan = plan, .reason = reason, .capacity = capacity};
    json_error_t error;
    memset(plan, 0, sizeof *plan);
    plan->folder = folder;
    plan->strings = json_array();
    plan->document = json_loadb(manifest, length, JSON_REJECT_DUPLICATES, &error);
    if (plan->document == NULL) return fail(&reader, "plugin.json cannot be read: %s", error.text);
    const json_t *foreign = json_object_get(plan->document, "foreign");
    if (!json_is_object(foreign)) return fail(&reader, "plugin.json has no foreign section");
    plan->name = text(plan->document, "name");
    if (plan->name == NULL) plan->name = "The plugin";
    plan->max_in_flight = (unsigned)whole_member(json_object_get(plan->document, "limits"), "maxInFlight", 1, 64, 4);
    plan->is_concurrent = is_true(foreign, "concurrent");
    return open_library(&reader, json_object_get(foreign, "library")) &&
           read_objects(&reader, json_object_get(foreign, "objects")) &&
           read_functions(&reader, json_object_get(foreign, "functions"));
}

static void clear_function(struct function *function) {
    for (unsigned i = 0; i < MAX_PARAMETERS; i++) free(function->values[i].file);
}

void plan_clear(struct plan *plan) {
    for (unsigned i = 0; i < MAX_OBJECTS; i++) clear_function(&plan->objects[i].create);
    for (unsigned i = 0; i < plan->function_count; i++) clear_function(&plan->functions[i]);
    for (unsigned i = 0; i < plan->descriptor_count; i++) close(plan->descriptors[i]);
    free(plan->descriptors);
    free(plan->functions);
    json_decref(plan->strings);
    json_decref(plan->document);
    memset(plan, 0, sizeof *plan);
}

const struct function *plan_function(const struct plan *plan, const uint8_t *tool, size_t length) {
    for (unsigned i = 0; i < plan->function_count; i++)
        if (strlen(plan->functions[i].tool) == length && memcmp(plan->functions[i].tool, tool, length) == 0)
            return &plan->functions[i];
    return NULL;
}
