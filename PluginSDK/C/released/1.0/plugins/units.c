/*
 * units.c - a whole plugin in one file: converts weights, volumes, lengths and temperatures.
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * Build:
 *   clang -std=c11 -O2 -Wall -Wextra -Werror -fPIC -shared -fvisibility=hidden -Wl,-z,nodelete \
 *     -Wl,--version-script=PluginSDK/C/plugin.version -IPluginSDK/C/include -o units.so PluginSDK/Examples/C/units.c
 *
 * What a plugin in C has to do stands here once: the manifest as a string, one instance per person, a tool that
 * completes its call before invoke returns, and buffers that carry their own way of being freed.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tandem/tandem.h"

/* ---- The units: a factor to the base unit of the kind, and an offset for temperatures. ---- */

enum kind { WEIGHT, VOLUME, LENGTH, TEMPERATURE };

struct unit {
    const char *name;
    enum kind kind;
    double factor;
    double offset;
};

/* Exact by definition: the international pound and inch, the US customary cup, the teaspoon as 1/48 of it. */
static const struct unit UNITS[] = {
    {"g", WEIGHT, 1, 0},           {"kg", WEIGHT, 1000, 0},
    {"oz", WEIGHT, 28.349523125, 0}, {"lb", WEIGHT, 453.59237, 0},
    {"ml", VOLUME, 1, 0},          {"l", VOLUME, 1000, 0},
    {"tsp", VOLUME, 4.92892159375, 0}, {"tbsp", VOLUME, 14.78676478125, 0},
    {"cup", VOLUME, 236.5882365, 0}, {"cm", LENGTH, 1, 0},
    {"m", LENGTH, 100, 0},         {"km", LENGTH, 100000, 0},
    {"in", LENGTH, 2.54, 0},       {"ft", LENGTH, 30.48, 0},
    {"mile", LENGTH, 160934.4, 0}, {"C", TEMPERATURE, 1, 0},
    {"F", TEMPERATURE, 5.0 / 9.0, -32},
};

static const struct unit *find_unit(const char *name) {
    for (size_t i = 0; i < sizeof UNITS / sizeof UNITS[0]; i++)
        if (strcmp(UNITS[i].name, name) == 0) return &UNITS[i];
    return NULL;
}

/* ---- The manifest (docs/plugins/manifest.md), without what packaging adds. ---- */

#define NAMES "[\"g\",\"kg\",\"oz\",\"lb\",\"ml\",\"l\",\"tsp\",\"tbsp\",\"cup\",\"cm\",\"m\",\"km\",\"in\",\"ft\",\"mile\",\"C\",\"F\"]"
#define CHOICES                                                                                              \
    "[{\"value\":\"g\",\"words\":[\"gram\",\"grams\"]},{\"value\":\"kg\",\"words\":[\"kilo\",\"kilos\","      \
    "\"kilograms\"]},{\"value\":\"oz\",\"words\":[\"ounce\",\"ounces\"]},{\"value\":\"lb\",\"words\":"         \
    "[\"pound\",\"pounds\",\"lbs\"]},{\"value\":\"ml\",\"words\":[\"millilitres\",\"milliliters\"]},"         \
    "{\"value\":\"l\",\"words\":[\"litre\",\"litres\",\"liter\",\"liters\"]},{\"value\":\"tsp\",\"words\":"    \
    "[\"teaspoon\",\"teaspoons\"]},{\"value\":\"tbsp\",\"words\":[\"tablespoon\",\"tablespoons\"]},"           \
    "{\"value\":\"cup\",\"words\":[\"cups\"]},{\"value\":\"cm\",\"words\":[\"centimetres\",\"centimeters\"]}," \
    "{\"value\":\"m\",\"words\":[\"metre\",\"metres\",\"meter\",\"meters\"]},{\"value\":\"km\",\"words\":"     \
    "[\"kilometres\",\"kilometers\"]},{\"value\":\"in\",\"words\":[\"inch\",\"inches\"]},{\"value\":\"ft\","   \
    "\"words\":[\"foot\",\"feet\"]},{\"value\":\"mile\",\"words\":[\"miles\"]},{\"value\":\"C\",\"words\":"    \
    "[\"celsius\",\"degrees celsius\"]},{\"value\":\"F\",\"words\":[\"fahrenheit\",\"degrees fahrenheit\"]}]"

