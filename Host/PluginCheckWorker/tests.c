#define _GNU_SOURCE
#include "worker.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <tandem_foreign.h>
#include <unistd.h>

static tandem_plugin_entry_fn entry;
static const tandem_plugin *plugin;

/* Everything that answers at all does so in this time, on a slow machine too; the parent's limit is longer. */
enum { PATIENCE = 10000 };

static bool is_swift(void) { return number_setting("swift", 0) != 0; }

static _Noreturn void give_up(void) {
    report_end();
    fflush(stdout);
    _exit(0);
}

/* ---- Loading ---- */

/* Calls the library of a bundle without code, through the adapter that the runner has. */
static void open_foreign(const char *folder) {
    char path[4096], reason[512] = "";
    stage("opening the library by its manifest", NULL);
    snprintf(path, sizeof path, "%s/plugin.json", folder);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (file < 0 || fstat(file, &status) != 0) {
        finding(LEVEL_ERROR, "load_failed", "%s cannot be read", path);
        give_up();
    }
    size_t length = 0;
    char *text = malloc((size_t)status.st_size + 1);
    if (text == NULL) abort();
    for (ssize_t count; (count = read(file, text + length, (size_t)status.st_size - length)) > 0;) length += (size_t)count;
    close(file);
    int bundle = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const struct tandem_foreign_source source = {text, length, bundle};
    uint64_t start = now_ns();
    plugin = bundle < 0 ? NULL : tandem_foreign_open(&source, reason, sizeof reason);
    if (plugin == NULL) {
        finding(LEVEL_ERROR, "load_failed", "the library cannot be called by this manifest: %s", reason);
        give_up();
    }
    report_number("loadMilliseconds", (double)(now_ns() - start) / 1e6);
    close(bundle);
    free(text);
}

static void open_library(const char *path) {
    stage("loading the library", NULL);
    set_phase(PHASE_LOAD);
    uint64_t start = now_ns();
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    uint64_t end = now_ns();
    if (handle == NULL) {
        finding(LEVEL_ERROR, "load_failed", "the dynamic loader refuses it: %s", dlerror());
        give_up();
    }
    report_number("loadMilliseconds", (double)(end - start) / 1e6);
    entry = (tandem_plugin_entry_fn)(uintptr_t)dlsym(handle, TANDEM_PLUGIN_ENTRY_SYMBOL);
    if (entry == NULL) {
        finding(LEVEL_ERROR, "no_entry", "it does not export " TANDEM_PLUGIN_ENTRY_SYMBOL);
        give_up();
    }
    set_image((const void *)(uintptr_t)entry);
    stage("the entry point", NULL);
    plugin = entry(TANDEM_ABI_MAJOR, TANDEM_ABI_MINOR);
    if (plugin == NULL) {
        finding(LEVEL_ERROR, "entry_null", "the entry point answers null for ABI %u.%u", TANDEM_ABI_MAJOR, TANDEM_ABI_MINOR);
        give_up();
    }
}

void load_plugin(const char *path) {
    struct stat status;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        open_foreign(path);
        return;
    }
    open_library(path);
    if ((uintptr_t)plugin % _Alignof(tandem_plugin) != 0) {
        finding(LEVEL_ERROR, "misaligned", "the plugin's table is not aligned");
        give_up();
    }
    if (plugin->header.size < 20 || plugin->abi_major != TANDEM_ABI_MAJOR) {
        finding(LEVEL_ERROR, "abi_mismatch", "the table has the size %u and was built for ABI %u.%u", plugin->header.size,
                plugin->abi_major, plugin->abi_minor);
        give_up();
    }
    if (plugin->abi_lowest_minor > TANDEM_ABI_MINOR || plugin->abi_lowest_minor > plugin->abi_minor) {
        finding(LEVEL_ERROR, "abi_mismatch", "it needs ABI %u.%u or later and was built for %u.%u; this host has %u.%u",
                plugin->abi_major, plugin->abi_lowest_minor, plugin->abi_major, plugin->abi_minor, TANDEM_ABI_MAJOR,
                TANDEM_ABI_MINOR);
        give_up();
    }
    if (plugin->header.size < sizeof *plugin) {
        finding(LEVEL_ERROR, "small_table", "the plugin's table says a size of %u; ABI 1.0 has %zu", plugin->header.size,
                sizeof *plugin);
        give_up();
    }
    if ((plugin->header.flags & TANDEM_FLAGS_MUST_UNDERSTAND) != 0)
        finding(LEVEL_ERROR, "unknown_flags", "the plugin's table has flags that no host understands");
    if (plugin->manifest == NULL || plugin->create == NULL) {
        finding(LEVEL_ERROR, "null_function", "the function %s of the plugin's table is null",
                plugin->manifest == NULL ? "manifest" : "create");
        give_up();
    }
}

