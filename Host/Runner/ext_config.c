/* ext_config.c - "tandem.config/1" in the runner: answered from what the host has pushed. */
#include "runner.h"

static tandem_status values(const tandem_host *host, tandem_buffer *out) {
    instance *self = instance_of(host);
    if (self == NULL || out == NULL) return TANDEM_E_INVALID_ARGUMENT;
    *out = (tandem_buffer){NULL, 0, NULL, NULL};
    tandem_status permission = instance_permission(self, TANDEM_X_CONFIG);
    if (permission != TANDEM_OK) return permission;
    pthread_mutex_lock(&self->mutex);
    *out = buffer_copy(self->config, self->config_length);
    pthread_mutex_unlock(&self->mutex);
    return TANDEM_OK;
}

static uint64_t generation(const tandem_host *host) {
    instance *self = instance_of(host);
    if (self == NULL) return 0;
    pthread_mutex_lock(&self->mutex);
    uint64_t value = self->config_generation;
    pthread_mutex_unlock(&self->mutex);
    return value;
}

static const tandem_config table = {.header = {sizeof table, 0}, .values = values, .generation = generation};

const host_extension config_extension = {TANDEM_EXT_CONFIG, TANDEM_X_CONFIG, &table};
