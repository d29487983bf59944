/* ext_http.c - "tandem.http/1" in the runner. */
#include "runner.h"

#include <stdlib.h>
#include <string.h>

enum { SEND = 1, READ = 2, CANCEL = 3, CANCEL_STREAM = 4 };
enum { FIELDS = 64, ANSWERED = 256, MOST = 16 };

/* A request under way, or a stream that is open. */
typedef struct flight {
    struct flight *next;
    uint64_t id;     /* as the plugin knows it: the number of the request in requests.c */
    uint32_t owner;  /* the instance's number */
    tandem_call_id call;
    int streamed;
    uint64_t number; /* of an open stream: as the host knows it; 0 before */
    int reading;
    void *context;   /* the plugin's, of send or of the read that waits */
} flight;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static flight *flights;

/* With the mutex held: takes a flight out of the list. */
static void unlist(flight *wanted) {
    for (flight **link = &flights; *link != NULL; link = &(*link)->next) {
        if (*link != wanted) continue;
        *link = wanted->next;
        return;
    }
}

static flight *find(uint64_t id, uint32_t owner) {
    for (flight *this = flights; this != NULL; this = this->next)
        if (this->id == id && this->owner == owner) return this;
    return NULL;
}

/* With the mutex held: forgets streams whose call is over, which the host has ended, and what instances left behind. */
static void sweep(const instance *self) {
    for (flight **link = &flights; *link != NULL;) {
        flight *this = *link;
        int is_left = this->owner == self->number ? this->number != 0 && !this->reading && call_check(this->call, self) != TANDEM_OK
                                                  : instance_find(this->owner) == NULL;
        if (!is_left) {
            link = &this->next;
            continue;
        }
        *link = this->next;
        free(this);
    }
}

/* The answer is a tandem_frame_http, the lengths of the fields' names and values, and all their text. */
static void reply(void *context, void (*done)(void), tandem_status status, const uint8_t *payload, uint64_t length) {
    flight *self = context;
    void *plugins = self->context;
    tandem_frame_http head;
    tandem_http_field fields[ANSWERED];
    tandem_http_response response = {.header = {sizeof response, 0}};
    memset(&head, 0, sizeof head);
    if (length >= sizeof head) memcpy(&head, payload, sizeof head);
    uint64_t at = sizeof head, lengths = at;
    int is_whole = length >= sizeof head && head.fields <= ANSWERED && length - at >= head.fields * 16ull;
    if (is_whole) {
        at += head.fields * 16ull;
        for (uint32_t index = 0; is_whole && index < head.fields; index++) {
            uint64_t both[2];
            memcpy(both, payload + lengths + index * 16ull, sizeof both);
            is_whole = both[0] <= length - at && both[1] <= length - at - both[0];
            if (!is_whole) break;
            fields[index] = (tandem_http_field){{payload + at, both[0]}, {payload + at + both[0], both[1]}};
            at += both[0] + both[1];
        }
    }
    if (is_whole)
        is_whole = head.url <= length - at && head.detail <= length - at - head.url &&
                   head.body <= length - at - head.url - head.detail;
    if (is_whole) {
        response.header.flags = head.flags;
        response.status_code = head.status_code;
        response.redirects = head.redirects;
        response.age_ms = head.age_ms;
        response.retry_after_ms = head.retry_after_ms;
        response.headers = (tandem_array){fields, head.fields, sizeof fields[0]};
        response.url = (tandem_slice){payload + at, head.url};
        response.detail = (tandem_slice){payload + at + head.url, head.detail};
        response.body = buffer_copy(payload + at + head.url + head.detail, head.body);
    } else if (status == TANDEM_OK) {
        status = TANDEM_E_INTERNAL;
    }
    pthread_mutex_lock(&mutex);
    if (status == TANDEM_OK && self->streamed && head.number != 0) {
        self->number = head.number;
        self = NULL;
    } else {
        unlist(self);
    }
    pthread_mutex_unlock(&mutex);
    free(self);
    ((tandem_http_done)done)(plugins, status, &response);
}

