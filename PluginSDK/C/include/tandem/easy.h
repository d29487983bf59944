/*
 * tandem/easy.h - what most plugins in C write again and again: slices, owned buffers, outcomes, flat JSON, health.
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * Not part of the ABI: everything here is static inline and ends up in the plugin. Use it, copy from it, or leave it.
 * Needs the C library's stdlib, string and stdio; C11 or C++17. All functions are [any].
 */
#ifndef TANDEM_EASY_H
#define TANDEM_EASY_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tandem.h"

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#pragma clang diagnostic ignored "-Wunused-function"
#pragma clang assume_nonnull begin
#endif

/* ---- Slices and buffers ---- */

/* Borrowed bytes of a string that ends with NUL. */
static inline tandem_slice tandem_slice_of(const char *text) {
    tandem_slice slice = {(const uint8_t *)text, strlen(text)};
    return slice;
}

static inline bool tandem_slice_is(tandem_slice slice, const char *text) {
    size_t length = strlen(text);
    return slice.len == length && (length == 0 || memcmp(slice.ptr, text, length) == 0);
}

static inline void tandem_easy_free(void *TANDEM_NULLABLE owner) { free(owner); }

/* A copy that the receiver releases. Empty when there is no memory. */
static inline tandem_buffer tandem_copy(const void *TANDEM_NULLABLE bytes, uint64_t length) {
    tandem_buffer buffer = {NULL, 0, NULL, NULL};
    void *memory = length == 0 || bytes == NULL ? NULL : malloc((size_t)length);
    if (memory == NULL) return buffer;
    memcpy(memory, bytes, (size_t)length);
    buffer.ptr = (const uint8_t *)memory;
    buffer.len = length;
    buffer.owner = memory;
    buffer.release = tandem_easy_free;
    return buffer;
}

static inline tandem_buffer tandem_copy_text(const char *TANDEM_NULLABLE text) {
    return tandem_copy(text, text == NULL ? 0 : strlen(text));
}

static inline void tandem_release(tandem_buffer buffer) {
    if (buffer.release != NULL) buffer.release(buffer.owner);
}

/* ---- Outcomes ---- */

static inline tandem_outcome tandem_outcome_of(uint32_t kind) {
    tandem_outcome outcome;
    memset(&outcome, 0, sizeof outcome);
    outcome.header.size = sizeof outcome;
    outcome.kind = kind;
    return outcome;
}

/* Completes a call with a value (JSON by the result schema) and a line for the person; both are copied. */
static inline tandem_status tandem_complete_value(const tandem_host *host, tandem_call_id call,
                                                  const char *TANDEM_NULLABLE json, const char *message) {
    tandem_outcome outcome = tandem_outcome_of(TANDEM_OUTCOME_VALUE);
    outcome.value = tandem_copy_text(json == NULL ? "null" : json);
    outcome.message = tandem_copy_text(message);
    return host->complete(host, call, &outcome);
}

/* Completes a call with an error: a status, a stable code in lower case, and a line for the person. */
static inline tandem_status tandem_complete_error(const tandem_host *host, tandem_call_id call, tandem_status status,
                                                  const char *code, const char *message) {
    char detail[128];
    tandem_outcome outcome = tandem_outcome_of(TANDEM_OUTCOME_TOOL_ERROR);
    snprintf(detail, sizeof detail, "{\"code\":\"%.80s\",\"retryable\":false}", code);
    outcome.status = status;
    outcome.value = tandem_copy_text(detail);
    outcome.message = tandem_copy_text(message);
    return host->complete(host, call, &outcome);
}

/* What invoke does first: TANDEM_OK, or what it has to return. */
static inline tandem_status tandem_check_request(const tandem_request *request) {
    if (request->header.size < TANDEM_REQUEST_SIZE_1_0) return TANDEM_E_SIZE_TOO_SMALL;
    if ((request->header.flags & TANDEM_FLAGS_MUST_UNDERSTAND) != 0) return TANDEM_E_UNSUPPORTED;
    return TANDEM_OK;
}

/* Answers tandem.health/1 with `ok`: give a static tandem_health with it to the host. */
static inline tandem_status tandem_complete_healthy(const tandem_host *host, const tandem_request *request) {
    tandem_status status = tandem_check_request(request);
    if (status == TANDEM_OK) tandem_complete_value(host, request->call, "{\"status\":\"ok\"}", "");
    return status;
}

/* ---- JSON: members of an object, as the host gives arguments ---- */

/* Reads one JSON text from start to end. Nothing is allocated. */
typedef struct tandem_json {
    const char *TANDEM_NULLABLE at;
    const char *TANDEM_NULLABLE end;
} tandem_json;

static inline void tandem_json_space(tandem_json *json) {
    while (json->at < json->end && (*json->at == ' ' || *json->at == '\t' || *json->at == '\n' || *json->at == '\r'))
        json->at++;
}

static inline bool tandem_json_take(tandem_json *json, char expected) {
    tandem_json_space(json);
    if (json->at >= json->end || *json->at != expected) return false;
    json->at++;
    return true;
}

/* Passes over one value of any kind. */
static inline bool tandem_json_skip(tandem_json *json) {
    int depth = 0;
    do {
        tandem_json_space(json);
        if (json->at >= json->end) return false;
        char c = *json->at++;
        if (c == '"') {
            while (json->at < json->end && *json->at != '"') json->at += *json->at == '\\' ? 2 : 1;
            if (json->at >= json->end) return false;
            json->at++;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            depth--;
        } else if (c != ',' && c != ':') {
            while (json->at < json->end && strchr(",:]} \t\r\n", *json->at) == NULL) json->at++;
        }
        if (depth == 0 && (c == ',' || c == ':')) return false;
    } while (depth > 0);
    return true;
}

