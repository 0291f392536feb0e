/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/http.h"

#include "lancet/lancet.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define REDIRECTS_MAX 10L
/* Slower than this over the time-out is no better than silence: a gigabyte would take four months. */
#define SPEED_LEAST 100L

typedef struct transfer {
    const http_request *request;
    CURL *curl;
    http_head head;
    bool begun, ended, silent;
    struct timespec heard; /* when the server last sent something */
} transfer;

/* ---- What the server says -------------------------------------------------------------------------------
 */

/* A whole number of at most 18 digits; -1 if there is none. */
static int64_t read_number(const char **text)
{
    const size_t digits = strspn(*text, "0123456789");
    int64_t number = 0;

    if (!digits || digits > 18)
        return -1;
    for (size_t i = 0; i < digits; i++)
        number = number * 10 + (*text)[i] - '0';
    *text += digits;
    return number;
}

/* "bytes 100-299/300"; both stay -1 if it reads otherwise. */
static void read_range(http_head *head, const char *text)
{
    int64_t start, end, whole;

    if (strncasecmp(text, "bytes ", 6) != 0)
        return;
    text += 6;
    start = read_number(&text);
    if (start < 0 || *text++ != '-')
        return;
    end = read_number(&text);
    if (end < start || *text++ != '/')
        return;
    whole = read_number(&text);
    if (*text || end != whole - 1)
        return;
    head->part_start = start;
    head->part_whole = whole;
}

/* The SHA-256 in an ETag; anything else is left out. */
static void read_sha256(char sha256[HTTP_SHA256_SIZE], const char *text)
{
    if (*text++ != '"' || strspn(text, "0123456789abcdefABCDEF") != 64 || strcmp(text + 64, "\"") != 0)
        return;
    for (size_t i = 0; i < 64; i++)
        sha256[i] = (char)tolower((unsigned char)text[i]);
    sha256[64] = '\0';
}

/* One that does not fit is none (half of one would never match), nor is one of other than ASCII letters and
 * signs. */
static void take_etag(char etag[HTTP_ETAG_SIZE], const char *text)
{
    const size_t length = strlen(text);

    etag[0] = '\0';
    if (length >= HTTP_ETAG_SIZE)
        return;
    for (size_t i = 0; i < length; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return;
    memcpy(etag, text, length + 1);
}

static void forget_answer(http_head *head)
{
    head->etag[0] = '\0';
    head->part_start = head->part_whole = -1;
    head->is_web_page = false;
    head->wait_s = 0;
}

static void take_field(http_head *head, const char *name, const char *value)
{
    if (strcasecmp(name, "ETag") == 0) {
        take_etag(head->etag, value);
    } else if (strcasecmp(name, "Content-Range") == 0) {
        read_range(head, value);
    } else if (strcasecmp(name, "Content-Type") == 0) {
        head->is_web_page = strncasecmp(value, "text/html", 9) == 0;
    } else if (strcasecmp(name, "Retry-After") == 0) {
        const int64_t wait = read_number(&value);

        head->wait_s = wait > 0 ? wait : 0;
    } else if (strcasecmp(name, "X-Linked-Etag") == 0 && !*head->linked_sha256) {
        read_sha256(head->linked_sha256, value);
    } else if (strcasecmp(name, "X-Linked-Size") == 0 && head->linked_size < 0) {
        head->linked_size = read_number(&value);
    }
}

/* One line of an answer's head: "Name: value\r\n". Lines that are too long hold nothing that is wanted. */
static size_t on_header(char *bytes, size_t one, size_t length, void *context)
{
    transfer *t = context;
    char line[512], *value;
    size_t end = length;

    (void)one;
    clock_gettime(CLOCK_MONOTONIC, &t->heard);
    while (end && isspace((unsigned char)bytes[end - 1]))
        end--;
    if (end >= 5 && strncmp(bytes, "HTTP/", 5) == 0)
        forget_answer(&t->head); /* the next of several answers; what was linked stays */
    if (end >= sizeof line)
        return length;
    memcpy(line, bytes, end);
    line[end] = '\0';
    value = strchr(line, ':');
    if (value) {
        *value++ = '\0';
        take_field(&t->head, line, value + strspn(value, " \t"));
    }
    return length;
}

static bool begin(transfer *t)
{
    curl_off_t length = -1;

    t->begun = true;
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &t->head.status);
    curl_easy_getinfo(t->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    t->head.length = length;
    t->ended = !t->request->begin(t->request->context, &t->head);
    return !t->ended;
}

static size_t on_body(char *bytes, size_t one, size_t length, void *context)
{
    transfer *t = context;

    (void)one;
    clock_gettime(CLOCK_MONOTONIC, &t->heard);
    if (!t->begun && !begin(t))
        return 0;
    t->ended = !t->request->take(t->request->context, bytes, length);
    return t->ended ? 0 : length;
}

static int on_progress(void *context, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
    transfer *t = context;
    struct timespec now;

    (void)down_all, (void)down, (void)up_all, (void)up;
    t->ended = t->ended || !t->request->go_on(t->request->context);
    /* libcurl's own limit looks at an average over seconds, and so notices later. */
    clock_gettime(CLOCK_MONOTONIC, &now);
    t->silent = now.tv_sec - t->heard.tv_sec > t->request->timeout_s;
    return t->ended || t->silent;
}

/* ---- The request ----------------------------------------------------------------------------------------
 */

static CURLcode set_protocols(CURL *curl, bool secure)
{
    CURLcode code;

    /* Whoever asked for https must not be led to http. */
#if LIBCURL_VERSION_NUM >= 0x075500
    code = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
#else
    code = curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS,
                                secure ? (long)CURLPROTO_HTTPS : (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    return code;
}

/* Every option has to be taken: a transfer without one of the limits is not wanted. */
static bool set_up(transfer *t, struct curl_slist *headers, char *range)
{
    const http_request *r = t->request;
    CURL *curl = t->curl;
    char agent[60];

    snprintf(agent, sizeof agent, "lancet/%s", lancet_version());
    return curl_easy_setopt(curl, CURLOPT_URL, r->url) == CURLE_OK &&
           set_protocols(curl, strncasecmp(r->url, "https:", 6) == 0) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_MAXREDIRS, REDIRECTS_MAX) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_USERAGENT, agent) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)r->timeout_s) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, SPEED_LEAST) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)r->timeout_s) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_RANGE, range) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HEADERDATA, t) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, t) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_XFERINFODATA, t) == CURLE_OK;
}

