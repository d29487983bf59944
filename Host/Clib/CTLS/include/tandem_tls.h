/* TLS on a connected, non-blocking socket, by OpenSSL: the peer's certificate and name are always checked. */
#ifndef TANDEM_TLS_H
#define TANDEM_TLS_H

#include <stddef.h>

typedef struct tandem_tls tandem_tls;

/* What a function returns besides a count: wait until the socket is readable or writable, or it failed for good. */
enum {
    TANDEM_TLS_WANTS_READ = -1,
    TANDEM_TLS_WANTS_WRITE = -2,
    TANDEM_TLS_FAILED = -3,
};

/*
 * host: what the certificate must name, a host name or an address. ca_file: PEM file of authorities, null for those of
 * the machine (SSL_CERT_FILE and SSL_CERT_DIR count). The socket stays the caller's. Null with a text in problem.
 */
tandem_tls *tandem_tls_open(int descriptor, const char *host, const char *ca_file, char *problem, size_t size);

/* 0 when the connection is made; otherwise one of the above. Call again when the socket is ready. */
int tandem_tls_handshake(tandem_tls *tls, char *problem, size_t size);

/* The number of bytes, 0 at the end of the stream (reading only), or one of the above. */
long tandem_tls_read(tandem_tls *tls, void *bytes, size_t count);
long tandem_tls_write(tandem_tls *tls, const void *bytes, size_t count);

/* Frees; null is allowed. */
void tandem_tls_close(tandem_tls *tls);

#endif
