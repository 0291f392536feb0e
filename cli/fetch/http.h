/* One file asked for over HTTP. The only door to the network: http_curl.c opens it with libcurl, http_none.c
 * keeps it shut where there is none. SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_FETCH_HTTP_H
#define CLI_FETCH_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_ETAG_SIZE   200
#define HTTP_SHA256_SIZE 65

/** What a server said before the body. */
typedef struct http_head {
    long status;
    int64_t length; /* of the body; -1: not said */
    /* Of a part (status 206): where it begins, and the size of the whole. -1: not said, or nonsense. */
    int64_t part_start, part_whole;
    char etag[HTTP_ETAG_SIZE]; /* with its quotes, as it came; "" if there is none */
    bool is_web_page;
    /* What Hugging Face says of a large file, in the answer that leads on to its store: the SHA-256 and the
     * size. "" and -1 if nothing. */
    char linked_sha256[HTTP_SHA256_SIZE];
    int64_t linked_size;
    int64_t wait_s; /* how long the server wants to be left alone; 0: not said */
} http_head;

typedef struct http_request {
    const char *url; /* http or https */
    int64_t from;    /* the first byte wanted; 0: the whole file */
    const char
        *if_same;  /* with `from`: the ETag the file must still have, or all of it is sent; may be NULL */
    int timeout_s; /* how long a server may be silent */
    /* The calls below get `context`. A false from any of them ends the transfer. */
    bool (*begin)(void *context, const http_head *head); /* before the first byte of the last answer's body */
    bool (*take)(void *context, const void *bytes, size_t length);
    bool (*go_on)(void *context); /* now and then, also while nothing comes */
    void *context;
} http_request;

typedef enum http_outcome {
    HTTP_DONE,
    HTTP_ENDED,       /* a call returned false */
    HTTP_INTERRUPTED, /* broke off or stalled: may go better the next time */
    HTTP_UNREACHABLE, /* no such host, nobody listens there */
    HTTP_FAILED       /* would fail again */
} http_outcome;

/** Room for a problem in words. */
#define HTTP_PROBLEM_SIZE 300

/** Follows at most 10 redirects, to http and https only, and from https to https only. Sends no passwords or
 * cookies. Proxies are those of the environment, as curl takes them ($https_proxy, $no_proxy, ...).
 * `problem` says what went wrong, unless the outcome is HTTP_DONE or HTTP_ENDED. */
http_outcome http_get(char problem[HTTP_PROBLEM_SIZE], const http_request *request);

/** Whether this command can reach the network at all. */
bool http_available(void);

#endif