static http_outcome judge(char problem[HTTP_PROBLEM_SIZE], CURLcode code, int timeout_s, const char *details)
{
    http_outcome outcome = HTTP_FAILED;

    snprintf(problem, HTTP_PROBLEM_SIZE, "%s", *details ? details : curl_easy_strerror(code));
    switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
        outcome = HTTP_UNREACHABLE;
        break;
    case CURLE_OPERATION_TIMEDOUT:
        snprintf(problem, HTTP_PROBLEM_SIZE, "the server was silent for %d s", timeout_s);
        outcome = HTTP_INTERRUPTED;
        break;
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
        snprintf(problem, HTTP_PROBLEM_SIZE, "the server broke off");
        outcome = HTTP_INTERRUPTED;
        break;
    case CURLE_SEND_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        outcome = HTTP_INTERRUPTED;
        break;
    case CURLE_TOO_MANY_REDIRECTS:
        snprintf(problem, HTTP_PROBLEM_SIZE, "expected at most %ld redirects, found more", REDIRECTS_MAX);
        break;
    case CURLE_UNSUPPORTED_PROTOCOL:
        snprintf(problem, HTTP_PROBLEM_SIZE,
                 "expected to be led to https, or from http to http, found another protocol (%s)",
                 *details ? details : curl_easy_strerror(code));
        break;
    case CURLE_LOGIN_DENIED:
        snprintf(problem, HTTP_PROBLEM_SIZE, "expected an address without a user's name, found one with");
        break;
    default:
        break;
    }
    return outcome;
}

http_outcome http_get(char problem[HTTP_PROBLEM_SIZE], const http_request *request)
{
    transfer t = {.request = request, .head = {.length = -1, .linked_size = -1}};
    char range[32], same[HTTP_ETAG_SIZE + 16], details[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = NULL;
    http_outcome outcome = HTTP_FAILED;
    CURLcode code;

    forget_answer(&t.head);
    clock_gettime(CLOCK_MONOTONIC, &t.heard);
    snprintf(problem, HTTP_PROBLEM_SIZE, "out of memory");
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return HTTP_FAILED;
    t.curl = curl_easy_init();
    if (!t.curl)
        goto done;
    if (request->from > 0 && request->if_same) {
        snprintf(same, sizeof same, "If-Range: %s", request->if_same);
        headers = curl_slist_append(NULL, same);
        if (!headers)
            goto done;
    }
    snprintf(range, sizeof range, "%lld-", (long long)request->from);
    if (!set_up(&t, headers, request->from > 0 ? range : NULL) ||
        curl_easy_setopt(t.curl, CURLOPT_ERRORBUFFER, details) != CURLE_OK) {
        snprintf(problem, HTTP_PROBLEM_SIZE, "libcurl does not take its settings");
        goto done;
    }
    code = curl_easy_perform(t.curl);
    if (code == CURLE_OK && !t.begun) /* an empty body */
        begin(&t);
    if (t.silent)
        code = CURLE_OPERATION_TIMEDOUT;
    outcome = t.ended            ? HTTP_ENDED
              : code == CURLE_OK ? HTTP_DONE
                                 : judge(problem, code, request->timeout_s, details);
done:
    curl_slist_free_all(headers);
    curl_easy_cleanup(t.curl);
    curl_global_cleanup();
    return outcome;
}

bool http_available(void)
{
    return true;
}