static void test_entry(void) {
    if (entry == NULL) return;
    set_phase(PHASE_LOAD);
    const uint32_t others[] = {0, TANDEM_ABI_MAJOR + 1, UINT32_MAX};
    for (size_t index = 0; index < sizeof others / sizeof *others; index++)
        if (entry(others[index], 0) != NULL)
            finding(LEVEL_ERROR, "wrong_major_accepted", "the entry point accepts a host of ABI %u.0; it must answer null",
                    others[index]);
    if (entry(TANDEM_ABI_MAJOR, TANDEM_ABI_MINOR + 9) == NULL)
        finding(LEVEL_ERROR, "later_minor_refused", "the entry point refuses a host of ABI %u.%u; later minors are compatible",
                TANDEM_ABI_MAJOR, TANDEM_ABI_MINOR + 9);
    if (entry(TANDEM_ABI_MAJOR, TANDEM_ABI_MINOR) != plugin)
        finding(LEVEL_WARNING, "entry_changes", "the entry point gives another table when it is called again");
    if (plugin->reserved != 0) finding(LEVEL_ERROR, "reserved_used", "the plugin's table uses the reserved member");
    stage("manifest", NULL);
    tandem_slice first = plugin->manifest(plugin), second = plugin->manifest(plugin);
    if (first.ptr == NULL || first.len == 0 || first.len > 1u << 20) {
        finding(LEVEL_ERROR, "no_manifest", "the code gives no manifest, or one of more than a MiB");
        return;
    }
    if (first.len != second.len || memcmp(first.ptr, second.ptr, (size_t)first.len) != 0)
        finding(LEVEL_ERROR, "manifest_changes", "the manifest is another when it is asked for again");
    report_bytes("manifest", first.ptr, first.len);
}

/* ---- One person's instance ---- */

static bool start_instance(struct person *person, int number, bool may_refuse) {
    make_person(person, number);
    stage("create", NULL);
    set_phase(PHASE_CREATE);
    uint64_t start = now_ns();
    tandem_instance *instance = (tandem_instance *)(uintptr_t)8;
    tandem_status status = plugin->create(plugin, host_table(person), &instance);
    set_phase(PHASE_RUN);
    uint64_t took = now_ns() - start;
    if (status != TANDEM_OK) {
        if (!may_refuse) finding(LEVEL_ERROR, "create_failed", "create answered %d", status);
        if (instance != NULL)
            finding(LEVEL_WARNING, "instance_after_failure", "create failed (%d) and did not set *instance to null", status);
        retire_person(person);
        return false;
    }
    if (instance == NULL || (uintptr_t)instance == 8) {
        finding(LEVEL_ERROR, "null_instance", "create answered OK without an instance");
        retire_person(person);
        return false;
    }
    if ((uintptr_t)instance % _Alignof(tandem_instance) != 0 || instance->header.size < sizeof *instance) {
        finding(LEVEL_ERROR, "small_instance", "the instance's table says a size of %u; ABI 1.0 has %zu (set header.size)",
                instance->header.size, sizeof *instance);
        retire_person(person);
        return false;
    }
    const char *missing = instance->activate == NULL  ? "activate"
                          : instance->invoke == NULL  ? "invoke"
                          : instance->cancel == NULL  ? "cancel"
                          : instance->quiesce == NULL ? "quiesce"
                          : instance->destroy == NULL ? "destroy"
                                                      : NULL;
    if (missing != NULL) {
        finding(LEVEL_ERROR, "null_function", "the function %s of the instance's table is null", missing);
        retire_person(person);
        return false;
    }
    if (took > 1000000000u) finding(LEVEL_ERROR, "slow_create", "create took %" PRIu64 " ms; 1,000 are allowed", took / 1000000);
    person->instance = instance;
    return true;
}

