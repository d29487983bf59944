/*
 * tandem_frames.h - what the host and tandem-plugin-runner say to each other over their socket pair.
 *
 * Internal: both sides come from one build, and the first frame names TANDEM_FRAMES_VERSION. The host trusts nothing that
 * a runner sends; the runner trusts the host.
 *
 * A frame is a tandem_frame followed by `length` bytes, padded with zeros to a multiple of 8. Many frames may travel in
 * one write. A payload larger than TANDEM_FRAME_INLINE travels as a sealed memory file (SCM_RIGHTS) with its size as an
 * 8-byte payload: such a frame has TANDEM_FRAME_FILE set, and descriptors arrive in the order of their frames.
 * Numbers have the byte order of the machine. Structs that begin a payload are copied out before they are read.
 */
#ifndef TANDEM_FRAMES_H
#define TANDEM_FRAMES_H

#include <stdint.h>

#define TANDEM_FRAMES_VERSION 1u

/* Descriptors that a runner finds open, besides 0, 1 and 2, which are /dev/null. */
#define TANDEM_RUNNER_SOCKET 3
#define TANDEM_RUNNER_LIBRARY 4
#define TANDEM_RUNNER_FOLDER 5

/* The real user of a runner, as its own user namespace numbers it: nobody. */
#define TANDEM_RUNNER_USER 65534u
/* What a runner exits with that has lost its connection, which plugin code has closed or broken. */
#define TANDEM_EXIT_HUNG_UP 73

#define TANDEM_FRAME_INLINE 65536u
/* The largest payload, inline or not. */
#define TANDEM_FRAME_MAX (8u << 20)

typedef struct tandem_frame {
    uint32_t length;
    uint16_t kind;  /* TANDEM_F_* */
    uint16_t flags; /* TANDEM_FRAME_* */
    /* The instance that it is about, a number of the host's; 0: none. */
    uint32_t instance;
    /* A status, a reason, or extension << 16 | function. */
    uint32_t code;
    /* A call, or the number of a question that is answered with the same. */
    uint64_t id;
} tandem_frame;

#define TANDEM_FRAME_FILE 1u

/* From the host. */
#define TANDEM_F_START 1u   /* tandem_frame_start, then the folder of the Swift runtime and names of libraries, each ended by NUL */
#define TANDEM_F_CREATE 2u  /* id; tandem_frame_create, then locale and settings */
#define TANDEM_F_ACTIVATE 3u
#define TANDEM_F_INVOKE 4u  /* id: the call, code: TANDEM_P_* or 0; tandem_frame_invoke, then the slices */
#define TANDEM_F_CANCEL 5u  /* id: the call, code: the reason */
#define TANDEM_F_FORGET 6u  /* id: the call: the host has given up on it */
#define TANDEM_F_QUIESCE 7u
#define TANDEM_F_DESTROY 8u
#define TANDEM_F_REPLY 9u   /* id: the request, code: a status; the extension's answer */
#define TANDEM_F_PING 10u   /* id */
#define TANDEM_F_CONFIG 11u /* id: the generation; the settings */
#define TANDEM_F_PERSON 12u /* tandem_frame_person, then locale */
#define TANDEM_F_REVOKE 13u /* the instance's grants are gone */

/* From the runner. */
#define TANDEM_F_READY 65u    /* tandem_frame_ready, then the manifest */
#define TANDEM_F_FAILED 66u   /* code: TANDEM_FAIL_*; text */
#define TANDEM_F_DONE 67u     /* id, code: the status of create, activate, quiesce, destroy; create: tandem_frame_created */
#define TANDEM_F_COMPLETE 68u /* id: the call; tandem_frame_outcome, then the buffers */
#define TANDEM_F_RETURNED 69u /* id: the call, code: what invoke returned; payload: how long it took in ns, when long */
#define TANDEM_F_REQUEST 70u  /* id or 0: no reply; code: extension << 16 | function; its arguments */
#define TANDEM_F_PROGRESS 71u /* id: the call, code: permille; the note */
#define TANDEM_F_NOTE 72u     /* id: the call, code: the status that a late completion was answered with; instance: whose it was */
#define TANDEM_F_PONG 73u     /* id */

