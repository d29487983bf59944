/* ext_clock.c - "tandem.clock/1" in the runner: answered from what the host has pushed. */
#include "runner.h"

#include <string.h>
#include <time.h>

enum { OFFSET_AT = 3 };

static int64_t now_ms(const tandem_host *host) {
    instance *self = instance_of(host);
    if (self != NULL) {
        int64_t pushed = atomic_load_explicit(&self->now_ms, memory_order_relaxed);
        if (pushed != INT64_MIN) return pushed;
    }
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static uint64_t monotonic_ns(const tandem_host *host) {
    (void)host;
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int32_t utc_offset_at(const tandem_host *host, int64_t unix_ms) {
    instance *self = instance_of(host);
    if (self == NULL) return 0;
    pthread_mutex_lock(&self->mutex);
    tandem_frame_person person = self->person;
    pthread_mutex_unlock(&self->mutex);
    if (unix_ms >= person.offset_from_ms && unix_ms < person.offset_until_ms) return person.offset_seconds;
    /* function 3: the instant; answered by a tandem_frame_person without locale */
    const part parts[] = {{&unix_ms, sizeof unix_ms}};
    tandem_frame_person answer;
    uint64_t length;
    tandem_status status = request_wait(self, TANDEM_CODE(TANDEM_X_CLOCK, OFFSET_AT), parts, 1, &answer, sizeof answer,
                                        &length);
    if (status != TANDEM_OK || length != sizeof answer) return person.offset_seconds;
    pthread_mutex_lock(&self->mutex);
    self->person.offset_from_ms = answer.offset_from_ms;
    self->person.offset_until_ms = answer.offset_until_ms;
    self->person.offset_seconds = answer.offset_seconds;
    pthread_mutex_unlock(&self->mutex);
    return answer.offset_seconds;
}

static tandem_status locale(const tandem_host *host, tandem_buffer *out) {
    instance *self = instance_of(host);
    if (self == NULL || out == NULL) return TANDEM_E_INVALID_ARGUMENT;
    pthread_mutex_lock(&self->mutex);
    *out = buffer_copy(self->locale, self->locale_length);
    pthread_mutex_unlock(&self->mutex);
    return TANDEM_OK;
}

static const tandem_clock table = {
    .header = {sizeof table, 0}, .now_ms = now_ms, .monotonic_ns = monotonic_ns, .utc_offset_at = utc_offset_at,
    .locale = locale};

const host_extension clock_extension = {TANDEM_EXT_CLOCK, TANDEM_X_CLOCK, &table};