static bool activate(struct person *person, bool may_refuse) {
    stage("activate", NULL);
    uint64_t start = now_ns();
    tandem_status status = person->instance->activate(person->instance);
    uint64_t took = now_ns() - start;
    if (took > 1000000000u)
        finding(LEVEL_ERROR, "slow_activate", "activate took %" PRIu64 " ms; 1,000 are allowed", took / 1000000);
    if (status != TANDEM_OK && !may_refuse) finding(LEVEL_ERROR, "activate_failed", "activate answered %d", status);
    return status == TANDEM_OK;
}

static void destroy(struct person *person) {
    stage("destroy", NULL);
    person->instance->destroy(person->instance);
    retire_person(person);
}

/* After quiesce answered OK. */
static void judge_rest(const struct person *person) {
    unsigned in_flight = calls_in_flight(person), owed = atomic_load(&person->owed);
    if (in_flight > 0)
        finding(LEVEL_ERROR, "quiet_too_early", "quiesce answered OK while %u calls were in flight", in_flight);
    if (owed > 0) {
        finding(LEVEL_ERROR, "quiet_while_owed",
                "quiesce answered OK while %u callbacks were owed: they will meet an instance that is destroyed", owed);
        /* So that this is what is reported, and not the crash that follows from it. */
        wait_for_services(PATIENCE);
    }
}

/* Asks until the instance is quiet; false when it never is. */
static bool quiesce(struct person *person, unsigned milliseconds) {
    uint64_t limit = now_ns() + (uint64_t)milliseconds * 1000000u;
    stage("quiesce", NULL);
    for (;;) {
        tandem_status status = person->instance->quiesce(person->instance);
        if (status == TANDEM_OK) {
            judge_rest(person);
            return true;
        }
        if (status != TANDEM_E_BUSY) {
            finding(LEVEL_ERROR, "quiesce_status", "quiesce answered %d; it is OK or TANDEM_E_BUSY", status);
            return false;
        }
        if (now_ns() > limit) {
            finding(LEVEL_ERROR, "never_quiet", "quiesce still answers TANDEM_E_BUSY %u ms after the last call", milliseconds);
            return false;
        }
        sleep_ms(1);
    }
}

static bool start_whole(struct person *person, int number) {
    if (!start_instance(person, number, false)) return false;
    if (activate(person, false)) return true;
    destroy(person);
    return false;
}

static void end_whole(struct person *person) {
    if (quiesce(person, 5000)) destroy(person);
}

static struct call *submit(struct person *person, size_t number, const struct request_shape *shape) {
    const struct script_call *planned = &script.calls[number % script.count];
    struct call *call = new_call(person, planned->tool);
    struct request_shape answered = {.answers = planned->answers};
    if (planned->answers != NULL && shape == NULL) {
        answered.resume_state = last_resume_state(&answered.resume_length);
        shape = &answered;
    }
    submit_call(call, planned->arguments, planned->length, shape);
    return call;
}

static bool finish(struct call *call, bool is_reported) {
    bool is_over = wait_for_call(call, PATIENCE);
    if (!is_over)
        finding(LEVEL_ERROR, "never_completed", "a call of %s was accepted and not completed within %d ms", call->tool, PATIENCE);
    if (is_over) collect_call(call, is_reported);
    return is_over;
}

/* ---- The tests ---- */

static void test_life(void) {
    struct person ann, ben;
    if (!start_instance(&ann, 1, false)) return;
    if (!start_instance(&ben, 2, false)) return;
    if (ann.instance == ben.instance) {
        finding(LEVEL_ERROR, "shared_instance", "create gave the same instance for two people");
        return;
    }
    const char *unknown[] = {"", "tandem.unknown/1", "tandem.health/99", "org.example.nothing/1"};
    if (ann.instance->get_extension != NULL)
        for (size_t index = 0; index < sizeof unknown / sizeof *unknown; index++)
            if (ann.instance->get_extension(ann.instance, unknown[index]) != NULL)
                finding(LEVEL_ERROR, "unknown_extension", "get_extension answers a table for \"%s\"; unknown ids get null",
                        unknown[index]);
    if (activate(&ann, false)) quiesce(&ann, 5000);
    destroy(&ann);
    /* Never activated: only destroy follows. */
    destroy(&ben);
}

