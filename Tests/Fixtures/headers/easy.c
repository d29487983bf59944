/* What tandem/easy.h says of its buffers holds to the byte. scripts/check-headers runs it. */
#undef NDEBUG
#include <assert.h>
#include <tandem/easy.h>
#include <tandem/tandem.h>

/* The length of a JSON string's text in so much room; nothing behind the room is touched. */
static int text(const char *json, size_t room) {
    char out[64];
    memset(out, 'x', sizeof out);
    int length = tandem_json_text(tandem_slice_of(json), out, room);
    assert(out[room] == 'x');
    if (length >= 0) assert((size_t)length == strlen(out));
    return length;
}

static int quoted(const char *plain, size_t room) {
    char out[64];
    memset(out, 'y', sizeof out);
    int length = tandem_json_quote(plain, out, room);
    assert(out[room] == 'y');
    if (length >= 0) assert((size_t)length == strlen(out));
    return length;
}

int main(void) {
    assert(text("\"2026-11-21\"", 11) == 10);
    assert(text("\"2026-11-21\"", 10) == -1);
    assert(text("\"\"", 1) == 0);
    assert(text("\"\"", 0) == -1);
    assert(text("\"\\ud83d\\ude00\"", 5) == 4);
    assert(text("\"\\ud83d\\ude00\"", 4) == -1);
    assert(text("\"\\ud83d\"", 4) == 3);
    assert(text("\"\\u00e9\"", 3) == 2);
    assert(text("\"a\\u0000\"", 9) == -1);
    assert(text("\"\\n\\\"\"", 3) == 2);
    assert(text("12", 9) == -1);

    assert(quoted("abc", 6) == 5);
    assert(quoted("abc", 5) == -1);
    assert(quoted("", 3) == 2);
    assert(quoted("", 2) == -1);
    assert(quoted("\1", 9) == 8);
    assert(quoted("\1", 8) == -1);
    assert(quoted("\"", 5) == 4);
    return 0;
}
