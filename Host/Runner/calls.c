/*
 * calls.c - what is known here of calls: whether they are in flight, cancelled or over.
 *
 * The host makes ids from a slot and the slot's generation (Host/PluginHost/Calls/CallTable.swift). A word holds the
 * generation and the state of a slot, so that a late completion of an old call never hits a new one.
 */
#include "runner.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* MOST: as in the host (ServiceRequest.swift). */
enum { SLOTS = 65536, MOST = 64 };

enum { NONE, RUNNING, CANCELLED, DONE, FORGOTTEN };

typedef struct slot {
    atomic_ullong word; /* generation << 32 | state */
    _Atomic(const instance *) owner;
    atomic_ullong services; /* generation << 32 | requests that run */
} slot;

static slot *slots;

void calls_prepare(void) {
    void *memory = mmap(NULL, SLOTS * sizeof(slot), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) _exit(70);
    slots = memory;
}

static slot *slot_of(uint64_t id) {
    uint32_t low = (uint32_t)id;
    return low == 0 || low > SLOTS ? NULL : &slots[low - 1];
}

static unsigned long long word_of(uint64_t id, unsigned state) { return (id >> 32) << 32 | state; }

void call_begin(uint64_t id, instance *owner) {
    slot *place = slot_of(id);
    if (place == NULL) return;
    atomic_store_explicit(&place->word, 0, memory_order_release);
    atomic_store_explicit(&place->owner, owner, memory_order_release);
    atomic_store_explicit(&place->services, word_of(id, 0), memory_order_release);
    atomic_store_explicit(&place->word, word_of(id, RUNNING), memory_order_release);
}

int call_cancel(uint64_t id) {
    slot *place = slot_of(id);
    if (place == NULL) return 0;
    unsigned long long expected = word_of(id, RUNNING);
    return atomic_compare_exchange_strong(&place->word, &expected, word_of(id, CANCELLED));
}

void call_forget(uint64_t id) {
    slot *place = slot_of(id);
    if (place == NULL) return;
    unsigned long long word = atomic_load(&place->word);
    while (word == word_of(id, RUNNING) || word == word_of(id, CANCELLED)) {
        if (atomic_compare_exchange_weak(&place->word, &word, word_of(id, FORGOTTEN))) return;
    }
}

tandem_status call_claim(uint64_t id, const instance *owner, int *foreign) {
    *foreign = 0;
    slot *place = slot_of(id);
    if (place == NULL) return TANDEM_E_STALE;
    unsigned long long word = atomic_load(&place->word);
    for (;;) {
        if (word >> 32 != id >> 32) return TANDEM_E_STALE;
        unsigned state = (unsigned)word;
        const instance *whose = atomic_load(&place->owner);
        if (state == RUNNING || state == CANCELLED) {
            if (whose != owner) {
                *foreign = 1;
                return TANDEM_E_STALE;
            }
            if (atomic_compare_exchange_weak(&place->word, &word, word_of(id, DONE))) return TANDEM_OK;
            continue;
        }
        return state == DONE && whose == owner ? TANDEM_E_ALREADY_DONE : TANDEM_E_STALE;
    }
}

int32_t call_cancelled(uint64_t id, const instance *owner) {
    slot *place = slot_of(id);
    if (place == NULL) return TANDEM_E_STALE;
    unsigned long long word = atomic_load_explicit(&place->word, memory_order_acquire);
    if (atomic_load_explicit(&place->owner, memory_order_acquire) != owner) return TANDEM_E_STALE;
    return word == word_of(id, RUNNING) ? 0 : word == word_of(id, CANCELLED) ? 1 : TANDEM_E_STALE;
}

tandem_status call_check(uint64_t id, const instance *owner) {
    return call_cancelled(id, owner) < 0 ? TANDEM_E_STALE : TANDEM_OK;
}

tandem_status call_service_begin(uint64_t id, const instance *owner) {
    if (call_check(id, owner) != TANDEM_OK) return TANDEM_E_STALE;
    slot *place = slot_of(id);
    unsigned long long count = atomic_load(&place->services);
    do {
        if (count >> 32 != id >> 32) return TANDEM_E_STALE;
        if ((uint32_t)count >= MOST) return TANDEM_E_BUSY;
    } while (!atomic_compare_exchange_weak(&place->services, &count, count + 1));
    return TANDEM_OK;
}

void call_service_end(uint64_t id) {
    slot *place = slot_of(id);
    if (place == NULL) return;
    unsigned long long count = atomic_load(&place->services);
    while (count >> 32 == id >> 32 && (uint32_t)count > 0) {
        if (atomic_compare_exchange_weak(&place->services, &count, count - 1)) return;
    }
}
