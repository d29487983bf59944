#include "worker.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RESULTS = 3 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char stage_text[256];
static volatile int is_over;

static void write_all(const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t written = write(RESULTS, bytes, length);
        if (written < 0) {
            if (errno == EINTR) continue;
            return;
        }
        bytes += written;
        length -= (size_t)written;
    }
}

/* Appends text as the inside of a JSON string; what is no printable ASCII becomes a question mark. */
static size_t escape(char *out, size_t room, const char *text) {
    size_t length = 0;
    for (; *text != 0 && length + 3 < room; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') out[length++] = '\\';
        out[length++] = c < 0x20 || c > 0x7E ? '?' : (char)c;
    }
    out[length] = 0;
    return length;
}

void report_open(void) {
    if (write(RESULTS, "", 0) < 0) {
        fprintf(stderr, "tandem-plugin-check-worker: descriptor 3 is missing; `tandem plugin check` runs this program\n");
        _exit(64);
    }
}

static void line(const char *text, size_t length) {
    pthread_mutex_lock(&lock);
    write_all(text, length);
    pthread_mutex_unlock(&lock);
}

void stage(const char *what, const char *detail) {
    char text[256], escaped[256], out[320];
    snprintf(text, sizeof text, "%s%s%s", what, detail != NULL && *detail != 0 ? " of " : "",
             detail == NULL ? "" : detail);
    escape(escaped, sizeof escaped, text);
    pthread_mutex_lock(&lock);
    if (strcmp(stage_text, escaped) != 0) {
        memcpy(stage_text, escaped, sizeof escaped);
        int length = snprintf(out, sizeof out, "{\"e\":\"stage\",\"text\":\"%s\"}\n", escaped);
        write_all(out, (size_t)length);
    }
    pthread_mutex_unlock(&lock);
}

const char *current_stage(void) { return stage_text; }

void finding(enum level level, const char *code, const char *format, ...) {
    char text[512], escaped[1024], out[1400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    escape(escaped, sizeof escaped, text);
    int length = snprintf(out, sizeof out, "{\"e\":\"finding\",\"level\":\"%s\",\"code\":\"%s\",\"text\":\"%s\"}\n",
                          level == LEVEL_ERROR ? "error" : "warning", code, escaped);
    line(out, (size_t)length);
}

void report_number(const char *name, double value) { report_event("number", "\"name\":\"%s\",\"value\":%.3f", name, value); }

char *hex(const void *bytes, uint64_t length) {
    static const char DIGITS[] = "0123456789abcdef";
    char *out = malloc((size_t)length * 2 + 1);
    if (out == NULL) abort();
    for (uint64_t index = 0; index < length; index++) {
        uint8_t byte = ((const uint8_t *)bytes)[index];
        out[index * 2] = DIGITS[byte >> 4];
        out[index * 2 + 1] = DIGITS[byte & 15];
    }
    out[length * 2] = 0;
    return out;
}

void report_bytes(const char *name, const void *bytes, uint64_t length) {
    char *digits = hex(bytes, length);
    report_event("bytes", "\"name\":\"%s\",\"value\":\"%s\"", name, digits);
    free(digits);
}

void report_event(const char *event, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    size_t room = (size_t)length + strlen(event) + 16;
    char *out = malloc(room);
    if (out == NULL) abort();
    int start = snprintf(out, room, "{\"e\":\"%s\"%s", event, length > 0 ? "," : "");
    vsnprintf(out + start, room - (size_t)start, format, again);
    va_end(again);
    strcat(out + start + length, "}\n");
    line(out, (size_t)(start + length + 2));
    free(out);
}

void report_from_signal(const char *code, const char *text) {
    static char out[700];
    size_t length = 0;
    const char *parts[] = {"{\"e\":\"finding\",\"level\":\"error\",\"code\":\"", code, "\",\"text\":\"", text,
                           "\",\"stage\":\"", stage_text, "\"}\n"};
    for (size_t part = 0; part < sizeof parts / sizeof *parts; part++)
        for (const char *c = parts[part]; *c != 0 && length < sizeof out; c++) out[length++] = *c;
    write_all(out, length);
}

void report_end(void) {
    is_over = 1;
    report_event("end", "%s", "");
}

bool has_ended(void) { return is_over != 0; }
