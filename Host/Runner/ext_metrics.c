/*
 * ext_metrics.c - "tandem.metrics/1" in the runner.
 *
 * Only the host knows what the manifest declares. It is asked once about each series; what it has accepted before is
 * remembered, and later numbers of the same series travel without waiting.
 */
#include "runner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ADD = 1, SET = 2, OBSERVE = 3 };
enum { LABELS = 4, LONGEST = 64, BUCKETS = 256, MOST = 4096 };

/* Function, lengths and bytes of the name and the label values, as they travel. */
typedef struct series {
    struct series *next;
    uint64_t length;
    uint8_t key[];
} series;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static series *accepted[BUCKETS];
static size_t count_accepted;

static size_t bucket_of(const uint8_t *key, uint64_t length) {
    uint32_t hash = 2166136261u;
    for (uint64_t index = 0; index < length; index++) hash = (hash ^ key[index]) * 16777619u;
    return hash % BUCKETS;
}

static int is_accepted(const uint8_t *key, uint64_t length) {
    pthread_mutex_lock(&mutex);
    series *found = accepted[bucket_of(key, length)];
    while (found != NULL && (found->length != length || memcmp(found->key, key, length) != 0)) found = found->next;
    pthread_mutex_unlock(&mutex);
    return found != NULL;
}

static void accept(const uint8_t *key, uint64_t length) {
    series *new = malloc(sizeof *new + length);
    if (new == NULL) return;
    new->length = length;
    memcpy(new->key, key, length);
    pthread_mutex_lock(&mutex);
    int has_room = count_accepted < MOST;
    if (has_room) {
        series **bucket = &accepted[bucket_of(key, length)];
        new->next = *bucket;
        *bucket = new;
        count_accepted++;
    }
    pthread_mutex_unlock(&mutex);
    if (!has_room) free(new);
}

static tandem_status record(const tandem_host *host, uint32_t function, tandem_slice name, tandem_array labels,
                            double value) {
    instance *self = instance_of(host);
    if (self == NULL || (name.ptr == NULL && name.len > 0) || name.len > INT64_MAX) return TANDEM_E_INVALID_ARGUMENT;
    tandem_status permission = instance_permission(self, TANDEM_X_METRICS);
    if (permission != TANDEM_OK) return permission;
    if (name.len == 0 || name.len > LONGEST) return TANDEM_E_UNSUPPORTED;
    if (!isfinite(value) || labels.count > LABELS ||
        (labels.count > 0 &&
         (labels.first == NULL || (uintptr_t)labels.first % _Alignof(tandem_slice) != 0 || labels.stride > 4096 ||
          labels.stride < sizeof(tandem_slice) || labels.stride % _Alignof(tandem_slice) != 0))) {
        return TANDEM_E_INVALID_ARGUMENT;
    }
    /* functions 1 to 3: value, number of labels, length and bytes of the name, and of each label's value */
    struct {
        double value;
        uint64_t count;
    } head = {value, labels.count};
    uint8_t key[8 + (1 + LABELS) * (8 + LONGEST)];
    uint64_t length = 0, kind = function;
    memcpy(key, &kind, sizeof kind);
    length += sizeof kind;
    for (uint64_t index = 0; index <= labels.count; index++) {
        tandem_slice text = name;
        if (index > 0) text = *(const tandem_slice *)((const uint8_t *)labels.first + (index - 1) * labels.stride);
        if ((text.ptr == NULL && text.len > 0) || text.len > LONGEST) return TANDEM_E_INVALID_ARGUMENT;
        memcpy(key + length, &text.len, sizeof text.len);
        length += sizeof text.len;
        if (text.len > 0) memcpy(key + length, text.ptr, text.len);
        length += text.len;
    }
    const part parts[] = {{&head, sizeof head}, {key + sizeof kind, length - sizeof kind}};
    uint32_t code = TANDEM_CODE(TANDEM_X_METRICS, function);
    /* Whether a series may be lowered depends on its kind: the host says. */
    if (value >= 0 && is_accepted(key, length)) {
        send_frame(TANDEM_F_REQUEST, self->number, code, 0, parts, 2);
        return TANDEM_OK;
    }
    uint64_t nothing;
    tandem_status status = request_wait(self, code, parts, 2, NULL, 0, &nothing);
    if (status == TANDEM_OK) accept(key, length);
    return status;
}

static tandem_status metrics_add(const tandem_host *host, tandem_slice name, tandem_array labels, double amount) {
    return record(host, ADD, name, labels, amount);
}

static tandem_status metrics_set(const tandem_host *host, tandem_slice name, tandem_array labels, double value) {
    return record(host, SET, name, labels, value);
}

static tandem_status metrics_observe(const tandem_host *host, tandem_slice name, tandem_array labels, double value) {
    return record(host, OBSERVE, name, labels, value);
}

static const tandem_metrics table = {
    .header = {sizeof table, 0}, .add = metrics_add, .set = metrics_set, .observe = metrics_observe};

const host_extension metrics_extension = {TANDEM_EXT_METRICS, TANDEM_X_METRICS, &table};