static int is_method(tandem_slice method) {
    static const char *const known[] = {"", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
    for (size_t index = 0; index < sizeof known / sizeof known[0]; index++)
        if (method.len == strlen(known[index]) && (method.len == 0 || memcmp(method.ptr, known[index], method.len) == 0))
            return 1;
    return 0;
}

/* With the mutex held. */
static size_t count_of(uint32_t owner) {
    size_t count = 0;
    for (flight *this = flights; this != NULL; this = this->next) count += this->owner == owner;
    return count;
}

static tandem_status http_send(const tandem_host *host, tandem_call_id call, const tandem_http_request *request,
                               void *context, tandem_http_done done, uint64_t *out) {
    if (out != NULL) *out = 0;
    instance *self = instance_of(host);
    if (self == NULL || request == NULL || done == NULL) return TANDEM_E_INVALID_ARGUMENT;
    tandem_status permission = instance_permission(self, TANDEM_X_HTTP);
    if (permission != TANDEM_OK) return permission;
    if (call_check(call, self) != TANDEM_OK) return TANDEM_E_STALE;
    if (request->header.size < sizeof *request) return TANDEM_E_SIZE_TOO_SMALL;
    if (request->header.flags & TANDEM_FLAGS_MUST_UNDERSTAND) return TANDEM_E_UNSUPPORTED;
    if (request->body.len > 6u << 20) return TANDEM_E_TOO_LARGE;
    uint64_t most = request->header.flags & TANDEM_HTTP_STREAM ? 256u << 20 : 6u << 20;
    if (request->max_response_bytes > most || (request->method.ptr == NULL && request->method.len > 0) ||
        !is_method(request->method) ||
        request->url.len > 16384 || request->grant.len > 128 ||
        request->idempotency_key.len > 255 || request->headers.count > FIELDS ||
        (request->headers.count > 0 && (request->headers.first == NULL || request->headers.stride > 4096 ||
                                        request->headers.stride < sizeof(tandem_http_field)))) {
        return TANDEM_E_INVALID_ARGUMENT;
    }
    /* function 1: call, tandem_frame_http_request, the lengths of the fields' names and values, all text, body */
    tandem_frame_http_request head = {
        .flags = request->header.flags, .fields = (uint32_t)request->headers.count, .method = request->method.len,
        .url = request->url.len, .grant = request->grant.len, .key = request->idempotency_key.len,
        .timeout_ms = request->timeout_ms, .max_response_bytes = request->max_response_bytes,
        .max_stale_ms = request->max_stale_ms};
    uint64_t lengths[FIELDS * 2];
    part parts[8 + FIELDS * 2];
    const tandem_slice texts[] = {request->method, request->url, request->grant, request->idempotency_key};
    size_t count = 0, total = 0;
    parts[count++] = (part){&call, sizeof call};
    parts[count++] = (part){&head, sizeof head};
    parts[count++] = (part){lengths, head.fields * 16ull};
    for (size_t index = 0; index < 4; index++) {
        if (texts[index].ptr == NULL && texts[index].len > 0) return TANDEM_E_INVALID_ARGUMENT;
        parts[count++] = (part){texts[index].ptr, texts[index].len};
    }
    const uint8_t *element = request->headers.first;
    for (uint32_t index = 0; index < head.fields; index++, element += request->headers.stride) {
        tandem_http_field field;
        memcpy(&field, element, sizeof field);
        if ((field.name.ptr == NULL && field.name.len > 0) || (field.value.ptr == NULL && field.value.len > 0) ||
            field.name.len > 256 || field.value.len > 32768 || (total += field.name.len + field.value.len) > 65536) {
            return TANDEM_E_INVALID_ARGUMENT;
        }
        lengths[index * 2] = field.name.len;
        lengths[index * 2 + 1] = field.value.len;
        parts[count++] = (part){field.name.ptr, field.name.len};
        parts[count++] = (part){field.value.ptr, field.value.len};
    }
    if (request->body.ptr == NULL && request->body.len > 0) return TANDEM_E_INVALID_ARGUMENT;
    parts[count++] = (part){request->body.ptr, request->body.len};

    flight *new = calloc(1, sizeof *new);
    if (new == NULL) return TANDEM_E_NO_MEMORY;
    new->owner = self->number;
    new->call = call;
    new->streamed = (request->header.flags & TANDEM_HTTP_STREAM) != 0;
    new->context = context;
    pthread_mutex_lock(&mutex);
    sweep(self);
    uint64_t id = count_of(self->number) < MOST ? request_begin(self, reply, new, (void (*)(void))done) : 0;
    if (id != 0) {
        new->id = id;
        new->next = flights;
        flights = new;
    }
    pthread_mutex_unlock(&mutex);
    if (id == 0) {
        free(new);
        return TANDEM_E_BUSY;
    }
    if (out != NULL) *out = id;
    send_frame(TANDEM_F_REQUEST, self->number, TANDEM_CODE(TANDEM_X_HTTP, SEND), id, parts, count);
    return TANDEM_OK;
}

/* The answer is the piece. */
static void piece(void *context, void (*done)(void), tandem_status status, const uint8_t *payload, uint64_t length) {
    flight *self = context;
    pthread_mutex_lock(&mutex);
    void *plugins = self->context;
    self->reading = 0;
    if (status != TANDEM_OK || length == 0) {
        unlist(self);
    } else {
        self = NULL;
    }
    pthread_mutex_unlock(&mutex);
    free(self);
    ((tandem_http_chunk)done)(plugins, status, buffer_copy(payload, length));
}

static tandem_status http_read(const tandem_host *host, uint64_t id, uint64_t max_bytes, void *context,
                               tandem_http_chunk chunk) {
    instance *self = instance_of(host);
    if (self == NULL || chunk == NULL || max_bytes > 1u << 20) return TANDEM_E_INVALID_ARGUMENT;
    tandem_status permission = instance_permission(self, TANDEM_X_HTTP);
    if (permission != TANDEM_OK) return permission;
    pthread_mutex_lock(&mutex);
    flight *this = find(id, self->number);
    tandem_status status = this == NULL || this->number == 0 ? TANDEM_E_STALE
                           : this->reading                   ? TANDEM_E_WRONG_STATE
                                                             : TANDEM_OK;
    uint64_t numbers[2] = {0, max_bytes}, request = 0;
    if (status == TANDEM_OK) {
        request = request_begin(self, piece, this, (void (*)(void))chunk);
        if (request == 0) {
            status = TANDEM_E_BUSY;
        } else {
            this->reading = 1;
            this->context = context;
            numbers[0] = this->number;
        }
    }
    pthread_mutex_unlock(&mutex);
    if (status != TANDEM_OK) return status;
    /* function 2: the host's number of the stream, most bytes */
    const part parts[] = {{numbers, sizeof numbers}};
    send_frame(TANDEM_F_REQUEST, self->number, TANDEM_CODE(TANDEM_X_HTTP, READ), request, parts, 1);
    return TANDEM_OK;
}

static tandem_status http_cancel(const tandem_host *host, uint64_t id) {
    instance *self = instance_of(host);
    if (self == NULL) return TANDEM_E_INVALID_ARGUMENT;
    pthread_mutex_lock(&mutex);
    flight *this = find(id, self->number), *over = NULL;
    uint64_t number = this == NULL ? 0 : this->number;
    if (number != 0 && !this->reading) {
        /* A read that waits is answered, and that ends it. */
        unlist(this);
        over = this;
    }
    int is_known = this != NULL;
    pthread_mutex_unlock(&mutex);
    free(over);
    if (!is_known) return TANDEM_E_STALE;
    /* function 3: the number of the request that SEND had; function 4: the host's number of the stream. No answer. */
    const part parts[] = {{number != 0 ? &number : &id, sizeof number}};
    send_frame(TANDEM_F_REQUEST, self->number,
               TANDEM_CODE(TANDEM_X_HTTP, number != 0 ? CANCEL_STREAM : CANCEL), 0, parts, 1);
    return TANDEM_OK;
}

static const tandem_http table = {
    .header = {sizeof table, 0}, .send = http_send, .read = http_read, .cancel = http_cancel};

const host_extension http_extension = {TANDEM_EXT_HTTP, TANDEM_X_HTTP, &table};
