/*
 * call.c - one call of a library's function: arguments in, value and message out.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "call.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What stands behind a buffer that a function writes to: touched, it wrote too far, and nothing can be trusted. */
enum { GUARD_BYTES = 64, GUARD = 0xA7 };
enum { MAX_VALUE_BYTES = 1 << 20 };

union scalar {
    int8_t int8;
    int16_t int16;
    int32_t int32;
    int64_t int64;
    uint8_t uint8;
    uint16_t uint16;
    uint32_t uint32;
    uint64_t uint64;
    float float32;
    double float64;
    void *pointer;
    ffi_arg returned; /* libffi widens small integers to this */
};

/* A value during a call. */
struct slot {
    union scalar value; /* what is passed, or where an out parameter is written to */
    void *address;      /* of `value`, passed for out parameters */
    void *memory;       /* malloced: an argument's copy, or the buffer that the function fills */
    size_t length;      /* of an argument in bytes */
};

struct call {
    const struct plan *plan;
    const struct function *function;
    const struct call_objects *objects;
    const json_t *arguments;
    struct call_outcome *outcome;
    struct slot slots[MAX_PARAMETERS + 1];
    json_t *result;
    int error;        /* errno right after the call */
    bool has_happened;
};

/* ---- Outcomes ---- */

static void set_error(struct call_outcome *outcome, tandem_status status, const char *code, json_t *number) {
    json_t *detail = json_pack("{s:s, s:b, s:o*}", "code", code, "retryable", 0, "number", number);
    outcome->status = status;
    free(outcome->value);
    outcome->value = detail == NULL ? NULL : json_dumps(detail, JSON_COMPACT);
    outcome->value_length = outcome->value == NULL ? 0 : strlen(outcome->value);
    json_decref(detail);
}

void call_fail(struct call_outcome *outcome, tandem_status status, const char *code, const char *format, ...) {
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    set_error(outcome, status, code, NULL);
    outcome->message.length = 0;
    text_append_string(&outcome->message, line);
}

void call_outcome_clear(struct call_outcome *outcome) {
    free(outcome->value);
    free(outcome->message.bytes);
    memset(outcome, 0, sizeof *outcome);
}

static const char *name_of(const struct value *value) { return value->name != NULL ? value->name : "value"; }

static bool refuse(struct call *call, const struct value *value, const char *why) {
    call_fail(call->outcome, TANDEM_E_INVALID_ARGUMENT, "invalid_argument", "The %s %s.", name_of(value), why);
    return false;
}

/* The library gave something that must not go any further. */
static bool distrust(struct call *call, const char *code, const char *why) {
    call_fail(call->outcome, TANDEM_E_REJECTED, code, "%s %s.", call->plan->name, why);
    return false;
}

static bool out_of_memory(struct call *call) {
    call_fail(call->outcome, TANDEM_E_NO_MEMORY, "no_memory", "%s has no memory left.", call->plan->name);
    return false;
}

/* ---- Places ---- */

static const json_t *look_up(const json_t *object, const struct place *place) {
    for (unsigned i = 0; i < place->count && object != NULL; i++) object = json_object_get(object, place->steps[i]);
    return place->count == 0 ? NULL : object;
}

static bool put(json_t *object, const struct place *place, json_t *value) {
    for (unsigned i = 0; i + 1 < place->count; i++) {
        json_t *next = json_object_get(object, place->steps[i]);
        if (next == NULL) {
            next = json_object();
            if (json_object_set_new(object, place->steps[i], next) != 0) {
                json_decref(value);
                return false;
            }
        }
        object = next;
    }
    return json_object_set_new(object, place->steps[place->count - 1], value) == 0;
}

/* ---- In ---- */

static bool in_range(enum kind kind, int64_t number) {
    switch (kind) {
    case KIND_INT8: return number >= INT8_MIN && number <= INT8_MAX;
    case KIND_INT16: return number >= INT16_MIN && number <= INT16_MAX;
    case KIND_INT32: return number >= INT32_MIN && number <= INT32_MAX;
    case KIND_INT64: return true;
    case KIND_UINT8: return number >= 0 && number <= UINT8_MAX;
    case KIND_UINT16: return number >= 0 && number <= UINT16_MAX;
    case KIND_UINT32: return number >= 0 && number <= UINT32_MAX;
    case KIND_UINT64: return number >= 0;
    case KIND_BOOL: return number == 0 || number == 1;
    default: return false;
    }
}

