/*
 * text.h - text that grows, base64, and numbers as people read them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TANDEM_FOREIGN_TEXT_H
#define TANDEM_FOREIGN_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Text that grows up to a limit; what is beyond it is dropped. Starts as all zeros. */
struct text {
    char *bytes;
    size_t length;
    size_t capacity;
};

#define MAX_TEXT ((size_t)12 << 10)

void text_append(struct text *text, const char *bytes, size_t length);
void text_append_string(struct text *text, const char *string);
/* Without exponent and without trailing zeros; `decimals` below 0: six significant digits. */
void text_append_number(struct text *text, double number, int decimals);
/* A JSON value as people read it: lists with commas, yes and no; an absent one is nothing. */
void text_append_json(struct text *text, const json_t *value, int decimals);

/* Malloced; null when there is no memory. */
char *base64_encode(const uint8_t *bytes, size_t length, size_t *encoded);
/* Malloced bytes, or null when the text is no canonical base64 (RFC 4648, section 4). */
uint8_t *base64_decode(const char *text, size_t length, size_t *decoded);

#endif
