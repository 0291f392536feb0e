/* Fetching one file so that it is whole and right or not there: going on where an earlier try ended, trying
 * again, checking. SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_FETCH_FETCH_H
#define CLI_FETCH_FETCH_H

#include <stdbool.h>
#include <stdint.h>

/** What is wanted. */
typedef struct fetch_file {
    const char *url, *path;
    const char *sha256; /* NULL: the server's word is taken, if it has one */
    int64_t size;       /* 0: not known */
    int64_t size_max;   /* larger ones are refused */
    bool is_json;       /* small, has to be sound JSON, and needs no hash */
    bool may_be_absent; /* status 404 of the server is then no failure: result.absent */
} fetch_file;

typedef struct fetch_settings {
    int timeout_s, retries;
    bool quiet, force;
    bool (*stopped)(void); /* whether the person wants it to end */
} fetch_settings;

/** How much is known of a file. */
typedef enum fetch_check {
    FETCH_LENGTH,    /* as long as the server said: no hash to compare with */
    FETCH_ANNOUNCED, /* the SHA-256 that the server gave is right */
    FETCH_PUBLISHED  /* the SHA-256 that was known beforehand is right */
} fetch_check;

typedef struct fetch_result {
    bool absent;           /* only if it may be */
    bool present;          /* it was there before, and nothing was fetched */
    int64_t size, fetched; /* of the whole; of what came over the network in this run */
    char sha256[65];
    fetch_check check;
} fetch_result;

/** Fetches, if the file is not there yet. Beside `path` there is a "PATH.part" until it is whole; after a
 * failure or a signal the next run goes on with it. Wrong bytes are removed. A file that is there is checked
 * if its hash is known, and stays as it is unless `force`: then it is replaced once the new one is right.
 *
 * Returns a status; a failure is reported, unless settings->stopped() ended it (IO). */
int fetch(fetch_result *result, const fetch_file *file, const fetch_settings *settings);

#endif