static const char MANIFEST[] =
    "{\"manifest\":1,\"id\":\"org.example.units\",\"namespace\":\"units\",\"name\":\"Units\",\"version\":\"1.0.0\","
    "\"summary\":\"Converts weights, volumes, lengths and temperatures.\",\"license\":\"Apache-2.0\","
    "\"publisher\":{\"name\":\"Tandem examples\"},"
    "\"abi\":{\"major\":1,\"minor\":0},\"extensions\":[],\"tools\":[{"
    "\"id\":\"units.convert\",\"title\":\"Convert units\","
    "\"description\":\"Converts an amount from one unit to another, e.g. 2 cups to ml or 180 C to F.\","
    "\"parameters\":{\"type\":\"object\",\"properties\":{"
    "\"amount\":{\"type\":\"number\",\"minimum\":-1000000000,\"maximum\":1000000000},"
    "\"from\":{\"type\":\"string\",\"enum\":" NAMES "},\"to\":{\"type\":\"string\",\"enum\":" NAMES "}},"
    "\"required\":[\"amount\",\"from\",\"to\"],\"additionalProperties\":false},"
    "\"result\":{\"type\":\"object\",\"properties\":{\"amount\":{\"type\":\"number\"},"
    "\"unit\":{\"type\":\"string\"}},\"required\":[\"amount\",\"unit\"],\"additionalProperties\":false},"
    "\"effect\":\"read\",\"undo\":\"none\",\"trust\":\"system\",\"utterances\":["
    "{\"text\":\"convert {amount} {from} (to|into) {to}\"},"
    "{\"text\":\"(what|how much) is {amount} {from} in {to}\"},"
    "{\"text\":\"how many {to} (are|is) [in] {amount} {from}\"}],"
    "\"slots\":{\"amount\":{\"kind\":\"number\",\"required\":true},"
    "\"from\":{\"kind\":\"choice\",\"required\":true,\"choices\":" CHOICES "},"
    "\"to\":{\"kind\":\"choice\",\"required\":true,\"choices\":" CHOICES "}},"
    "\"timeoutMilliseconds\":1000}],\"limits\":{\"maxInFlight\":16}}";

/* ---- Just enough JSON. The host has validated the arguments: a flat object with these three members. ---- */

struct reader {
    const uint8_t *at;
    const uint8_t *end;
};

static void skip_space(struct reader *reader) {
    while (reader->at < reader->end && strchr(" \t\r\n", *reader->at) != NULL) reader->at++;
}

static bool take(struct reader *reader, char expected) {
    skip_space(reader);
    if (reader->at == reader->end || *reader->at != (uint8_t)expected) return false;
    reader->at++;
    return true;
}

/* One hexadecimal escape after `\u`: the names here are ASCII, so anything beyond becomes a question mark. */
static bool read_escape(struct reader *reader, char *out) {
    unsigned value = 0;
    for (int i = 0; i < 4; i++) {
        if (reader->at == reader->end) return false;
        uint8_t c = *reader->at++;
        unsigned letter = c | 0x20u;
        if (c >= '0' && c <= '9')
            value = value * 16 + (c - (unsigned)'0');
        else if (letter >= 'a' && letter <= 'f')
            value = value * 16 + (letter - 'a' + 10);
        else
            return false;
    }
    *out = value > 0 && value < 128 ? (char)value : '?';
    return true;
}

static bool read_string(struct reader *reader, char *out, size_t capacity) {
    size_t length = 0;
    if (!take(reader, '"')) return false;
    while (reader->at < reader->end && *reader->at != '"') {
        char c = (char)*reader->at++;
        if (c == '\\') {
            if (reader->at == reader->end) return false;
            c = (char)*reader->at++;
            if (c == 'u' && !read_escape(reader, &c)) return false;
        }
        if (length + 1 >= capacity) return false;
        out[length++] = c;
    }
    out[length] = 0;
    return take(reader, '"');
}