/* Into the bytes of the type's own width, whatever the byte order. */
static void store_integer(union scalar *into, enum kind kind, int64_t number) {
    switch (kind) {
    case KIND_INT8: into->int8 = (int8_t)number; break;
    case KIND_INT16: into->int16 = (int16_t)number; break;
    case KIND_INT32: into->int32 = (int32_t)number; break;
    case KIND_INT64: into->int64 = number; break;
    case KIND_BOOL:
    case KIND_UINT8: into->uint8 = (uint8_t)number; break;
    case KIND_UINT16: into->uint16 = (uint16_t)number; break;
    case KIND_UINT32: into->uint32 = (uint32_t)number; break;
    case KIND_UINT64: into->uint64 = (uint64_t)number; break;
    default: break;
    }
}

static bool whole_number(const json_t *from, int64_t *number) {
    if (json_is_integer(from)) {
        *number = json_integer_value(from);
        return true;
    }
    double real = json_number_value(from);
    if (!json_is_real(from) || real != floor(real) || real < -9.2e18 || real > 9.2e18) return false;
    *number = (int64_t)real;
    return true;
}

static bool scalar_in(struct call *call, const struct value *value, const json_t *from, struct slot *slot) {
    int64_t number = 0;
    if (value->choices != NULL) {
        from = json_object_get(value->choices, json_string_value(from) != NULL ? json_string_value(from) : "");
        if (from == NULL) return refuse(call, value, "is none of the known words");
    }
    switch (value->kind) {
    case KIND_FLOAT:
    case KIND_DOUBLE: {
        double real = json_number_value(from) * value->scale + value->offset;
        if (!json_is_number(from)) return refuse(call, value, "is no number");
        if (!isfinite(real) || (value->kind == KIND_FLOAT && !isfinite((float)real)))
            return refuse(call, value, "is too large");
        if (value->kind == KIND_FLOAT)
            slot->value.float32 = (float)real;
        else
            slot->value.float64 = real;
        return true;
    }
    case KIND_BOOL:
        if (json_is_boolean(from)) {
            store_integer(&slot->value, KIND_BOOL, json_is_true(from));
            return true;
        }
        return refuse(call, value, "is neither true nor false");
    default:
        if (!whole_number(from, &number)) return refuse(call, value, "is no whole number");
        if (!in_range(value->kind, number)) return refuse(call, value, "is out of range");
        store_integer(&slot->value, value->kind, number);
        return true;
    }
}

static bool memory_in(struct call *call, const struct value *value, const json_t *from, struct slot *slot) {
    const char *string = json_string_value(from);
    size_t length = json_string_length(from);
    if (string == NULL) return refuse(call, value, "is no text");
    if (value->kind == KIND_BYTES && value->is_base64) {
        if (length / 4 * 3 > value->max_bytes + 2) return refuse(call, value, "is too long");
        slot->memory = base64_decode(string, length, &slot->length);
        if (slot->memory == NULL) return refuse(call, value, "is no base64");
    } else {
        if (length > value->max_bytes) return refuse(call, value, "is too long");
        if (value->kind == KIND_STRING && memchr(string, 0, length) != NULL)
            return refuse(call, value, "has a character that no text can have");
        /* A copy: the function may write where it should only read. */
        slot->memory = malloc(length + 1);
        if (slot->memory == NULL) return out_of_memory(call);
        memcpy(slot->memory, string, length);
        ((char *)slot->memory)[length] = 0;
        slot->length = length;
    }
    if (slot->length > value->max_bytes) return refuse(call, value, "is too long");
    slot->value.pointer = slot->memory;
    return true;
}

static bool prepare(struct call *call, const struct value *value, struct slot *slot) {
    slot->address = &slot->value;
    switch (value->source) {
    case SOURCE_FILE: slot->value.pointer = value->file; return true;
    case SOURCE_OBJECT: slot->value.pointer = call->objects->pointers[value->object]; return true;
    case SOURCE_ARGUMENT:
    case SOURCE_CONSTANT: {
        const json_t *from = value->source == SOURCE_ARGUMENT ? look_up(call->arguments, &value->argument) : NULL;
        if (from == NULL) from = value->constant;
        if (from == NULL) return refuse(call, value, "is missing");
        if (value->kind == KIND_POINTER) return true;
        if (value->source == SOURCE_CONSTANT && json_is_null(from) && kind_is_memory(value->kind)) return true;
        return kind_is_scalar(value->kind) ? scalar_in(call, value, from, slot) : memory_in(call, value, from, slot);
    }
    case SOURCE_LENGTH:
    case SOURCE_CAPACITY: return true; /* in a second round, when what they measure is known */
    case SOURCE_NONE: break;
    }
    if (value->capacity > 0) {
        slot->memory = calloc(1, value->capacity + GUARD_BYTES);
        if (slot->memory == NULL) return out_of_memory(call);
        memset((uint8_t *)slot->memory + value->capacity, GUARD, GUARD_BYTES);
        slot->value.pointer = slot->memory;
    }
    return true;
}