/* Why a runner ends before it is ready. */
#define TANDEM_FAIL_ISOLATION 1u /* text: what the kernel lacks */
#define TANDEM_FAIL_LOAD 2u      /* text: of the dynamic loader */
#define TANDEM_FAIL_NO_ENTRY 3u
#define TANDEM_FAIL_INTERNAL 4u

/* What holds a runner in, as bits of tandem_frame_start.required and tandem_frame_ready.isolation. */
#define TANDEM_ISOLATION_NETWORK 1u    /* an empty network namespace */
#define TANDEM_ISOLATION_PROCESSES 2u  /* a pid namespace */
#define TANDEM_ISOLATION_USER 4u       /* a user namespace, or no capabilities */
#define TANDEM_ISOLATION_MOUNTS 8u
#define TANDEM_ISOLATION_IPC 16u
#define TANDEM_ISOLATION_LIMITS 32u    /* memory, processor, descriptors, threads, files */
#define TANDEM_ISOLATION_LANDLOCK 64u
#define TANDEM_ISOLATION_SECCOMP 128u
#define TANDEM_ISOLATION_PARENT 256u   /* ends with its host */
#define TANDEM_ISOLATION_ALL 511u

#define TANDEM_SOURCE_LIBRARY 0u
#define TANDEM_SOURCE_MANIFEST 1u /* of a plain C library: plugin.json with a `foreign` section */

typedef struct tandem_frame_start {
    uint32_t version;
    uint32_t required; /* TANDEM_ISOLATION_*: without these the library is not loaded */
    uint32_t granted;  /* what starting the process has brought about already */
    uint32_t source; /* TANDEM_SOURCE_*: what TANDEM_RUNNER_LIBRARY holds */
    uint64_t memory_bytes;
    uint64_t file_bytes;
    uint64_t processor_seconds;
    uint32_t descriptors;
    uint32_t threads;
    uint32_t runtime_length; /* of the folder, with its NUL */
    uint32_t library_count;
} tandem_frame_start;

/* The plugin's table as the library has it, whatever is wrong with it. */
typedef struct tandem_frame_ready {
    uint32_t isolation;
    uint32_t facts; /* TANDEM_TABLE_* */
    uint32_t size;
    uint32_t flags;
    uint32_t abi_major;
    uint32_t abi_minor;
    uint32_t abi_lowest_minor;
    uint32_t functions; /* bit 0 manifest, 1 create */
    uint64_t manifest_length;
} tandem_frame_ready;

#define TANDEM_TABLE_PRESENT 1u
#define TANDEM_TABLE_ALIGNED 2u

/* The instance's table, likewise. */
typedef struct tandem_frame_created {
    uint32_t facts;
    uint32_t size;
    uint32_t flags;
    uint32_t functions; /* bits 0 activate, 1 invoke, 2 cancel, 3 quiesce, 4 destroy, 5 get_extension */
    uint64_t extensions; /* plugin-side extensions that it has, as bits of their numbers */
} tandem_frame_created;

/* What a runner answers for the host while it lasts: the person's clock. */
typedef struct tandem_frame_person {
    int64_t now_ms;        /* the host's clock when it is not the system's; INT64_MIN: it is */
    int64_t offset_from_ms; /* the offset holds from here … */
    int64_t offset_until_ms; /* … to before here */
    int32_t offset_seconds;
    uint32_t locale_length;
} tandem_frame_person;

typedef struct tandem_frame_create {
    uint64_t extensions; /* granted host extensions, as bits of their numbers */
    uint64_t config_generation;
    uint64_t config_length;
    tandem_frame_person person;
} tandem_frame_create;

