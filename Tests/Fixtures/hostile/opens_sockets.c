/* Tries to reach the network and other processes by sockets. */
#include <tandem/tandem.h>
static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request);
#define INVOKE bad_invoke
#include "hostile.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/un.h>

static tandem_status bad_invoke(tandem_instance *instance, const tandem_request *request) {
    struct worked worked = {0};
    static const int FAMILIES[] = {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK, AF_PACKET, AF_VSOCK, AF_ALG};
    for (size_t i = 0; i < sizeof FAMILIES / sizeof FAMILIES[0]; i++) {
        int file = socket(FAMILIES[i], SOCK_DGRAM, 0);
        if (file < 0) file = socket(FAMILIES[i], SOCK_STREAM, 0);
        note(&worked, file >= 0, "socket");
    }
    int pair[2];
    note(&worked, socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");
    struct addrinfo *found = NULL;
    note(&worked, getaddrinfo("localhost", "80", NULL, &found) == 0 && found == NULL, "getaddrinfo");
    /* The socket it has, turned elsewhere. */
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(80)};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    note(&worked, connect(HOST_SOCKET, (struct sockaddr *)&address, sizeof address) == 0, "connect");
    note(&worked, bind(HOST_SOCKET, (struct sockaddr *)&address, sizeof address) == 0, "bind");
    note(&worked, listen(HOST_SOCKET, 1) == 0, "listen");
    return answer_worked(instance, request->call, &worked);
}
