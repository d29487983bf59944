/* What Swift cannot call of libcurl: its variadic functions, one typed form for each kind of argument. */
#ifndef TANDEM_CCURL_SHIM_H
#define TANDEM_CCURL_SHIM_H

#include <curl/curl.h>

/* The signature of CURLOPT_WRITEFUNCTION, CURLOPT_HEADERFUNCTION and CURLOPT_READFUNCTION. */
typedef size_t (*tandem_curl_data_function)(char *data, size_t size, size_t count, void *context);

/* The signature of CURLOPT_SEEKFUNCTION. */
typedef int (*tandem_curl_seek_function)(void *context, curl_off_t offset, int origin);

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

#endif
