/*
 * fixture.c - a plain C library with one function for every way of passing something, for the foreign adapter's tests.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- Scalars ---- */

int8_t add8(int8_t a, int8_t b) { return (int8_t)(a + b); }
int16_t add16(int16_t a, int16_t b) { return (int16_t)(a + b); }
int32_t add32(int32_t a, int32_t b) { return a + b; }
int64_t add64(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }
uint8_t addu8(uint8_t a, uint8_t b) { return (uint8_t)(a + b); }
uint16_t addu16(uint16_t a, uint16_t b) { return (uint16_t)(a + b); }
uint32_t addu32(uint32_t a, uint32_t b) { return a + b; }
uint64_t addu64(uint64_t a, uint64_t b) { return a + b; }
float addf(float a, float b) { return a + b; }
double addd(double a, double b) { return a + b; }
bool both(bool a, bool b) { return a && b; }
/* Seven registers' worth of integers and nine of doubles: some go over the stack. */
double many(int32_t a, double b, int64_t c, double d, uint8_t e, double f, int16_t g, double h, uint32_t i, double j,
            int64_t k, double l, uint16_t m, double n, double o, double p) {
    return a + b + (double)c + d + e + f + g + h + i + j + (double)k + l + m + n + o + p;
}
double nothing(void) { return NAN; }
double beyond(void) { return INFINITY; }
uint64_t huge(void) { return UINT64_MAX; }
void divide(int32_t a, int32_t b, int32_t *quotient, int16_t *rest) {
    *quotient = a / b;
    *rest = (int16_t)(a % b);
}
void twice(int64_t *value) { *value *= 2; }
int32_t mode(int32_t mode) { return mode * 10; }

/* ---- Strings and bytes ---- */

static atomic_int releases;
int32_t released(void) { return atomic_load(&releases); }
void fixture_free(void *pointer) {
    atomic_fetch_add(&releases, 1);
    free(pointer);
}

uint64_t length(const char *text) { return strlen(text); }
char *shout(const char *text) {
    char *copy = strdup(text);
    for (char *at = copy; *at != 0; at++)
        if (*at >= 'a' && *at <= 'z') *at -= 32;
    return copy;
}
const char *colour(int32_t index) {
    static const char *const COLOURS[] = {"red", "green", "blue"};
    return index >= 0 && index < 3 ? COLOURS[index] : NULL;
}
const char *broken(void) { return "caf\xE9"; }
char *flood(uint32_t size) {
    char *text = malloc((size_t)size + 1);
    memset(text, 'x', size);
    text[size] = 0;
    return text;
}
uint32_t checksum(const uint8_t *bytes, uint64_t length) {
    uint32_t sum = 0;
    for (uint64_t i = 0; i < length; i++) sum = sum * 31 + bytes[i];
    return sum;
}
int32_t fill(char *buffer, uint32_t capacity, const char *text) { return snprintf(buffer, capacity, "<%s>", text); }
void stamp(char *buffer) { memcpy(buffer, "2026-11-21", 11); }
int32_t reverse(const uint8_t *in, uint64_t length, uint8_t *out, uint64_t *out_length) {
    if (*out_length < length) return -1;
    for (uint64_t i = 0; i < length; i++) out[i] = in[length - 1 - i];
    *out_length = length;
    return 0;
}
void digest(const char *text, uint8_t *out) {
    for (int i = 0; i < 8; i++) out[i] = (uint8_t)(text[0] + i);
}
void overrun(uint8_t *out) { memset(out, 1, 40); }
int32_t convert(const char *text, char **out) {
    if (strcmp(text, "bad") == 0) return -2;
    *out = shout(text);
    return 0;
}
void blob(uint8_t **out, uint64_t *length) {
    *out = malloc(4);
    memcpy(*out, "\x00\x01\x02\xFF", 4);
    *length = 4;
}
uint32_t split(const char *text, char ***out) {
    uint32_t count = 0;
    char *copy = strdup(text);
    char *rest = copy;
    char *word;
    *out = calloc(64, sizeof(char *));
    while ((word = strsep(&rest, " ")) != NULL && count < 64)
        if (*word != 0) (*out)[count++] = strdup(word);
    free(copy);
    return count;
}
void split_free(char ***list, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) free((*list)[i]);
    free(*list);
    *list = NULL;
    atomic_fetch_add(&releases, 1);
}

/* ---- Errors ---- */

const char *fixture_error(int code) { return code == -2 ? "bad text" : code == 7 ? "seven" : NULL; }
static const char *last = "nothing";
const char *fixture_last_error(void) { return last; }
int32_t check(int32_t code) { return code; }
int32_t need(int32_t value) {
    if (value < 0) errno = EDOM;
    return value;
}
double measure(double value, int32_t *error) {
    last = "too small";
    *error = value < 1 ? 7 : 0;
    return value;
}

/* ---- Objects ---- */

struct counter {
    int32_t value;
};
static atomic_int counters;
struct counter *counter_new(int32_t start, const char *path) {
    FILE *file = fopen(path, "r");
    struct counter *counter = calloc(1, sizeof *counter);
    counter->value = start;
    if (file != NULL) {
        int number = 0;
        if (fscanf(file, "%d", &number) == 1) counter->value += number;
        fclose(file);
    }
    atomic_fetch_add(&counters, 1);
    return counter;
}
void counter_free(struct counter *counter) {
    atomic_fetch_sub(&counters, 1);
    free(counter);
}
int32_t counter_next(struct counter *counter) { return ++counter->value; }
int32_t counter_count(void) { return atomic_load(&counters); }

/* ---- Time ---- */

static atomic_int inside;
static atomic_int most;
int32_t sleep_for(int32_t milliseconds) {
    int now = atomic_fetch_add(&inside, 1) + 1;
    int seen = atomic_load(&most);
    while (now > seen && !atomic_compare_exchange_weak(&most, &seen, now)) {
    }
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    nanosleep(&time, NULL);
    atomic_fetch_sub(&inside, 1);
    return now;
}
/* Waits until somebody opens the pipe at `path` for writing. */
int32_t wait_for_writer(const char *path) {
    int pipe = open(path, O_RDONLY | O_CLOEXEC);
    return pipe < 0 ? -1 : close(pipe);
}
int32_t most_inside(void) { return atomic_load(&most); }
