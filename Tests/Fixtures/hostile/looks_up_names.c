/* Looks names up and sends packets, by every way that the C library and the kernel have. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    struct worked worked = {0};
    static const char *const NAMES[] = {"example.com", "localhost", "metadata.google.internal", "tandem-hostile.invalid"};
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        struct addrinfo *found = NULL;
        note(&worked, getaddrinfo(NAMES[i], "443", NULL, &found) == 0, NAMES[i]);
        note(&worked, gethostbyname(NAMES[i]) != NULL, "gethostbyname");
    }
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(53)};
    inet_pton(AF_INET, "8.8.8.8", &server.sin_addr);
    static const int KINDS[] = {SOCK_DGRAM, SOCK_STREAM, SOCK_RAW, SOCK_SEQPACKET};
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++) {
        int file = socket(AF_INET, KINDS[i], 0);
        note(&worked, file >= 0 && sendto(file, "x", 1, 0, (struct sockaddr *)&server, sizeof server) == 1, "sendto");
    }
    /* The channel, with an address. */
    note(&worked, sendto(HOST_SOCKET, "", 0, MSG_FASTOPEN, (struct sockaddr *)&server, sizeof server) > 0, "fast open");
    return answer_worked(instance, request->call, &worked);
}
