/*
 * main.c - tandem-plugin-runner: one bundle in a process of its own, held in before its first instruction runs.
 *
 * Started by the host (Host/PluginHost/Runner) with three descriptors and nothing else: a socket to the host, the library
 * as a sealed memory file, the bundle's folder. Not meant to be started by hand.
 */
#include "runner.h"

#include <dlfcn.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <tandem_foreign.h>
#include <tandem_start.h>
#include <unistd.h>

const tandem_plugin *the_plugin;

static _Noreturn void fail(uint32_t code, const char *text) {
    const part parts[] = {{text, strlen(text) < 2000 ? strlen(text) : 2000}};
    send_frame(TANDEM_F_FAILED, 0, code, 0, parts, 1);
    flush_frames();
    _exit(72);
}

/*
 * As the first process of its namespace, this one would not die of signals that it does not handle: those of abort() and
 * of limits. The exit code says what happened (128 + the signal), and the host understands it.
 */
static void end_by_signal(int signal_number) { _exit(128 + signal_number); }

static void list_missing(uint32_t missing, char *text, size_t room) {
    static const char *const names[] = {"network namespace", "pid namespace", "user namespace", "mount namespace",
                                        "ipc namespace",     "limits",        "landlock",       "seccomp",
                                        "parent death signal"};
    text[0] = 0;
    for (size_t index = 0; index < sizeof names / sizeof names[0]; index++) {
        if (!(missing & 1u << index)) continue;
        if (text[0] != 0) strncat(text, ", ", room - strlen(text) - 1);
        strncat(text, names[index], room - strlen(text) - 1);
    }
}

/*
 * The Swift runtime, from the folder that the host has its own from: the plugin's own search path may lead nowhere on this
 * machine. Part of the host's installation, so before anything is held in.
 */
static void load_runtime(const char *folder, const char *names, uint32_t count, const char *end) {
    char path[4096];
    for (uint32_t index = 0; index < count && names < end; index++) {
        snprintf(path, sizeof path, "%s/%s", folder, names);
        if (strchr(names, '/') == NULL) dlopen(path, RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE);
        names += strlen(names) + 1;
    }
}

/* The plugin's library: loaded under a name that no other file has had in this process. */
static const tandem_plugin *open_library(void) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", TANDEM_RUNNER_LIBRARY);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library == NULL) {
        const char *reason = dlerror();
        fail(TANDEM_FAIL_LOAD, reason != NULL ? reason : "unknown reason");
    }
    tandem_plugin_entry_fn entry = (tandem_plugin_entry_fn)(uintptr_t)dlsym(library, TANDEM_PLUGIN_ENTRY_SYMBOL);
    if (entry == NULL) fail(TANDEM_FAIL_NO_ENTRY, "");
    return entry(TANDEM_ABI_MAJOR, TANDEM_ABI_MINOR);
}

/* A plain C library, by its manifest. */
static const tandem_plugin *open_foreign(void) {
    struct stat status;
    if (fstat(TANDEM_RUNNER_LIBRARY, &status) != 0 || status.st_size <= 0) fail(TANDEM_FAIL_INTERNAL, "no manifest");
    const void *manifest = tandem_map_sealed(TANDEM_RUNNER_LIBRARY, (uint64_t)status.st_size);
    if (manifest == NULL) fail(TANDEM_FAIL_INTERNAL, "the manifest cannot be mapped");
    struct tandem_foreign_source source = {manifest, (size_t)status.st_size, TANDEM_RUNNER_FOLDER};
    char reason[512] = "";
    const tandem_plugin *plugin = tandem_foreign_open(&source, reason, sizeof reason);
    if (plugin == NULL) fail(TANDEM_FAIL_LOAD, reason);
    return plugin;
}

