#define _GNU_SOURCE
#include "worker.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

struct script script;

static struct {
    char *name, *value;
} settings[64];
static size_t setting_count;

const char *setting(const char *name, const char *otherwise) {
    for (size_t index = setting_count; index > 0; index--)
        if (strcmp(settings[index - 1].name, name) == 0) return settings[index - 1].value;
    return otherwise;
}

long number_setting(const char *name, long otherwise) {
    const char *value = setting(name, NULL);
    return value == NULL ? otherwise : strtol(value, NULL, 10);
}

static char *copy(const char *text) {
    char *out = strdup(text);
    if (out == NULL) abort();
    return out;
}

/* The script, up to `go`; false when the parent went away. */
static bool read_script(void) {
    char *line = NULL;
    size_t room = 0, call_room = 0;
    ssize_t length;
    bool is_complete = false;
    while ((length = getline(&line, &room, stdin)) > 0) {
        if (line[length - 1] == '\n') line[--length] = 0;
        if (strcmp(line, "go") == 0) {
            is_complete = true;
            break;
        }
        char *first = strchr(line, '\t');
        if (first == NULL) continue;
        *first++ = 0;
        char *second = strchr(first, '\t');
        if (second == NULL) continue;
        *second++ = 0;
        if (strcmp(line, "set") == 0 && setting_count < sizeof settings / sizeof *settings) {
            settings[setting_count].name = copy(first);
            settings[setting_count++].value = copy(second);
        } else if (strcmp(line, "call") == 0) {
            if (script.count == call_room) {
                call_room = call_room == 0 ? 64 : call_room * 2;
                script.calls = realloc(script.calls, call_room * sizeof *script.calls);
                if (script.calls == NULL) abort();
            }
            struct script_call *call = &script.calls[script.count++];
            char *third = strchr(second, '\t');
            if (third != NULL) *third++ = 0;
            call->tool = copy(first);
            call->arguments = copy(second);
            call->length = strlen(second);
            call->answers = third == NULL ? NULL : copy(third);
        }
    }
    free(line);
    return is_complete;
}

static int digit(char c) { return c >= 'a' ? c - 'a' + 10 : c - '0'; }

/* Answers of the parent, until it goes away. */
static void *read_answers(void *unused) {
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    while ((length = getline(&line, &room, stdin)) > 0) {
        if (line[length - 1] == '\n') line[--length] = 0;
        unsigned long long id;
        int status, start = 0;
        if (sscanf(line, "answer\t%llu\t%d\t%n", &id, &status, &start) < 2 || start == 0) continue;
        const char *digits = line + start;
        size_t count = strlen(digits) / 2;
        uint8_t *bytes = malloc(count + 1);
        if (bytes == NULL) abort();
        for (size_t index = 0; index < count; index++)
            bytes[index] = (uint8_t)(digit(digits[index * 2]) << 4 | digit(digits[index * 2 + 1]));
        extension_answer(id, (tandem_status)status, bytes, count);
    }
    free(line);
    _exit(71);
    return unused;
}

static unsigned count_entries(const char *folder) {
    DIR *handle = opendir(folder);
    if (handle == NULL) return 0;
    unsigned count = 0;
    const struct dirent *entry;
    while ((entry = readdir(handle)) != NULL) count += entry->d_name[0] != '.';
    closedir(handle);
    return count;
}

unsigned count_threads(void) { return count_entries("/proc/self/task"); }
unsigned count_descriptors(void) { return count_entries("/proc/self/fd"); }

int main(int count, char **arguments) {
    if (count != 3) {
        fprintf(stderr, "usage: tandem-plugin-check-worker LIBRARY-OR-BUNDLE TEST (run by `tandem plugin check`)\n");
        return 64;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    report_open();
    test_function test = find_test(arguments[2]);
    if (test == NULL) {
        fprintf(stderr, "tandem-plugin-check-worker: no test %s\n", arguments[2]);
        return 64;
    }
    if (!read_script()) return 65;
    install_fault_handlers();
    contain_worker();
    pthread_t thread;
    if (pthread_create(&thread, NULL, read_answers, NULL) != 0) return 70;
    extensions_start();
    load_plugin(arguments[1]);
    set_phase(PHASE_RUN);
    test();
    report_end();
    /* Not exit: threads that a plugin left behind would run into destructors. */
    fflush(stdout);
    _exit(0);
}