static void check_side(struct person *person, const char *id, size_t size, const char *name) {
    if (person->instance->get_extension == NULL) return;
    stage("get_extension", id);
    const void *table = person->instance->get_extension(person->instance, id);
    if (table == NULL) return;
    uint32_t said = ((const tandem_header *)table)->size;
    if (said < size) {
        finding(LEVEL_ERROR, "small_table", "the table of %s says a size of %u, at least %zu are needed", id, said, size);
        return;
    }
    tandem_status (*function)(tandem_instance *, const tandem_request *);
    memcpy(&function, (const uint8_t *)table + sizeof(tandem_header), sizeof function);
    if (function == NULL) {
        finding(LEVEL_ERROR, "null_function", "the function of %s is null", id);
        return;
    }
    report_event("offers", "\"name\":\"%s\"", name);
    /* As a call of the instance, by the extension's function. */
    struct call *call = new_call(person, id);
    const struct request_shape shape = {.function = function};
    const char *arguments = strcmp(id, TANDEM_EXT_CONFIG_CHECK) == 0 ? setting("configCheck", "{\"values\":{},\"changed\":[]}") : "{}";
    submit_call(call, arguments, strlen(arguments), &shape);
    finish(call, true);
}

/* health, diagnostics and config-check answer like calls. */
static void test_sides(void) {
    struct person ann;
    if (!start_whole(&ann, 1)) return;
    check_side(&ann, TANDEM_EXT_HEALTH, sizeof(tandem_health), "health");
    check_side(&ann, TANDEM_EXT_DIAGNOSTICS, sizeof(tandem_diagnostics), "diagnostics");
    check_side(&ann, TANDEM_EXT_CONFIG_CHECK, sizeof(tandem_config_check), "config-check");
    end_whole(&ann);
}

/* Each call of the script once, in order. */
static void test_calls(void) {
    struct person ann;
    if (!start_whole(&ann, 1)) return;
    for (size_t index = 0; index < script.count; index++)
        if (!finish(submit(&ann, index, NULL), true)) return;
    end_whole(&ann);
    if (gifts_outstanding() > 0)
        finding(LEVEL_ERROR, "not_released", "%u buffers that the host gave were not released", gifts_outstanding());
}

static void run_some(void) {
    struct person ann;
    if (!start_instance(&ann, 1, true)) return;
    if (!activate(&ann, true)) {
        destroy(&ann);
        return;
    }
    for (size_t index = 0; index < script.count; index++)
        if (!finish(submit(&ann, index, NULL), false)) return;
    end_whole(&ann);
}

static void test_small_host(void) {
    const uint32_t sizes[] = {8, 24, 48};
    for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++) {
        host_options.host_size = sizes[index];
        run_some();
    }
}

static void test_large_host(void) {
    host_options.host_size = sizeof(tandem_host) + 64;
    struct person ann;
    if (!start_whole(&ann, 1)) return;
    for (size_t index = 0; index < script.count; index++)
        if (!finish(submit(&ann, index, NULL), false)) return;
    end_whole(&ann);
}

static void test_no_extensions(void) {
    host_options.no_extensions = true;
    run_some();
}

static void test_unknown_tool(void) {
    struct person ann;
    if (!start_whole(&ann, 1)) return;
    char longer[300];
    const char *name = script.count > 0 ? script.calls[0].tool : "x.y";
    snprintf(longer, sizeof longer, "%s2", name);
    char shorter[300];
    snprintf(shorter, sizeof shorter, "%s", name);
    shorter[strlen(shorter) - 1] = 0;
    char huge[4097];
    memset(huge, 'x', sizeof huge - 1);
    huge[sizeof huge - 1] = 0;
    const char *names[] = {"", longer, shorter, "nobody.knows", huge};
    for (size_t index = 0; index < sizeof names / sizeof *names; index++) {
        struct call *call = new_call(&ann, names[index]);
        submit_call(call, "{}", 2, NULL);
        if (!finish(call, false)) return;
        bool is_value = !call->is_refused && call->outcome.kind != TANDEM_OUTCOME_TOOL_ERROR;
        if (is_value)
            finding(LEVEL_ERROR, "unknown_tool_accepted", "it answers the tool \"%.40s\", which it does not have", names[index]);
    }
    end_whole(&ann);
}