static bool prepare_length(struct call *call, const struct value *value, struct slot *slot) {
    if ((value->source != SOURCE_LENGTH && value->source != SOURCE_CAPACITY) || value->direction == DIRECTION_OUT) return true;
    const struct value *measured = &call->function->values[value->length];
    size_t length = measured->direction == DIRECTION_OUT ? measured->capacity : call->slots[value->length].length;
    if (length > INT64_MAX || !in_range(value->kind, (int64_t)length))
        return refuse(call, measured, "is too long");
    store_integer(&slot->value, value->kind, (int64_t)length);
    return true;
}

/* ---- Out ---- */

static int64_t load_integer(const union scalar *from, enum kind kind, bool *is_too_large) {
    switch (kind) {
    case KIND_INT8: return from->int8;
    case KIND_INT16: return from->int16;
    case KIND_INT32: return from->int32;
    case KIND_INT64: return from->int64;
    case KIND_BOOL: return from->uint8 != 0;
    case KIND_UINT8: return from->uint8;
    case KIND_UINT16: return from->uint16;
    case KIND_UINT32: return from->uint32;
    case KIND_UINT64:
        if (from->uint64 > INT64_MAX) *is_too_large = true;
        return (int64_t)from->uint64;
    default: return 0;
    }
}

static json_t *scalar_out(struct call *call, const struct value *value, const struct slot *slot) {
    bool is_too_large = false;
    if (value->kind == KIND_FLOAT || value->kind == KIND_DOUBLE) {
        double real = value->kind == KIND_FLOAT ? (double)slot->value.float32 : slot->value.float64;
        real = real * value->scale + value->offset;
        if (!isfinite(real)) {
            distrust(call, "not_finite", isnan(real) ? "has no answer for these numbers" : "gets a number that is too large");
            return NULL;
        }
        return json_real(real);
    }
    int64_t number = load_integer(&slot->value, value->kind, &is_too_large);
    if (is_too_large) {
        distrust(call, "out_of_range", "gets a number that is too large");
        return NULL;
    }
    if (value->choices != NULL) {
        const char *word;
        json_t *meaning;
        json_object_foreach((json_t *)(uintptr_t)value->choices, word, meaning) {
            if (json_integer_value(meaning) == number) return json_string(word);
        }
        distrust(call, "unknown_value", "answers with a number that has no word");
        return NULL;
    }
    return value->kind == KIND_BOOL || value->is_truth ? json_boolean(number != 0) : json_integer(number);
}

/* The length that the function told, within the bounds; false when it is nonsense. */
static bool told_length(struct call *call, const struct value *value, size_t limit, size_t *length) {
    bool is_too_large = false;
    const struct value *teller = &call->function->values[value->length];
    int64_t number = load_integer(&call->slots[value->length].value, teller->kind, &is_too_large);
    if (is_too_large || number < 0 || (uint64_t)number > limit) return false;
    *length = (size_t)number;
    return true;
}

static json_t *bytes_out(struct call *call, const struct value *value, const uint8_t *bytes, size_t length) {
    json_t *made;
    if (value->is_base64) {
        size_t encoded = 0;
        char *text = base64_encode(bytes, length, &encoded);
        made = text == NULL ? NULL : json_stringn(text, encoded);
        free(text);
    } else {
        made = memchr(bytes, 0, length) == NULL ? json_stringn((const char *)bytes, length) : NULL;
    }
    if (made == NULL) distrust(call, "not_utf8", "answers with something that is no text");
    return made;
}

static json_t *memory_out(struct call *call, const struct value *value, const struct slot *slot) {
    const uint8_t *bytes = slot->value.pointer;
    size_t limit = value->capacity > 0 ? value->capacity : value->max_bytes;
    size_t length = 0;
    if (bytes == NULL) {
        if (value->is_nullable) return json_null();
        distrust(call, "no_result", "found nothing");
        return NULL;
    }
    if (value->is_fixed) {
        length = value->capacity;
    } else if (value->has_length) {
        if (!told_length(call, value, limit, &length)) {
            distrust(call, "too_large", "answers with more than it may");
            return NULL;
        }
    } else {
        length = strnlen((const char *)bytes, limit);
        if (length == limit) {
            distrust(call, "too_large", "answers with more than it may");
            return NULL;
        }
    }
    if (value->kind == KIND_STRING) length = strnlen((const char *)bytes, length);
    if (length > value->max_bytes && value->capacity == 0) {
        distrust(call, "too_large", "answers with more than it may");
        return NULL;
    }
    return bytes_out(call, value, bytes, length);
}

