#define _GNU_SOURCE
#include "worker.h"

#include <link.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * Regions: a mapping whose last page is never accessible, with the bytes right before it. Ended loans stay mapped without
 * access, so that their addresses are not used again; the oldest ones go when there are too many.
 */
enum { MAX_REGIONS = 16384, MAX_ENDED = 4096 };

struct region {
    _Atomic(uint8_t *) start;
    size_t mapped;
    uint8_t *bytes;
    size_t length;
    const char *label;
    _Atomic int is_over;
};

static struct region regions[MAX_REGIONS];
static _Atomic unsigned ended_count;
static unsigned next_region;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static size_t page_size(void) {
    static size_t size;
    if (size == 0) size = (size_t)sysconf(_SC_PAGESIZE);
    return size;
}

static struct region *free_region(void) {
    for (unsigned tried = 0; tried < MAX_REGIONS; tried++) {
        struct region *region = &regions[next_region++ % MAX_REGIONS];
        if (atomic_load(&region->start) == NULL) return region;
        if (atomic_load(&region->is_over) && atomic_load(&ended_count) > MAX_ENDED) {
            munmap(atomic_load(&region->start), region->mapped);
            atomic_store(&region->start, NULL);
            atomic_fetch_sub(&ended_count, 1);
            return region;
        }
    }
    finding(LEVEL_ERROR, "worker_failed", "the worker has no more room for what it lends");
    _exit(70);
}

struct region *lend(const void *bytes, size_t length, bool constant, const char *label) {
    size_t page = page_size();
    size_t pages = (length + page - 1) / page;
    if (pages == 0) pages = 1;
    uint8_t *start = mmap(NULL, (pages + 1) * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) {
        finding(LEVEL_ERROR, "worker_failed", "no memory for the worker");
        _exit(70);
    }
    uint8_t *at = start + pages * page - length;
    if (length > 0 && bytes != NULL) memcpy(at, bytes, length);
    mprotect(start + pages * page, page, PROT_NONE);
    if (constant) mprotect(start, pages * page, PROT_READ);
    pthread_mutex_lock(&lock);
    struct region *region = free_region();
    region->mapped = (pages + 1) * page;
    region->bytes = at;
    region->length = length;
    region->label = label;
    atomic_store(&region->is_over, 0);
    atomic_store(&region->start, start);
    pthread_mutex_unlock(&lock);
    return region;
}

void *loan(const struct region *region) { return region->bytes; }

void end_loan(struct region *region) {
    if (region == NULL || atomic_exchange(&region->is_over, 1)) return;
    mprotect(atomic_load(&region->start), region->mapped, PROT_NONE);
    /* The memory goes, the addresses stay taken. */
    madvise(atomic_load(&region->start), region->mapped, MADV_DONTNEED);
    atomic_fetch_add(&ended_count, 1);
}

const char *describe_address(const void *address, bool *is_over, bool *is_behind) {
    const uint8_t *at = address;
    for (unsigned index = 0; index < MAX_REGIONS; index++) {
        const struct region *region = &regions[index];
        const uint8_t *start = atomic_load(&region->start);
        if (start == NULL || at < start || at >= start + region->mapped) continue;
        if (is_over != NULL) *is_over = atomic_load(&region->is_over) != 0;
        if (is_behind != NULL) *is_behind = at >= region->bytes + region->length;
        return region->label;
    }
    return NULL;
}

/* Gifts: the owner is a token in static memory, so that freeing it instead of releasing it is found by the C library. */
enum { MAX_GIFTS = 65536 };

struct token {
    struct region *region;
    const char *label;
    _Atomic int is_released;
};

static struct token tokens[MAX_GIFTS];
static _Atomic unsigned tokens_used, outstanding;