static void test_requests(void) {
    struct person ann;
    if (!start_whole(&ann, 1)) return;
    const struct request_shape small[] = {{.size = 24}, {.size = 56}, {.size = 104}};
    for (size_t index = 0; index < sizeof small / sizeof *small; index++)
        if (!finish(submit(&ann, index, &small[index]), false)) return;
    const struct request_shape large = {.size = sizeof(tandem_request) + 64, .flags = 0x8000u};
    for (size_t index = 0; index < script.count; index++) {
        struct call *call = submit(&ann, index, &large);
        if (!finish(call, false)) return;
        if (call->is_refused)
            finding(LEVEL_ERROR, "large_request_refused",
                    "invoke refuses (%d) a request of a later minor version (longer, with an unknown lower flag)",
                    call->invoke_status);
    }
    const struct request_shape flagged = {.flags = 0x00010000u};
    struct call *call = submit(&ann, 0, &flagged);
    if (!finish(call, false)) return;
    if (!call->is_refused && call->outcome.kind != TANDEM_OUTCOME_TOOL_ERROR)
        finding(LEVEL_ERROR, "flags_ignored", "a request with an unknown must-understand flag (the upper 16 bits) was served");
    end_whole(&ann);
}

struct canceller {
    struct call *call;
    uint32_t reason;
    _Atomic int is_ready;
};

static void *cancel_soon(void *context) {
    struct canceller *canceller = context;
    while (!atomic_load(&canceller->is_ready)) {}
    for (int times = 0; times < 3; times++) cancel_call(canceller->call, canceller->reason);
    return NULL;
}

static void test_cancel(void) {
    struct person ann;
    if (!start_whole(&ann, 1)) return;
    const uint32_t reasons[] = {TANDEM_CANCEL_USER, TANDEM_CANCEL_DEADLINE, TANDEM_CANCEL_SHUTDOWN, 77};
    for (size_t index = 0; index < script.count * 2; index++) {
        const struct script_call *planned = &script.calls[index % script.count];
        /* Before the plugin knows of it. */
        struct call *early = new_call(&ann, planned->tool);
        stage("cancel before invoke", planned->tool);
        cancel_call(early, reasons[index % 4]);
        submit_call(early, planned->arguments, planned->length, NULL);
        if (!finish(early, false)) return;
        /* While it runs, from another thread, three times. */
        struct canceller canceller = {.call = new_call(&ann, planned->tool), .reason = reasons[(index + 1) % 4]};
        pthread_t thread;
        if (pthread_create(&thread, NULL, cancel_soon, &canceller) != 0) return;
        atomic_store(&canceller.is_ready, 1);
        submit_call(canceller.call, planned->arguments, planned->length, NULL);
        pthread_join(thread, NULL);
        if (!wait_for_call(canceller.call, 2000)) {
            finding(LEVEL_ERROR, "ignores_cancel", "a call of %s was cancelled and not completed within 2 s", planned->tool);
            return;
        }
        collect_call(canceller.call, false);
        /* After it. */
        stage("cancel after completion", planned->tool);
        cancel_call(canceller.call, TANDEM_CANCEL_USER);
    }
    end_whole(&ann);
}

static void test_deadline(void) {
    struct person ann;
    if (!start_whole(&ann, 1)) return;
    for (size_t index = 0; index < script.count; index++) {
        struct request_shape shape = {.deadline_ns = index % 2 == 0 ? 1 : now_ns() + 2000000u};
        struct call *call = submit(&ann, index, &shape);
        sleep_ms(3);
        stage("cancel at the deadline", call->tool);
        cancel_call(call, TANDEM_CANCEL_DEADLINE);
        if (!wait_for_call(call, 2000)) {
            finding(LEVEL_ERROR, "ignores_deadline", "a call of %s was not ended within 2 s of its deadline and cancel",
                    call->tool);
            return;
        }
        collect_call(call, false);
    }
    end_whole(&ann);
}

/* A host that answers every completion with a failure: the buffers are its own all the same. */
static void test_late_host(void) {
    const tandem_status statuses[] = {TANDEM_E_STALE, TANDEM_E_ALREADY_DONE, TANDEM_E_INVALID_ARGUMENT, TANDEM_E_INTERNAL};
    struct person ann;
    if (!start_whole(&ann, 1)) return;
    for (size_t index = 0; index < script.count * 4; index++) {
        host_options.complete_answers = statuses[index % 4];
        struct call *call = submit(&ann, index / 4, NULL);
        if (!finish(call, false)) return;
    }
    host_options.complete_answers = TANDEM_OK;
    if (!finish(submit(&ann, 0, NULL), false)) return;
    end_whole(&ann);
}