static json_t *strings_out(struct call *call, const struct value *value, const struct slot *slot) {
    char *const *strings = slot->value.pointer;
    size_t count = 0;
    size_t total = 0;
    if (!told_length(call, value, MAX_LIST, &count)) {
        distrust(call, "too_large", "answers with more than it may");
        return NULL;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        const char *string = strings == NULL ? NULL : strings[i];
        size_t length = string == NULL ? 0 : strnlen(string, value->max_bytes - total);
        total += length;
        json_t *made = string == NULL || total >= value->max_bytes ? NULL : json_stringn(string, length);
        if (made == NULL) {
            json_decref(list);
            if (string != NULL && total >= value->max_bytes)
                distrust(call, "too_large", "answers with more than it may");
            else
                distrust(call, "not_utf8", "answers with something that is no text");
            return NULL;
        }
        json_array_append_new(list, made);
    }
    return list;
}

static bool collect(struct call *call) {
    call->result = json_object();
    for (unsigned i = 0; i <= call->function->count; i++) {
        const struct value *value = &call->function->values[i];
        const struct slot *slot = &call->slots[i];
        if (!value->has_result) continue;
        json_t *made = kind_is_scalar(value->kind)     ? scalar_out(call, value, slot)
                       : value->kind == KIND_STRINGS   ? strings_out(call, value, slot)
                       : kind_is_memory(value->kind)   ? memory_out(call, value, slot)
                                                       : json_null();
        if (made == NULL) return false;
        if (json_is_null(made)) {
            json_decref(made);
            continue;
        }
        if (!put(call->result, &value->result, made)) return out_of_memory(call);
    }
    return true;
}

/* ---- Messages ---- */

/* The value that a name in a template means, results before arguments, and how to write it. */
static const json_t *meaning(const struct call *call, const char *name, size_t length, int *decimals) {
    *decimals = -1;
    for (int from_results = 1; from_results >= 0; from_results--) {
        for (unsigned i = 0; i <= call->function->count; i++) {
            const struct value *value = &call->function->values[i];
            const struct place *place = from_results ? &value->result : &value->argument;
            const char *last = place->count == 0 ? NULL : place->steps[place->count - 1];
            bool is_here = from_results ? value->has_result : value->source == SOURCE_ARGUMENT;
            bool is_named = (last != NULL && strlen(last) == length && memcmp(last, name, length) == 0) ||
                            (value->name != NULL && strlen(value->name) == length && memcmp(value->name, name, length) == 0);
            if (!is_here || !is_named) continue;
            *decimals = value->decimals;
            const json_t *found = look_up(from_results ? call->result : call->arguments, place);
            return found != NULL ? found : from_results ? NULL : value->constant;
        }
    }
    return NULL;
}

static void render(const struct call *call, const char *template, const char *message, const json_t *code) {
    struct text *text = &call->outcome->message;
    for (const char *at = template; *at != 0;) {
        size_t plain = strcspn(at, "{}");
        text_append(text, at, plain);
        at += plain;
        if (*at == 0) break;
        if (at[0] == at[1]) { /* doubled: itself */
            text_append(text, at, 1);
            at += 2;
            continue;
        }
        size_t length = strcspn(at + 1, "}");
        if (length == 7 && message != NULL && memcmp(at + 1, "message", 7) == 0) {
            text_append_string(text, message);
        } else if (length == 4 && code != NULL && memcmp(at + 1, "code", 4) == 0) {
            text_append_json(text, code, -1);
        } else {
            int decimals = -1;
            const json_t *value = meaning(call, at + 1, length, &decimals);
            text_append_json(text, value, decimals);
        }
        at += 1 + length;
        if (*at == '}') at++;
    }
}

static bool is_equal(const json_t *left, const json_t *right) {
    if (json_is_number(left) && json_is_number(right)) return json_number_value(left) == json_number_value(right);
    return json_equal(left, right);
}

