/* The code says another title than plugin.json, which the test writes from echo.c. */
#define TOOLS                                                                                                          \
    "{\"id\":\"" NAMESPACE ".run\",\"title\":\"Run!\",\"description\":\"Answers with its arguments.\","                \
    "\"parameters\":{\"type\":\"object\",\"properties\":{\"value\":{}},\"additionalProperties\":false},"               \
    "\"effect\":\"read\"}"
#include "fixture.h"