/* One person's share of the calls in flight, on a host thread of its own. */
struct load {
    struct person person;
    pthread_t thread;
    size_t first, count;
    int number;
};

static void *carry(void *context) {
    struct load *load = context;
    struct person *person = &load->person;
    if (!start_whole(person, load->number)) return NULL;
    struct call **flying = calloc(load->count, sizeof *flying);
    if (flying == NULL) abort();
    for (int round = 0; round < 3; round++) {
        for (size_t index = 0; index < load->count; index++) flying[index] = submit(person, load->first + index, NULL);
        for (size_t index = 0; index < load->count; index++)
            if (!finish(flying[index], false)) return NULL;
    }
    free(flying);
    end_whole(person);
    return NULL;
}

/* At least 64 calls at the same time: as many as the manifest allows for each person, for as many people as it takes. */
static void test_in_flight(void) {
    enum { CALLS = 64 };
    size_t each = (size_t)number_setting("inFlight", 4);
    if (each == 0) each = 1;
    size_t count = (CALLS + each - 1) / each;
    struct load *loads = calloc(count, sizeof *loads);
    if (loads == NULL) abort();
    for (size_t index = 0; index < count; index++) {
        loads[index].number = (int)index + 1;
        loads[index].first = index * each;
        loads[index].count = each;
    }
    for (size_t index = 1; index < count; index++)
        if (pthread_create(&loads[index].thread, NULL, carry, &loads[index]) != 0) abort();
    carry(&loads[0]);
    for (size_t index = 1; index < count; index++) pthread_join(loads[index].thread, NULL);
    free(loads);
    if (gifts_outstanding() > 0)
        finding(LEVEL_ERROR, "not_released", "%u buffers that the host gave were not released", gifts_outstanding());
}

static void test_quiesce(void) {
    struct person ann;
    unsigned threads_before = count_threads();
    if (!start_whole(&ann, 1)) return;
    size_t count = (size_t)number_setting("inFlight", 4);
    struct call **flying = calloc(count, sizeof *flying);
    if (flying == NULL) abort();
    for (size_t index = 0; index < count; index++) flying[index] = submit(&ann, index, NULL);
    uint64_t limit = now_ns() + (uint64_t)PATIENCE * 1000000u;
    for (;;) {
        tandem_status status = ann.instance->quiesce(ann.instance);
        if (status == TANDEM_OK) judge_rest(&ann);
        if (status == TANDEM_OK || now_ns() > limit) break;
        sleep_ms(1);
    }
    for (size_t index = 0; index < count; index++)
        if (!finish(flying[index], false)) return;
    free(flying);
    if (!quiesce(&ann, 5000)) return;
    destroy(&ann);
    /* Who still runs would now meet a host table that is gone: they get the time that a busy machine takes. */
    sleep_ms(50);
    for (int round = 0; round < 200 && count_threads() > threads_before; round++) sleep_ms(10);
}

static void cycle(void) {
    struct person ann;
    if (!start_whole(&ann, 1)) return;
    size_t count = script.count < 4 ? 4 : script.count;
    for (size_t index = 0; index < count; index++)
        if (!finish(submit(&ann, index, NULL), false)) return;
    end_whole(&ann);
}

static double heap(void) { return (double)mallinfo2().uordblks; }