typedef struct tandem_frame_invoke {
    uint64_t deadline_ns;
    int64_t now_ms; /* as in tandem_frame_person */
    uint32_t tool_length;
    uint32_t arguments_length;
    uint32_t trace_length;
    uint32_t key_length;
    uint32_t resume_length;
    uint32_t answers_length;
} tandem_frame_invoke;

/* A tandem_outcome as the plugin gave it; `size` 0 is a null pointer. */
typedef struct tandem_frame_outcome {
    uint32_t size;
    uint32_t flags;
    uint32_t kind;
    int32_t status;
    uint32_t trust;
    uint32_t reserved;
    uint64_t retry_after_ms;
    uint64_t lengths[4]; /* value, message, shown, resume_state */
    uint32_t withheld;   /* bits of buffers that do not follow: null, or longer than any host takes */
    uint32_t padding;
} tandem_frame_outcome;

/* tandem.http/1: what follows is the lengths of the fields' names and values (two uint64_t each), then all text: method,
 * address, grant, key, names and values, and the body to the end. */
typedef struct tandem_frame_http_request {
    uint32_t flags;
    uint32_t fields;
    uint64_t method;
    uint64_t url;
    uint64_t grant;
    uint64_t key;
    uint64_t timeout_ms;
    uint64_t max_response_bytes;
    uint64_t max_stale_ms;
} tandem_frame_http_request;

/* Its answer: the lengths of the fields, then names and values, address, detail and body. */
typedef struct tandem_frame_http {
    uint32_t flags;
    uint32_t status_code;
    uint32_t redirects;
    uint32_t fields;
    uint64_t age_ms;
    uint64_t retry_after_ms;
    uint64_t number; /* of a stream: what the host knows it by */
    uint64_t url;
    uint64_t detail;
    uint64_t body;
} tandem_frame_http;

/* Host extensions: numbers for `code` and for bits. Never reused. */
#define TANDEM_X_LOG 1u
#define TANDEM_X_CLOCK 2u
#define TANDEM_X_CONFIG 3u
#define TANDEM_X_ROWS 4u
#define TANDEM_X_TOOLS 5u
#define TANDEM_X_HTTP 6u
#define TANDEM_X_KV 7u
#define TANDEM_X_SECRET 8u
#define TANDEM_X_METRICS 9u
#define TANDEM_X_TIMER 10u
#define TANDEM_X_EVENT 11u
#define TANDEM_X_MEMORY 12u

/*
 * Plugin-side extensions, numbered on their own. Each of them is a table of a header and one function that takes a
 * request and ends by complete, like invoke: it is called by TANDEM_F_INVOKE with the number as `code`.
 */
#define TANDEM_P_HEALTH 1u
#define TANDEM_P_CONFIG_CHECK 2u
#define TANDEM_P_MIGRATE 3u
#define TANDEM_P_DIAGNOSTICS 4u

#define TANDEM_CODE(extension, function) ((uint32_t)(extension) << 16 | (uint32_t)(function))

_Static_assert(sizeof(tandem_frame) == 24, "tandem_frame");
_Static_assert(sizeof(tandem_frame_start) == 56, "tandem_frame_start");
_Static_assert(sizeof(tandem_frame_ready) == 40, "tandem_frame_ready");
_Static_assert(sizeof(tandem_frame_created) == 24, "tandem_frame_created");
_Static_assert(sizeof(tandem_frame_person) == 32, "tandem_frame_person");
_Static_assert(sizeof(tandem_frame_create) == 56, "tandem_frame_create");
_Static_assert(sizeof(tandem_frame_invoke) == 40, "tandem_frame_invoke");
_Static_assert(sizeof(tandem_frame_outcome) == 72, "tandem_frame_outcome");
_Static_assert(sizeof(tandem_frame_http_request) == 64, "tandem_frame_http_request");
_Static_assert(sizeof(tandem_frame_http) == 64, "tandem_frame_http");

#endif