static void release_gift(void *owner) {
    struct token *token = owner;
    if (token < tokens || token >= tokens + MAX_GIFTS || ((uintptr_t)owner - (uintptr_t)tokens) % sizeof *token != 0) {
        finding(LEVEL_ERROR, "foreign_release", "a buffer's release was called with another owner than the buffer's");
        return;
    }
    if (atomic_exchange(&token->is_released, 1)) {
        finding(LEVEL_ERROR, "released_twice", "%s was released twice", token->label);
        return;
    }
    end_loan(token->region);
    atomic_fetch_sub(&outstanding, 1);
}

tandem_buffer gift(const void *bytes, uint64_t length, const char *label) {
    unsigned index = atomic_fetch_add(&tokens_used, 1) % MAX_GIFTS;
    struct token *token = &tokens[index];
    token->region = lend(bytes, (size_t)length, true, label);
    token->label = label;
    atomic_store(&token->is_released, 0);
    atomic_fetch_add(&outstanding, 1);
    return (tandem_buffer){.ptr = loan(token->region), .len = length, .owner = token, .release = release_gift};
}

unsigned gifts_outstanding(void) { return atomic_load(&outstanding); }

/* ---- The plugin's image ---- */

static uintptr_t image_start, image_end;

static int match_image(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size;
    uintptr_t within = (uintptr_t)context, start = UINTPTR_MAX, end = 0;
    for (int index = 0; index < info->dlpi_phnum; index++) {
        if (info->dlpi_phdr[index].p_type != PT_LOAD) continue;
        uintptr_t from = info->dlpi_addr + info->dlpi_phdr[index].p_vaddr;
        if (from < start) start = from;
        if (from + info->dlpi_phdr[index].p_memsz > end) end = from + info->dlpi_phdr[index].p_memsz;
    }
    if (within < start || within >= end) return 0;
    image_start = start;
    image_end = end;
    return 1;
}

void set_image(const void *within) { dl_iterate_phdr(match_image, (void *)(uintptr_t)within); }

bool is_in_image(const void *address) { return (uintptr_t)address >= image_start && (uintptr_t)address < image_end; }

/* ---- Faults ---- */

static const char *signal_name(int number) {
    switch (number) {
    case SIGSEGV: return "SIGSEGV";
    case SIGBUS: return "SIGBUS";
    case SIGILL: return "SIGILL";
    case SIGFPE: return "SIGFPE";
    case SIGABRT: return "SIGABRT";
    case SIGTRAP: return "SIGTRAP";
    case SIGSYS: return "SIGSYS";
    default: return "a signal";
    }
}

static void on_fault(int number, siginfo_t *info, void *context) {
    static _Atomic int entered;
    (void)context;
    if (atomic_exchange(&entered, 1)) _exit(98);
    bool is_over = false, is_behind = false;
    const char *label = number == SIGSEGV ? describe_address(info->si_addr, &is_over, &is_behind) : NULL;
    static char text[256];
    if (label != NULL) {
        const char *how = is_over     ? "used after its time: "
                          : is_behind ? (strstr(label, "table") != NULL || strstr(label, "tandem_") != NULL ||
                                                 strchr(label, '(') != NULL || strcmp(label, "the request") == 0
                                             ? "read beyond its end (header.size says how long it is): "
                                             : "read beyond its end (it says its length; there is no NUL): ")
                                      : "written to (it is constant): ";
        snprintf(text, sizeof text, "%s%s", how, label);
        report_from_signal(is_over ? "used_after_loan" : is_behind ? "read_beyond_end" : "wrote_to_loan", text);
    } else {
        snprintf(text, sizeof text, "the plugin crashed with %s", signal_name(number));
        report_from_signal("crashed", text);
    }
    _exit(97);
}

static void on_end(void) {
    if (!has_ended()) finding(LEVEL_ERROR, "exited", "the plugin ended the process (exit)");
}

void install_fault_handlers(void) {
    static uint8_t stack[64 << 10];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&alternate, NULL);
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};
    for (size_t index = 0; index < sizeof signals / sizeof *signals; index++) sigaction(signals[index], &action, NULL);
    atexit(on_end);
}
