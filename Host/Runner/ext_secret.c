/* ext_secret.c - "tandem.secret/1" in the runner. */
#include "runner.h"

#include <stdlib.h>
#include <string.h>

enum { GET = 1, ENTERED = 2 };

/* Overwritten before it is freed. */
typedef struct secret {
    uint64_t length;
    uint8_t bytes[];
} secret;

static void forget(void *owner) {
    secret *self = owner;
    explicit_bzero(self->bytes, self->length);
    free(self);
}

static void reply(void *context, void (*done)(void), tandem_status status, const uint8_t *payload, uint64_t length) {
    tandem_buffer value = {NULL, 0, NULL, NULL};
    secret *copy = status == TANDEM_OK && length > 0 ? malloc(sizeof *copy + length) : NULL;
    if (copy != NULL) {
        copy->length = length;
        memcpy(copy->bytes, payload, length);
        value = (tandem_buffer){copy->bytes, length, copy, forget};
    } else if (status == TANDEM_OK) {
        status = TANDEM_E_INTERNAL;
    }
    ((tandem_secret_done)done)(context, status, value);
}

static tandem_status secret_get(const tandem_host *host, tandem_call_id call, tandem_slice name, void *context,
                                tandem_secret_done done) {
    instance *self = instance_of(host);
    if (self == NULL || done == NULL || !is_name(name, 48, 0)) return TANDEM_E_INVALID_ARGUMENT;
    /* function 1: call, name */
    const part parts[] = {{&call, sizeof call}, {name.ptr, name.len}};
    return service_send(self, TANDEM_CODE(TANDEM_X_SECRET, GET), call, parts, 2, reply, context,
                        (void (*)(void))done);
}

static tandem_status secret_entered(const tandem_host *host, tandem_call_id call, void *context,
                                    tandem_secret_done done) {
    instance *self = instance_of(host);
    if (self == NULL || done == NULL) return TANDEM_E_INVALID_ARGUMENT;
    /* function 2: call */
    const part parts[] = {{&call, sizeof call}};
    return service_send(self, TANDEM_CODE(TANDEM_X_SECRET, ENTERED), call, parts, 1, buffer_reply, context,
                        (void (*)(void))done);
}

static const tandem_secret table = {.header = {sizeof table, 0}, .get = secret_get, .entered = secret_entered};

const host_extension secret_extension = {TANDEM_EXT_SECRET, TANDEM_X_SECRET, &table};