/* The raw JSON of an object's member; empty when there is none. Names with escapes are not found. */
static inline tandem_slice tandem_json_member(tandem_slice object, const char *name) {
    tandem_slice none = {NULL, 0};
    tandem_json json = {(const char *)object.ptr, object.ptr == NULL ? NULL : (const char *)object.ptr + object.len};
    size_t length = strlen(name);
    if (object.ptr == NULL || !tandem_json_take(&json, '{')) return none;
    while (tandem_json_take(&json, '"')) {
        const char *start = json.at;
        while (json.at < json.end && *json.at != '"') json.at += *json.at == '\\' ? 2 : 1;
        if (json.at >= json.end) return none;
        bool is_it = (size_t)(json.at - start) == length && memcmp(start, name, length) == 0;
        json.at++;
        if (!tandem_json_take(&json, ':')) return none;
        tandem_json_space(&json);
        const char *value = json.at;
        if (!tandem_json_skip(&json)) return none;
        if (is_it) {
            tandem_slice found = {(const uint8_t *)value, (uint64_t)(json.at - value)};
            return found;
        }
        if (!tandem_json_take(&json, ',')) return none;
    }
    return none;
}

static inline int tandem_json_hex(const char *digits) {
    int value = 0;
    for (int i = 0; i < 4; i++) {
        char c = digits[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* Writes a code point as UTF-8; how many bytes it took. */
static inline size_t tandem_json_utf8(char *out, unsigned code) {
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t count = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = count; i > 1; i--, code >>= 6) out[i - 1] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)((count == 2 ? 0xC0 : count == 3 ? 0xE0 : 0xF0) | code);
    return count;
}

/*
 * The text of a JSON string as UTF-8 with a NUL behind it; its length, or -1 when it is no string, holds a NUL, or does
 * not fit into room: its bytes and one more. Half surrogates become U+FFFD.
 */
static inline int tandem_json_text(tandem_slice value, char *out, size_t room) {
    const char *at = (const char *)value.ptr;
    if (value.len < 2 || at[0] != '"') return -1;
    const char *end = at + value.len - 1;
    size_t length = 0;
    for (at++; at < end;) {
        char bytes[4];
        size_t count = 1;
        if (*at != '\\') {
            bytes[0] = *at++;
        } else {
            if (end - at < 2) return -1;
            char c = at[1];
            at += 2;
            if (c != 'u') {
                bytes[0] = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c == 'b' ? '\b' : c == 'f' ? '\f' : c;
            } else {
                int unit = end - at >= 4 ? tandem_json_hex(at) : -1;
                if (unit < 0) return -1;
                at += 4;
                unsigned code = (unsigned)unit;
                if (code >= 0xD800 && code < 0xDC00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
                    int low = tandem_json_hex(at + 2);
                    if (low >= 0xDC00 && low < 0xE000) {
                        code = 0x10000 + ((code - 0xD800) << 10) + ((unsigned)low - 0xDC00);
                        at += 6;
                    }
                }
                if (code == 0) return -1;
                if (code >= 0xD800 && code < 0xE000) code = 0xFFFD;
                count = tandem_json_utf8(bytes, code);
            }
        }
        if (count >= room || length >= room - count) return -1;
        memcpy(out + length, bytes, count);
        length += count;
    }
    if (length >= room) return -1;
    out[length] = 0;
    return (int)length;
}

/* A JSON number without regard to the process's locale; false when it is none. */
static inline bool tandem_json_number(tandem_slice value, double *out) {
    const char *at = (const char *)value.ptr, *end = at == NULL ? at : at + value.len;
    double number = 0, scale = 1;
    int exponent = 0;
    if (at == end) return false;
    bool negative = *at == '-';
    if (negative) at++;
    if (at == end || *at < '0' || *at > '9') return false;
    for (; at < end && *at >= '0' && *at <= '9'; at++) number = number * 10 + (*at - '0');
    if (at < end && *at == '.')
        for (at++; at < end && *at >= '0' && *at <= '9'; at++, scale *= 10) number = number * 10 + (*at - '0');
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        bool down = at < end && *at == '-';
        if (at < end && (*at == '-' || *at == '+')) at++;
        for (; at < end && *at >= '0' && *at <= '9' && exponent < 400; at++) exponent = exponent * 10 + (*at - '0');
        for (; exponent > 0; exponent--) number = down ? number / 10 : number * 10;
    }
    if (at != end) return false;
    *out = (negative ? -number : number) / scale;
    return true;
}

/* Writes a text as a JSON string with its quotes and a NUL behind it; its length, or -1 when it does not fit. */
static inline int tandem_json_quote(const char *text, char *out, size_t room) {
    static const char DIGITS[] = "0123456789abcdef";
    size_t length = 0;
    if (room < 3) return -1;
    out[length++] = '"';
    for (; *text != 0; text++) {
        unsigned char c = (unsigned char)*text;
        size_t needed = c == '"' || c == '\\' ? 2 : c < 0x20 ? 6 : 1;
        if (length + needed > room - 2) return -1;
        if (c == '"' || c == '\\') {
            out[length++] = '\\';
            out[length++] = (char)c;
        } else if (c < 0x20) {
            memcpy(out + length, "\\u00", 4);
            out[length + 4] = DIGITS[c >> 4];
            out[length + 5] = DIGITS[c & 15];
            length += 6;
        } else {
            out[length++] = (char)c;
        }
    }
    out[length++] = '"';
    out[length] = 0;
    return (int)length;
}

#if defined(__clang__)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif

#endif /* TANDEM_EASY_H */