static void describe(tandem_frame_ready *ready, const tandem_plugin *plugin, tandem_slice *manifest) {
    if (plugin == NULL) return;
    ready->facts = TANDEM_TABLE_PRESENT;
    if ((uintptr_t)plugin % _Alignof(tandem_plugin) != 0) return;
    ready->facts |= TANDEM_TABLE_ALIGNED;
    ready->size = plugin->header.size;
    if (ready->size < sizeof(tandem_header)) return;
    ready->flags = plugin->header.flags;
    /* Size and version stand in the first 20 bytes in every version of the ABI. */
    if (ready->size < 20) return;
    ready->abi_major = plugin->abi_major;
    ready->abi_minor = plugin->abi_minor;
    ready->abi_lowest_minor = plugin->abi_lowest_minor;
    if (ready->size < sizeof *plugin || ready->abi_major != TANDEM_ABI_MAJOR) return;
    ready->functions = (plugin->manifest != NULL ? 1u : 0) | (plugin->create != NULL ? 2u : 0);
    if (plugin->manifest != NULL) {
        *manifest = plugin->manifest(plugin);
        if (manifest->ptr == NULL) manifest->len = 0;
        ready->manifest_length = manifest->len;
        if (manifest->len > 1u << 20) manifest->len = 0;
    }
    the_plugin = plugin;
}

int main(void) {
    struct stat status;
    if (fstat(TANDEM_RUNNER_SOCKET, &status) != 0 || !S_ISSOCK(status.st_mode)) {
        fputs("tandem-plugin-runner is started by the Tandem host, not by hand.\n", stderr);
        return 64;
    }
    uint32_t isolation = contain_parent();
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = end_by_signal;
    const int signals[] = {SIGABRT, SIGXCPU, SIGXFSZ};
    for (size_t index = 0; index < sizeof signals / sizeof signals[0]; index++) sigaction(signals[index], &action, NULL);
    /* A heap for each thread would take a good part of the address space that there is. */
    mallopt(M_ARENA_MAX, 2);
    tandem_take_short_turns();

    tandem_frame frame;
    const uint8_t *payload = receive_first(&frame);
    tandem_frame_start start;
    if (frame.kind != TANDEM_F_START || frame.length < sizeof start) return 71;
    memcpy(&start, payload, sizeof start);
    if (start.version != TANDEM_FRAMES_VERSION || start.runtime_length > frame.length - sizeof start) return 71;
    const char *folder = start.runtime_length > 0 ? (const char *)payload + sizeof start : "";
    const char *names = (const char *)payload + sizeof start + start.runtime_length;
    isolation |= start.granted;

    load_runtime(folder, names, start.library_count, (const char *)payload + frame.length);
    /* Needed when a thread is cancelled, and looked for only then. */
    dlopen("libgcc_s.so.1", RTLD_NOW | RTLD_NODELETE);
    calls_prepare();
    if (fchdir(TANDEM_RUNNER_FOLDER) != 0) return 70;

    isolation |= contain_limits(&start);
    isolation |= contain_privileges();
    isolation |= contain_files(folder, 1);
    isolation |= contain_calls();
    uint32_t missing = start.required & ~isolation;
    char text[512];
    if (missing != 0) {
        list_missing(missing, text, sizeof text);
        fail(TANDEM_FAIL_ISOLATION, text);
    }

    /* From here on somebody else's code runs. */
    const tandem_plugin *plugin = start.source == TANDEM_SOURCE_MANIFEST ? open_foreign() : open_library();
    if (contain_files("", 0) == 0 && (start.required & TANDEM_ISOLATION_LANDLOCK)) fail(TANDEM_FAIL_ISOLATION, "landlock");
    close(TANDEM_RUNNER_LIBRARY);
    close(TANDEM_RUNNER_FOLDER);

    tandem_frame_ready ready = {.isolation = isolation};
    tandem_slice manifest = {NULL, 0};
    describe(&ready, plugin, &manifest);
    const part parts[] = {{&ready, sizeof ready}, {manifest.ptr, manifest.len}};
    if (!send_frame(TANDEM_F_READY, 0, 0, 0, parts, 2)) return 71;
    flush_frames();
    serve();
}
