/*
 * tandem-plugin-check-worker: drives one plugin through one test of `tandem plugin check`, in a process of its own.
 *
 *   tandem-plugin-check-worker LIBRARY-OR-BUNDLE TEST
 *
 * Standard input: lines of fields separated by tabs: `set NAME VALUE`, `call TOOL ARGUMENTS`, then `go`; afterwards
 * `answer ID STATUS HEX` for what was asked. Descriptor 3: one JSON object a line, see report.c. What the plugin writes to
 * its standard output and error is left to the parent.
 *
 * The worker is C so that nothing but the plugin uses the heap between two looks at it, and so that it holds no threads
 * but its own. Everything that a plugin borrows lies at the end of a page behind which nothing is readable, and becomes
 * unreadable when the loan ends; everything that it is given for good is tagged.
 */
#ifndef WORKER_H
#define WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tandem/tandem.h>

/* ---- report.c: lines for the parent ---- */

enum level { LEVEL_WARNING, LEVEL_ERROR };

void report_open(void);
/* Where the worker is, so that a crash can be told apart. A literal or lasting string. */
void stage(const char *what, const char *detail);
const char *current_stage(void);
void finding(enum level level, const char *code, const char *format, ...) __attribute__((format(printf, 3, 4)));
void report_number(const char *name, double value);
void report_bytes(const char *name, const void *bytes, uint64_t length);
/* `fields` are members without braces. */
void report_event(const char *event, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A malloc'd string of hexadecimal digits. */
char *hex(const void *bytes, uint64_t length);
/* From a signal handler: writes without locks and allocation. */
void report_from_signal(const char *code, const char *text);
/* The test ran to its end. */
void report_end(void);
bool has_ended(void);

/* ---- memory.c: loans and gifts ---- */

struct region;
/* A copy of `length` bytes that ends at the end of readable memory; read-only when `constant`. */
struct region *lend(const void *bytes, size_t length, bool constant, const char *label);
void *loan(const struct region *region);
/* From here on every access is a fault. */
void end_loan(struct region *region);
/* The label of the region that an address lies in, and whether its loan has ended or the address lies behind it. */
const char *describe_address(const void *address, bool *is_over, bool *is_behind);
/* Bytes that the plugin has to release, once. */
tandem_buffer gift(const void *bytes, uint64_t length, const char *label);
unsigned gifts_outstanding(void);
void install_fault_handlers(void);
/* Where the plugin's image lies. */
void set_image(const void *within);
bool is_in_image(const void *address);

/* ---- host.c: calls and the host's table ---- */

enum { MAX_CALLS = 65536 };

struct person {
    struct region *region;
    tandem_instance *instance;
    bool is_alive;
    int number;
    /* Calls that are submitted and not over. */
    unsigned waiting;
    /* Callbacks that the host has promised and not yet made. */
    _Atomic unsigned owed;
};

struct call {
    tandem_call_id id;
    unsigned index;
    const char *tool;
    struct person *person;
    bool is_submitted, has_returned, is_cancelled, is_refused, is_collected, completed_before_return;
    int completions;
    tandem_status invoke_status;
    uint64_t invoke_ns, started_ns, completed_ns;
    tandem_outcome outcome;
    struct region *loans[8];
    unsigned services;
};

struct options {
    uint32_t host_size;
    bool no_extensions;
    /* What complete answers in spite of all; 0: the truth. */
    tandem_status complete_answers;
};

extern struct options host_options;

void make_person(struct person *person, int number);
/* After destroy: the table becomes unreadable. */
void retire_person(struct person *person);
const tandem_host *host_table(const struct person *person);
struct call *find_call(const tandem_host *host, tandem_call_id id);
bool begin_service(struct call *call);
void end_service(struct call *call);
void lock_calls(void);
void unlock_calls(void);

struct request_shape {
    uint32_t size; /* 0: as it is */
    uint32_t flags;
    uint64_t deadline_ns; /* 0: ten seconds from now */
    const char *resume_state;
    size_t resume_length;
    const char *answers;
    /* Instead of the instance's invoke. */
    tandem_status (*function)(tandem_instance *instance, const tandem_request *request);
};

/* A call that the plugin does not know yet. */
struct call *new_call(struct person *person, const char *tool);
void submit_call(struct call *call, const char *arguments, size_t length, const struct request_shape *shape);
void cancel_call(struct call *call, uint32_t reason);
/* False when it does not end in time. */
bool wait_for_call(struct call *call, unsigned milliseconds);
/* Reads, reports and releases what the plugin completed the call with. */
void collect_call(struct call *call, bool is_reported);
/* The state that came with the last question of a call that was collected; stays the host's. */
const char *last_resume_state(size_t *length);
/* Accepted and not completed, of one person. */
unsigned calls_in_flight(const struct person *person);
void forget_calls(void);

/* ---- extensions.c ---- */

const void *extension_table(const tandem_host *host, const char *id);
void extensions_start(void);
/* An `answer` line of the parent. */
void extension_answer(uint64_t id, tandem_status status, uint8_t *bytes, size_t length);
bool wait_for_services(unsigned milliseconds);

/* ---- interpose.c: what the plugin asks of the C library ---- */

enum phase { PHASE_LOAD, PHASE_CREATE, PHASE_RUN };
/* Of this thread; others run. */
void set_phase(enum phase phase);

/* ---- contain.c ---- */

/* From here on: no processes, no sockets, no writing to files, no signals to others. For threads that begin later, too. */
void contain_worker(void);

/* ---- tests.c ---- */

struct script_call {
    char *tool;
    char *arguments;
    size_t length;
    char *answers; /* to the question asked last; or NULL */
};

struct script {
    struct script_call *calls;
    size_t count;
};

extern struct script script;
const char *setting(const char *name, const char *otherwise);
long number_setting(const char *name, long otherwise);

typedef void (*test_function)(void);
test_function find_test(const char *name);
/*
 * Maps the library and asks for its table; ends the process when it cannot. A folder is the bundle of a plugin without
 * code, whose library is called by its manifest.
 */
void load_plugin(const char *path);

uint64_t now_ns(void);
void sleep_ms(unsigned milliseconds);
unsigned count_threads(void);
unsigned count_descriptors(void);

#endif