static void test_leaks(void) {
    wait_for_services(PATIENCE);
    unsigned threads_before = count_threads(), files_before = count_descriptors();
    cycle();
    cycle();
    unsigned threads_after = count_threads(), files_after = count_descriptors();
    double least = 1e18;
    /*
     * What counts is the least that a round leaves. Swift's runtime keeps up to 1,024 pieces of finished work on each of
     * its threads before it frees any (libdispatch, DISPATCH_CONTINUATION_CACHE_LIMIT): it takes more rounds to fill.
     */
    const int cycles = is_swift() ? 16 : 2, rounds = is_swift() ? 60 : 4;
    for (int round = 0; round < rounds && least >= sizeof(tandem_instance); round++) {
        forget_calls();
        double before = heap();
        for (int times = 0; times < cycles; times++) cycle();
        wait_for_services(PATIENCE);
        forget_calls();
        double grown = (heap() - before) / cycles;
        if (grown < least) least = grown;
    }
    report_number("bytesPerInstance", least);
    if (least >= sizeof(tandem_instance))
        finding(LEVEL_ERROR, "leaks_instance", "each instance leaves %.0f bytes behind when it is destroyed", least);
    unsigned threads = 0, limit = is_swift() ? threads_after + 2 : threads_before;
    for (int waited = 0; waited < 100; waited++) {
        threads = count_threads();
        if (threads <= limit) break;
        sleep_ms(20);
    }
    report_number("threadsBefore", threads_before);
    report_number("threadsAfter", threads);
    if (threads > limit)
        finding(LEVEL_ERROR, "leaked_threads", "%u threads run after all instances are destroyed, %u before", threads, threads_before);
    unsigned files = count_descriptors();
    if (files > files_after)
        finding(LEVEL_ERROR, "leaked_descriptors", "each instance leaves open descriptors: %u, then %u", files_after, files);
    else if (files > files_before && !is_swift())
        finding(LEVEL_WARNING, "descriptors", "%u descriptors stay open after all instances are destroyed", files - files_before);
    if (gifts_outstanding() > 0)
        finding(LEVEL_ERROR, "not_released", "%u buffers that the host gave were not released", gifts_outstanding());
}

/* Bytes that stay per call, after a start: the smallest of a few rounds, so that caches that grow by steps do not count. */
enum { LEAST_LEAK = 24 }; /* bytes per call */

static void test_growth(void) {
    struct person ann;
    if (!start_whole(&ann, 1)) return;
    size_t count = (size_t)number_setting("repeat", 200);
    double least = 1e18;
    /*
     * What counts is the least that a round leaves. Where calls are slow, as before services on a loaded machine, a round
     * has few of them, and what Swift's runtime keeps of finished work (see test_leaks) takes many rounds to fill.
     */
    const int rounds = is_swift() ? 60 : 5;
    const uint64_t end = now_ns() + 45u * 1000000000ull;
    for (int round = 0; round < rounds && least > LEAST_LEAK && now_ns() < end; round++) {
        forget_calls();
        double before = heap();
        /* Fewer of slow calls, but each of the script once. */
        uint64_t limit = now_ns() + 1000000000u;
        size_t made = 0;
        while (made < count && (made < script.count || now_ns() < limit))
            if (!finish(submit(&ann, made++, NULL), false)) return;
        wait_for_services(PATIENCE);
        forget_calls();
        double each = (heap() - before) / (double)made;
        if (round > 0 && each < least) least = each;
    }
    report_number("bytesPerCall", least);
    if (least > LEAST_LEAK) finding(LEVEL_ERROR, "leaks_memory", "each call leaves about %.0f bytes behind", least);
    end_whole(&ann);
}

/* Like calls, with arguments from a generator; the parent looks at the outcomes. */
static void test_fuzz(void) {
    struct person ann;
    if (!start_whole(&ann, 1)) return;
    for (size_t index = 0; index < script.count; index++) {
        report_event("case", "\"index\":%zu", index);
        struct call *call = submit(&ann, index, NULL);
        if (!finish(call, true)) return;
        if (index % 64 == 63) forget_calls();
    }
    end_whole(&ann);
    if (gifts_outstanding() > 0)
        finding(LEVEL_ERROR, "not_released", "%u buffers that the host gave were not released", gifts_outstanding());
}

static void test_load(void) {}

test_function find_test(const char *name) {
    static const struct {
        const char *name;
        test_function function;
    } TESTS[] = {
        {"load", test_load},
        {"entry", test_entry},
        {"life", test_life},
        {"sides", test_sides},
        {"calls", test_calls},
        {"small_host", test_small_host},
        {"large_host", test_large_host},
        {"no_extensions", test_no_extensions},
        {"unknown_tool", test_unknown_tool},
        {"requests", test_requests},
        {"cancel", test_cancel},
        {"deadline", test_deadline},
        {"late_host", test_late_host},
        {"in_flight", test_in_flight},
        {"quiesce", test_quiesce},
        {"leaks", test_leaks},
        {"growth", test_growth},
        {"fuzz", test_fuzz},
    };
    for (size_t index = 0; index < sizeof TESTS / sizeof *TESTS; index++)
        if (strcmp(TESTS[index].name, name) == 0) return TESTS[index].function;
    return NULL;
}
