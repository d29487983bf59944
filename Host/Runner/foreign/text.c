/*
 * text.c - text that grows, base64, and numbers as people read them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_append(struct text *text, const char *bytes, size_t length) {
    if (length > MAX_TEXT - text->length) {
        length = MAX_TEXT - text->length;
        /* Not in the middle of a character. */
        while (length > 0 && ((unsigned char)bytes[length] & 0xC0) == 0x80) length--;
    }
    if (text->length + length + 1 > text->capacity) {
        size_t capacity = (text->length + length + 1) * 2;
        char *bigger = realloc(text->bytes, capacity);
        if (bigger == NULL) return;
        text->bytes = bigger;
        text->capacity = capacity;
    }
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = 0;
}

void text_append_string(struct text *text, const char *string) { text_append(text, string, strlen(string)); }

void text_append_number(struct text *text, double number, int decimals) {
    char digits[400];
    double size = fabs(number);
    if (!isfinite(number)) return;
    int places = decimals >= 0 ? decimals : size >= 100000 || size == 0 ? 0 : size < 1e-9 ? 14 : 5 - (int)floor(log10(size));
    int length = snprintf(digits, sizeof digits, "%.*f", places < 0 ? 0 : places, number);
    if (length <= 0 || (size_t)length >= sizeof digits) return;
    for (int i = 0; i < length; i++)
        if (digits[i] == ',') digits[i] = '.'; /* whatever the locale says */
    if (strchr(digits, '.') != NULL) {
        while (digits[length - 1] == '0') length--;
        if (digits[length - 1] == '.') length--;
    }
    digits[length] = 0;
    text_append_string(text, strcmp(digits, "-0") == 0 ? "0" : digits);
}

void text_append_json(struct text *text, const json_t *value, int decimals) {
    char digits[32];
    switch (value == NULL ? JSON_NULL : json_typeof(value)) {
    case JSON_STRING: text_append(text, json_string_value(value), json_string_length(value)); break;
    case JSON_INTEGER:
        snprintf(digits, sizeof digits, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        text_append_string(text, digits);
        break;
    case JSON_REAL: text_append_number(text, json_real_value(value), decimals); break;
    case JSON_TRUE: text_append_string(text, "yes"); break;
    case JSON_FALSE: text_append_string(text, "no"); break;
    case JSON_ARRAY:
        for (size_t i = 0; i < json_array_size(value); i++) {
            if (i > 0) text_append_string(text, ", ");
            text_append_json(text, json_array_get(value, i), decimals);
        }
        break;
    case JSON_OBJECT:
    case JSON_NULL: break;
    }
}

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const uint8_t *bytes, size_t length, size_t *encoded) {
    char *text = malloc((length + 2) / 3 * 4 + 1);
    size_t at = 0;
    if (text == NULL) return NULL;
    for (size_t i = 0; i < length; i += 3) {
        size_t rest = length - i;
        uint32_t word = (uint32_t)bytes[i] << 16 | (rest > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) | (rest > 2 ? bytes[i + 2] : 0);
        text[at++] = ALPHABET[word >> 18];
        text[at++] = ALPHABET[word >> 12 & 63];
        text[at++] = rest > 1 ? ALPHABET[word >> 6 & 63] : '=';
        text[at++] = rest > 2 ? ALPHABET[word & 63] : '=';
    }
    text[at] = 0;
    *encoded = at;
    return text;
}

uint8_t *base64_decode(const char *text, size_t length, size_t *decoded) {
    size_t padding = 0;
    size_t at = 0;
    if (length % 4 != 0) return NULL;
    uint8_t *bytes = malloc(length / 4 * 3 + 1);
    if (bytes == NULL) return NULL;
    if (length > 0 && text[length - 1] == '=') padding = text[length - 2] == '=' ? 2 : 1;
    for (size_t i = 0; i < length; i += 4) {
        uint32_t word = 0;
        size_t digits = i + 4 == length ? 4 - padding : 4;
        for (size_t j = 0; j < 4; j++) {
            const char *found = j < digits && text[i + j] != 0 ? strchr(ALPHABET, text[i + j]) : NULL;
            if (j < digits && found == NULL) goto bad;
            word = word << 6 | (found == NULL ? 0 : (uint32_t)(found - ALPHABET));
        }
        bytes[at++] = (uint8_t)(word >> 16);
        if (digits > 2) bytes[at++] = (uint8_t)(word >> 8);
        if (digits > 3) bytes[at++] = (uint8_t)word;
        if ((digits == 2 && (word & 0xFFFF) != 0) || (digits == 3 && (word & 0xFF) != 0)) goto bad;
    }
    *decoded = at;
    return bytes;
bad:
    free(bytes);
    return NULL;
}