/* A JSON number by hand: strtod would listen to the process's locale. */
static bool read_number(struct reader *reader, double *out) {
    skip_space(reader);
    bool negative = reader->at < reader->end && *reader->at == '-';
    if (negative) reader->at++;
    double value = 0;
    int exponent = 0;
    bool digits = false;
    for (; reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9'; reader->at++, digits = true)
        value = value * 10 + (*reader->at - '0');
    if (reader->at < reader->end && *reader->at == '.')
        for (reader->at++; reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9'; reader->at++, exponent--)
            value = value * 10 + (*reader->at - '0');
    if (reader->at < reader->end && (*reader->at | 0x20) == 'e') {
        reader->at++;
        bool down = reader->at < reader->end && *reader->at == '-';
        if (reader->at < reader->end && (*reader->at == '-' || *reader->at == '+')) reader->at++;
        int power = 0;
        for (; reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9' && power < 1000; reader->at++)
            power = power * 10 + (*reader->at - '0');
        exponent += down ? -power : power;
    }
    *out = (negative ? -value : value) * pow(10, exponent);
    return digits && isfinite(*out);
}

struct arguments {
    double amount;
    char from[16];
    char to[16];
};

static bool read_arguments(tandem_slice json, struct arguments *out) {
    struct reader reader = {json.ptr, json.ptr == NULL ? NULL : json.ptr + json.len};
    memset(out, 0, sizeof *out);
    out->amount = NAN;
    if (json.ptr == NULL || !take(&reader, '{')) return false;
    do {
        char name[16];
        if (!read_string(&reader, name, sizeof name) || !take(&reader, ':')) return false;
        bool ok = strcmp(name, "amount") == 0 ? read_number(&reader, &out->amount)
                  : strcmp(name, "from") == 0 ? read_string(&reader, out->from, sizeof out->from)
                  : strcmp(name, "to") == 0   ? read_string(&reader, out->to, sizeof out->to)
                                              : false;
        if (!ok) return false;
    } while (take(&reader, ','));
    return take(&reader, '}') && !isnan(out->amount);
}

/* ---- One plugin for one person. ---- */

struct converter {
    tandem_instance table; /* first: a pointer to the table is a pointer to this */
    const tandem_host *host;
};

/* Text that the host frees with free(): the buffer says so itself. */
static tandem_buffer owned(const char *text) {
    tandem_buffer buffer = {0};
    size_t length = strlen(text);
    uint8_t *copy = malloc(length > 0 ? length : 1);
    if (copy == NULL) return buffer;
    memcpy(copy, text, length);
    buffer.ptr = copy;
    buffer.len = length;
    buffer.owner = copy;
    buffer.release = free;
    return buffer;
}

/* At most six significant digits and no exponent: 473.176, 0.25, 1200000. */
static void format(double value, char *out, size_t capacity) {
    double size = fabs(value);
    int places = size >= 100000 || value == 0 ? 0 : size < 1e-6 ? 12 : 5 - (int)floor(log10(size));
    snprintf(out, capacity, "%.*f", places < 0 ? 0 : places, value);
    for (char *c = out; *c != 0; c++)
        if (*c == ',') *c = '.'; /* whatever the locale says */
    if (strchr(out, '.') == NULL) return;
    char *last = out + strlen(out) - 1;
    while (*last == '0') *last-- = 0;
    if (*last == '.') *last = 0;
}

static tandem_status complete(const tandem_host *host, tandem_call_id call, uint32_t kind, tandem_status status,
                              const char *value, const char *message) {
    tandem_outcome outcome = {.header = {.size = sizeof outcome, .flags = 0}, .kind = kind, .status = status};
    outcome.value = owned(value);
    outcome.message = owned(message);
    return host->complete(host, call, &outcome); /* the buffers are the host's now, whatever it answers */
}

static tandem_status activate(tandem_instance *instance) {
    (void)instance;
    return TANDEM_OK;
}

static tandem_status invoke(tandem_instance *instance, const tandem_request *request) {
    const tandem_host *host = ((struct converter *)instance)->host;
    static const char TOOL[] = "units.convert";
    struct arguments arguments;
    if (request->header.size < TANDEM_REQUEST_SIZE_1_0) return TANDEM_E_SIZE_TOO_SMALL;
    if ((request->header.flags & TANDEM_FLAGS_MUST_UNDERSTAND) != 0) return TANDEM_E_UNSUPPORTED;
    if (request->tool.len != sizeof TOOL - 1 || memcmp(request->tool.ptr, TOOL, sizeof TOOL - 1) != 0)
        return TANDEM_E_UNSUPPORTED;
    if (!read_arguments(request->arguments, &arguments)) return TANDEM_E_INVALID_ARGUMENT;

    const struct unit *from = find_unit(arguments.from);
    const struct unit *to = find_unit(arguments.to);
    if (from == NULL || to == NULL) return TANDEM_E_INVALID_ARGUMENT;
    if (from->kind != to->kind) {
        complete(host, request->call, TANDEM_OUTCOME_TOOL_ERROR, TANDEM_E_INVALID_ARGUMENT,
                 "{\"code\":\"different_kinds\",\"retryable\":false}", "These two do not convert into each other.");
        return TANDEM_OK;
    }
    double result = (arguments.amount + from->offset) * from->factor / to->factor - to->offset;
    char amount[64], converted[64], value[128], message[160];
    format(arguments.amount, amount, sizeof amount);
    format(result, converted, sizeof converted);
    snprintf(value, sizeof value, "{\"amount\":%s,\"unit\":\"%s\"}", converted, to->name);
    snprintf(message, sizeof message, "%s %s is %s %s.", amount, from->name, converted, to->name);
    complete(host, request->call, TANDEM_OUTCOME_VALUE, TANDEM_OK, value, message);
    return TANDEM_OK;
}

/* Calls are over before invoke returns: there is nothing to cancel and nothing to wait for. */
static void cancel(tandem_instance *instance, tandem_call_id call, uint32_t reason) {
    (void)instance;
    (void)call;
    (void)reason;
}

static tandem_status quiesce(tandem_instance *instance) {
    (void)instance;
    return TANDEM_OK;
}

static void destroy(tandem_instance *instance) { free(instance); }

/* tandem.health/1: nothing can go wrong with a table of factors. */
static tandem_status check_health(tandem_instance *instance, const tandem_request *request) {
    if (request->header.size < TANDEM_REQUEST_SIZE_1_0) return TANDEM_E_SIZE_TOO_SMALL;
    complete(((struct converter *)instance)->host, request->call, TANDEM_OUTCOME_VALUE, TANDEM_OK, "{\"status\":\"ok\"}", "");
    return TANDEM_OK;
}

static const void *get_extension(tandem_instance *instance, const char *id) {
    static const tandem_health HEALTH = {.header = {.size = sizeof HEALTH, .flags = 0}, .check = check_health};
    (void)instance;
    return strcmp(id, TANDEM_EXT_HEALTH) == 0 ? &HEALTH : NULL;
}

static tandem_status create(const tandem_plugin *plugin, const tandem_host *host, tandem_instance **instance) {
    (void)plugin;
    *instance = NULL;
    if (host->header.size < TANDEM_HOST_SIZE_1_0) return TANDEM_E_SIZE_TOO_SMALL;
    struct converter *converter = calloc(1, sizeof *converter);
    if (converter == NULL) return TANDEM_E_NO_MEMORY;
    converter->host = host;
    converter->table = (tandem_instance){
        .header = {.size = sizeof(tandem_instance), .flags = 0},
        .activate = activate,
        .invoke = invoke,
        .cancel = cancel,
        .quiesce = quiesce,
        .destroy = destroy,
        .get_extension = get_extension,
    };
    *instance = &converter->table;
    return TANDEM_OK;
}

static tandem_slice manifest(const tandem_plugin *plugin) {
    (void)plugin;
    return (tandem_slice){.ptr = (const uint8_t *)MANIFEST, .len = sizeof MANIFEST - 1};
}

TANDEM_EXPORT const tandem_plugin *tandem_plugin_entry(uint32_t host_major, uint32_t host_minor) {
    static const tandem_plugin PLUGIN = {
        .header = {.size = sizeof(tandem_plugin), .flags = 0},
        .abi_major = TANDEM_ABI_MAJOR,
        .abi_minor = TANDEM_ABI_MINOR,
        .abi_lowest_minor = 0,
        .manifest = manifest,
        .create = create,
    };
    (void)host_minor;
    return host_major == TANDEM_ABI_MAJOR ? &PLUGIN : NULL;
}
