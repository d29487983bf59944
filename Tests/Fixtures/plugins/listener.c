/* A plugin that hears of what the plugin of extensions.c publishes. */
#ifndef ID
#define ID "test.listener"
#define NAMESPACE "listener"
#endif
#define DECLARED                                                                                                       \
    "\"handlers\":[{\"name\":\"due\",\"description\":\"Hears\",\"effect\":\"write\"}],"                                \
    "\"events\":{\"subscribes\":[{\"topic\":\"extensions.happened\",\"handler\":\"due\",\"reason\":\"to hear\"}]},"
#include "extensions.c"
