#include "tandem_tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct tandem_tls {
    SSL_CTX *context;
    SSL *session;
    BIO_METHOD *method;
};

/* A BIO of our own: the one of OpenSSL writes with write(2), which raises SIGPIPE when the peer is gone. */
static int socket_write(BIO *bio, const char *bytes, int count) {
    int descriptor = (int)(intptr_t)BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t sent = send(descriptor, bytes, (size_t)count, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) { BIO_set_retry_write(bio); }
    return (int)sent;
}

static int socket_read(BIO *bio, char *bytes, int count) {
    int descriptor = (int)(intptr_t)BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t received = recv(descriptor, bytes, (size_t)count, MSG_DONTWAIT);
    if (received < 0 && (errno == EAGAIN || errno == EINTR)) { BIO_set_retry_read(bio); }
    return (int)received;
}

static long socket_control(BIO *bio, int command, long number, void *pointer) {
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

/* The oldest reason in this thread's queue; the queue is empty afterwards. */
static void explain(const char *what, char *problem, size_t size) {
    unsigned long code = ERR_get_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
    snprintf(problem, size, "%s: %s", what, reason != NULL ? reason : "no reason given");
    ERR_clear_error();
}

tandem_tls *tandem_tls_open(int descriptor, const char *host, const char *ca_file, char *problem, size_t size) {
    ERR_clear_error();
    tandem_tls *tls = calloc(1, sizeof *tls);
    if (tls == NULL) {
        snprintf(problem, size, "no memory");
        return NULL;
    }
    tls->context = SSL_CTX_new(TLS_client_method());
    if (tls->context == NULL || SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION) != 1) {
        explain("TLS cannot be set up", problem, size);
        tandem_tls_close(tls);
        return NULL;
    }
    int trusted = ca_file != NULL ? SSL_CTX_load_verify_locations(tls->context, ca_file, NULL)
                                  : SSL_CTX_set_default_verify_paths(tls->context);
    if (trusted != 1) {
        explain("the authorities' certificates cannot be read", problem, size);
        tandem_tls_close(tls);
        return NULL;
    }
    SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(tls->context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    tls->session = SSL_new(tls->context);
    tls->method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tandem socket");
    BIO *bio = NULL;
    if (tls->method != NULL) {
        BIO_meth_set_write(tls->method, socket_write);
        BIO_meth_set_read(tls->method, socket_read);
        BIO_meth_set_ctrl(tls->method, socket_control);
        bio = BIO_new(tls->method);
    }
    unsigned char address[16];
    int is_address = inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
    int named = 0;
    if (tls->session != NULL && bio != NULL) {
        named = is_address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls->session), host)
                           : SSL_set1_host(tls->session, host) == 1 && SSL_set_tlsext_host_name(tls->session, host) == 1;
    }
    if (named != 1) {
        BIO_free(bio);
        explain("TLS cannot be set up", problem, size);
        tandem_tls_close(tls);
        return NULL;
    }
    BIO_set_data(bio, (void *)(intptr_t)descriptor);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->session, bio, bio);
    SSL_set_connect_state(tls->session);
    return tls;
}

static int wants(SSL *session, int result) {
    switch (SSL_get_error(session, result)) {
    case SSL_ERROR_WANT_READ: return TANDEM_TLS_WANTS_READ;
    case SSL_ERROR_WANT_WRITE: return TANDEM_TLS_WANTS_WRITE;
    default: return TANDEM_TLS_FAILED;
    }
}

int tandem_tls_handshake(tandem_tls *tls, char *problem, size_t size) {
    ERR_clear_error();
    int result = SSL_do_handshake(tls->session);
    if (result == 1) { return 0; }
    int wanted = wants(tls->session, result);
    if (wanted != TANDEM_TLS_FAILED) { return wanted; }
    long verdict = SSL_get_verify_result(tls->session);
    if (verdict != X509_V_OK) {
        snprintf(problem, size, "the server's certificate is refused: %s", X509_verify_cert_error_string(verdict));
        ERR_clear_error();
    } else {
        explain("the TLS handshake failed", problem, size);
    }
    return TANDEM_TLS_FAILED;
}

long tandem_tls_read(tandem_tls *tls, void *bytes, size_t count) {
    ERR_clear_error();
    int result = SSL_read(tls->session, bytes, count > INT_MAX ? INT_MAX : (int)count);
    if (result > 0) { return result; }
    if (SSL_get_error(tls->session, result) == SSL_ERROR_ZERO_RETURN) { return 0; }
    return wants(tls->session, result);
}

long tandem_tls_write(tandem_tls *tls, const void *bytes, size_t count) {
    ERR_clear_error();
    int result = SSL_write(tls->session, bytes, count > INT_MAX ? INT_MAX : (int)count);
    return result > 0 ? result : wants(tls->session, result);
}

void tandem_tls_close(tandem_tls *tls) {
    if (tls == NULL) { return; }
    SSL_free(tls->session);
    SSL_CTX_free(tls->context);
    if (tls->method != NULL) { BIO_meth_free(tls->method); }
    free(tls);
}
