/* A good plugin with a schema that says what the document looks like: for measuring calls. */
#define TOOLS                                                                                                          \
    "{\"id\":\"" NAMESPACE ".run\",\"title\":\"Run\",\"description\":\"Answers with its arguments.\","                 \
    "\"parameters\":" DOCUMENT ",\"result\":" DOCUMENT ",\"effect\":\"read\"}"
#define DOCUMENT                                                                                                       \
    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"items\"],\"properties\":{\"items\":{"         \
    "\"type\":\"array\",\"items\":{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"name\"],"        \
    "\"properties\":{\"name\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":200},\"quantity\":{\"type\":"         \
    "\"string\"},\"unit\":{\"type\":\"string\"},\"count\":{\"type\":\"integer\",\"minimum\":0},\"done\":{\"type\":"    \
    "\"boolean\"}}}}}}"
#include "fixture.h"
