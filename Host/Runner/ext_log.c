/* ext_log.c - "tandem.log/1" in the runner: lines without an answer. */
#include "runner.h"

#include <jansson.h>
#include <time.h>

enum { WRITE = 1, LONGEST = 4096 };

/*
 * Over the process: what the host would drop need not travel, but it has to be counted. Ten times as many lines as one
 * instance may write (the host counts what is too much for each): 1,000 at once after a quiet second, then evenly.
 */
static const long long PRICE_NS = 1000000, BURST_NS = 1000000000;
static atomic_llong paid_until;

static int is_admitted(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    const long long now = (long long)time.tv_sec * 1000000000 + time.tv_nsec;
    long long paid = atomic_load(&paid_until), next;
    do {
        next = (paid > now - BURST_NS ? paid : now - BURST_NS) + PRICE_NS;
        if (next > now) return 0;
    } while (!atomic_compare_exchange_weak(&paid_until, &paid, next));
    return 1;
}

/* The beginning of a text, not cut within a character. */
static uint64_t cut(const tandem_slice text) {
    if (text.len <= LONGEST) return text.len;
    uint64_t length = LONGEST;
    while (length > 0 && (text.ptr[length] & 0xC0) == 0x80) length--;
    return length;
}

/* As the host would find out too late to say so: fields are an object. */
static int is_object(const tandem_slice fields) {
    if (fields.len == 0 || fields.len > LONGEST) return 1;
    json_t *value = json_loadb((const char *)fields.ptr, fields.len, 0, NULL);
    int is_one = json_is_object(value);
    json_decref(value);
    return is_one;
}

static tandem_status write_line(const tandem_host *host, uint32_t level, tandem_call_id call, tandem_slice message,
                                tandem_slice fields) {
    instance *self = instance_of(host);
    if (self == NULL) return TANDEM_E_INVALID_ARGUMENT;
    tandem_status permission = instance_permission(self, TANDEM_X_LOG);
    if (permission != TANDEM_OK) return permission;
    if (level < TANDEM_LOG_DEBUG || level > TANDEM_LOG_HOST_MISBEHAVING) return TANDEM_E_INVALID_ARGUMENT;
    if ((message.ptr == NULL && message.len > 0) || (fields.ptr == NULL && fields.len > 0)) {
        return TANDEM_E_INVALID_ARGUMENT;
    }
    if (!is_admitted()) return TANDEM_OK;
    uint64_t length = cut(message);
    if (!is_utf8(message.ptr, length) || !is_object(fields)) return TANDEM_E_INVALID_ARGUMENT;
    /* One byte too many says that there were more. */
    uint64_t fields_length = fields.len <= LONGEST ? fields.len : LONGEST + 1;
    /* function 1: level, call, length of the message, message, fields */
    uint64_t numbers[3] = {level, call, length};
    const part parts[] = {{numbers, sizeof numbers}, {message.ptr, length}, {fields.ptr, fields_length}};
    send_frame(TANDEM_F_REQUEST, self->number, TANDEM_CODE(TANDEM_X_LOG, WRITE), 0, parts, 3);
    return TANDEM_OK;
}

static const tandem_log table = {.header = {sizeof table, 0}, .write = write_line};

const host_extension log_extension = {TANDEM_EXT_LOG, TANDEM_X_LOG, &table};