static bool applies(const struct call *call, const json_t *when) {
    const char *name;
    json_t *wanted;
    json_object_foreach((json_t *)(uintptr_t)when, name, wanted) {
        int decimals;
        const json_t *value = meaning(call, name, strlen(name), &decimals);
        if (value == NULL ? !json_is_null(wanted) : !is_equal(value, wanted)) return false;
    }
    return true;
}

static void write_message(const struct call *call) {
    const json_t *message = call->function->message;
    call->outcome->message.length = 0;
    if (json_is_string(message)) return render(call, json_string_value(message), NULL, NULL);
    for (size_t i = 0; i < json_array_size(message); i++) {
        const json_t *candidate = json_array_get(message, i);
        const char *template = json_string_value(json_object_get(candidate, "text"));
        if (template != NULL && applies(call, json_object_get(candidate, "when"))) return render(call, template, NULL, NULL);
    }
}

/* ---- Errors ---- */

static bool has_failed(const struct call *call, int64_t *code) {
    const struct error_rule *rule = &call->function->error;
    bool is_too_large = false;
    *code = 0;
    switch (rule->failure) {
    case FAILURE_NONE: return false;
    case FAILURE_NULL: *code = call->error; return call->slots[call->function->count].value.pointer == NULL;
    case FAILURE_ERRNO: *code = call->error; return call->error != 0;
    case FAILURE_CODE:
    case FAILURE_PARAMETER: break;
    }
    *code = load_integer(&call->slots[rule->parameter].value, call->function->values[rule->parameter].kind, &is_too_large);
    switch (rule->expectation) {
    case EXPECT_EQUAL: return is_too_large || *code != rule->ok;
    case EXPECT_NONNEGATIVE: return *code < 0 && !is_too_large;
    case EXPECT_POSITIVE: return *code <= 0 && !is_too_large;
    case EXPECT_NONZERO: return *code == 0;
    }
    return false;
}

/* What the library says about its error, without line feeds; within `buffer`. */
static void library_message(const struct call *call, int64_t code, char *buffer, size_t capacity) {
    const struct error_rule *rule = &call->function->error;
    const char *message = NULL;
    buffer[0] = 0;
    if (rule->message != NULL && rule->message_takes_code) {
        const char *(*function)(int);
        memcpy(&function, &rule->message, sizeof function);
        message = function((int)code);
    } else if (rule->message != NULL) {
        const char *(*function)(void);
        memcpy(&function, &rule->message, sizeof function);
        message = function();
    } else if (rule->failure == FAILURE_ERRNO && code != 0) {
        message = strerrordesc_np((int)code);
    }
    if (message == NULL) return;
    size_t length = strnlen(message, capacity - 1);
    json_t *checked = json_stringn(message, length);
    if (checked != NULL) {
        memcpy(buffer, message, length);
        buffer[length] = 0;
        for (char *at = buffer; *at != 0; at++)
            if ((unsigned char)*at < 0x20) *at = ' ';
    }
    json_decref(checked);
}

static void report_failure(struct call *call, int64_t code) {
    const struct error_rule *rule = &call->function->error;
    char message[512];
    char digits[32];
    json_t *number = json_integer(code);
    library_message(call, code, message, sizeof message);
    set_error(call->outcome, TANDEM_E_REJECTED, "library_error", json_incref(number));
    call->outcome->message.length = 0;
    snprintf(digits, sizeof digits, "%lld", (long long)code);
    const char *template = json_string_value(json_object_get(rule->cases, digits));
    if (template == NULL) template = rule->text;
    if (template != NULL) {
        render(call, template, message, number);
    } else {
        text_append_string(&call->outcome->message, call->plan->name);
        text_append_string(&call->outcome->message, " cannot do that");
        if (message[0] != 0) {
            text_append_string(&call->outcome->message, ": ");
            text_append_string(&call->outcome->message, message);
        }
        text_append_string(&call->outcome->message, ".");
    }
    json_decref(number);
}

/* ---- The call ---- */

/* A function that wrote past its buffer has destroyed what lay there: nothing of this process can be trusted any more. */
static void check_guards(const struct call *call) {
    for (unsigned i = 0; i < call->function->count; i++) {
        const struct value *value = &call->function->values[i];
        if (value->capacity == 0 || call->slots[i].memory == NULL) continue;
        const uint8_t *guard = (const uint8_t *)call->slots[i].memory + value->capacity;
        for (unsigned j = 0; j < GUARD_BYTES; j++)
            if (guard[j] != GUARD) {
                fprintf(stderr, "tandem: %s wrote beyond the buffer of %zu bytes\n", call->function->tool, value->capacity);
                abort();
            }
    }
}

