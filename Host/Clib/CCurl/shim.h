/* What Swift cannot call of libcurl: its variadic functions, one typed form for each kind of argument. */
#ifndef TANDEM_CCURL_SHIM_H
#define TANDEM_CCURL_SHIM_H

#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* The signature of CURLOPT_WRITEFUNCTION, CURLOPT_HEADERFUNCTION and CURLOPT_READFUNCTION. */
typedef size_t (*tandem_curl_data_function)(char *data, size_t size, size_t count, void *context);

/* The signature of CURLOPT_SEEKFUNCTION. */
typedef int (*tandem_curl_seek_function)(void *context, curl_off_t offset, int origin);

/* The signature of CURLOPT_OPENSOCKETFUNCTION. */
typedef curl_socket_t (*tandem_curl_socket_function)(void *context, curlsocktype purpose, struct curl_sockaddr *address);

/* The signature of CURLOPT_PREREQFUNCTION. */
typedef int (*tandem_curl_request_function)(void *context, char *remote, char *local, int remote_port, int local_port);

static inline CURLcode tandem_curl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode tandem_curl_set_size(CURL *handle, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(handle, option, value);
}

/* libcurl copies the text. */
static inline CURLcode tandem_curl_set_text(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}

/* libcurl keeps the pointer. */
static inline CURLcode tandem_curl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}

/* libcurl keeps the list, which must live until the transfer is over. */
static inline CURLcode tandem_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode tandem_curl_set_data_function(CURL *handle, CURLoption option, tandem_curl_data_function value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode tandem_curl_set_seek_function(CURL *handle, tandem_curl_seek_function value) {
    return curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, value);
}

static inline CURLcode tandem_curl_set_socket_function(CURL *handle, tandem_curl_socket_function value) {
    return curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, value);
}

static inline CURLcode tandem_curl_set_request_function(CURL *handle, tandem_curl_request_function value) {
    return curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, value);
}

/*
 * The address that a socket is about to be opened for: its bytes in network order and how many they are, 4 or 16; null
 * for other families. The struct that libcurl passes is longer than its last member says.
 */
static inline const void *tandem_curl_address_bytes(const struct curl_sockaddr *address, size_t *count) {
    const void *raw = &address->addr;
    if (address->family == AF_INET && address->addrlen >= sizeof(struct sockaddr_in)) {
        *count = 4;
        return &((const struct sockaddr_in *)raw)->sin_addr;
    }
    if (address->family == AF_INET6 && address->addrlen >= sizeof(struct sockaddr_in6)) {
        *count = 16;
        return &((const struct sockaddr_in6 *)raw)->sin6_addr;
    }
    *count = 0;
    return 0;
}

/* As libcurl would, and closed in processes that are started. */
static inline curl_socket_t tandem_curl_open_socket(const struct curl_sockaddr *address) {
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static inline CURLcode tandem_curl_get_long(CURL *handle, CURLINFO info, long *value) {
    return curl_easy_getinfo(handle, info, value);
}

static inline CURLcode tandem_curl_get_size(CURL *handle, CURLINFO info, curl_off_t *value) {
    return curl_easy_getinfo(handle, info, value);
}

static inline CURLcode tandem_curl_get_pointer(CURL *handle, CURLINFO info, void **value) {
    return curl_easy_getinfo(handle, info, (char **)value);
}

static inline CURLMcode tandem_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

/* The result of a CURLMSG_DONE message, which lies in a union. */
static inline CURLcode tandem_curl_message_result(const CURLMsg *message) { return message->data.result; }

/* Macros that carry casts. */
static const long tandem_curl_tls_1_2 = CURL_SSLVERSION_TLSv1_2;
static const size_t tandem_curl_read_abort = CURL_READFUNC_ABORT;
static const size_t tandem_curl_write_pause = CURL_WRITEFUNC_PAUSE;
static const curl_socket_t tandem_curl_bad_socket = CURL_SOCKET_BAD;
static const int tandem_curl_request_abort = CURL_PREREQFUNC_ABORT;
static const int tandem_curl_request_ok = CURL_PREREQFUNC_OK;
static const int tandem_curl_continue = CURLPAUSE_CONT;

#endif