static void release_result(const struct call *call, const struct value *value, struct slot *slot) {
    const struct release *release = &value->release;
    void *arguments[4];
    union scalar passed[4];
    if (release->symbol == NULL || slot->value.pointer == NULL) return;
    for (unsigned i = 0; i < release->count; i++) {
        bool is_too_large = false;
        passed[i] = (union scalar){0};
        arguments[i] = &passed[i];
        switch (release->parameters[i].kind) {
        case KIND_POINTER: passed[i].pointer = slot->value.pointer; break;
        case KIND_ADDRESS: passed[i].pointer = &slot->value.pointer; break;
        case KIND_OBJECT: passed[i].pointer = call->objects->pointers[release->parameters[i].object]; break;
        default:
            store_integer(&passed[i], release->parameters[i].kind,
                          value->has_length ? load_integer(&call->slots[value->length].value,
                                                           call->function->values[value->length].kind, &is_too_large)
                                            : 0);
        }
    }
    ffi_call((ffi_cif *)(uintptr_t)&release->cif, release->symbol, NULL, arguments);
}

static bool perform(struct call *call) {
    const struct function *function = call->function;
    void *arguments[MAX_PARAMETERS + 1];
    for (unsigned i = 0; i < function->count; i++)
        if (!prepare(call, &function->values[i], &call->slots[i])) return false;
    for (unsigned i = 0; i < function->count; i++) {
        const struct value *value = &function->values[i];
        struct slot *slot = &call->slots[i];
        if (!prepare_length(call, value, slot)) return false;
        /* A buffer is passed as itself, any other thing that comes out by its address. */
        bool is_by_address = value->direction != DIRECTION_IN && value->capacity == 0;
        arguments[i] = is_by_address ? (void *)&slot->address : (void *)&slot->value;
    }
    errno = 0;
    ffi_call((ffi_cif *)(uintptr_t)&function->cif, function->symbol, &call->slots[function->count].value, arguments);
    call->error = errno;
    call->has_happened = true;
    check_guards(call);
    /* libffi widens small integers to ffi_arg; narrow them to the type's own width. */
    const struct value *returned = &function->values[function->count];
    if (kind_is_integer(returned->kind) || returned->kind == KIND_BOOL) {
        ffi_arg wide = call->slots[function->count].value.returned;
        store_integer(&call->slots[function->count].value, returned->kind, (int64_t)wide);
    }
    return true;
}

static void clean_up(struct call *call) {
    for (unsigned i = 0; i <= call->function->count; i++) {
        if (call->has_happened) release_result(call, &call->function->values[i], &call->slots[i]);
    }
    for (unsigned i = 0; i <= call->function->count; i++) free(call->slots[i].memory);
    json_decref(call->result);
}

void call_function(const struct plan *plan, const struct function *function, const struct call_objects *objects,
                   const json_t *arguments, struct call_outcome *outcome) {
    struct call call = {
        .plan = plan, .function = function, .objects = objects, .arguments = arguments, .outcome = outcome};
    int64_t code = 0;
    if (perform(&call)) {
        if (has_failed(&call, &code)) {
            report_failure(&call, code);
        } else if (collect(&call)) {
            outcome->value = json_dumps(call.result, JSON_COMPACT);
            outcome->value_length = outcome->value == NULL ? 0 : strlen(outcome->value);
            if (outcome->value == NULL)
                out_of_memory(&call);
            else if (outcome->value_length > MAX_VALUE_BYTES)
                distrust(&call, "too_large", "answers with more than it may");
            else
                write_message(&call);
        }
    }
    clean_up(&call);
}

void *call_create(const struct plan *plan, const struct object *object, const struct call_objects *objects,
                  struct call_outcome *outcome) {
    struct call call = {.plan = plan, .function = &object->create, .objects = objects, .outcome = outcome};
    int64_t code = 0;
    void *made = NULL;
    if (perform(&call)) {
        if (has_failed(&call, &code))
            report_failure(&call, code);
        else
            made = call.slots[object->create.count].value.pointer;
        if (made == NULL && outcome->status == TANDEM_OK) distrust(&call, "no_result", "cannot be made ready");
    }
    clean_up(&call);
    return made;
}

void call_destroy(const struct object *object, void *pointer) {
    if (object->destroy == NULL || pointer == NULL) return;
    void (*destroy)(void *);
    memcpy(&destroy, &object->destroy, sizeof destroy);
    destroy(pointer);
}
