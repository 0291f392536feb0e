/* One try at fetching a file: one request, and what its answer means for the part that is there.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_FETCH_TRY_H
#define CLI_FETCH_TRY_H

#include "fetch/fetch.h"
#include "fetch/part.h"
#include "progress.h"

typedef enum fetch_verdict {
    FETCH_GO_ON, /* while the try goes on; at its end: all of the body has come */
    FETCH_AGAIN, /* it may go better the next time */
    FETCH_ANEW,  /* what is there is a part of another file: try again, from the start */
    FETCH_ABSENT,
    FETCH_FAILED /* with `status`; `problem` is still to be reported, unless it is "" */
} fetch_verdict;

typedef struct fetch_try {
    const fetch_file *file;
    const fetch_settings *settings;
    part *part;
    progress *bar;
    fetch_verdict verdict;
    int status;
    char problem[HTTP_PROBLEM_SIZE + 100];
    bool wrong;      /* with FETCH_FAILED: what came cannot be what was wanted, so it is not to be kept */
    int64_t fetched; /* bytes that came */
    double wait_s;   /* with FETCH_AGAIN: how long the server wants to be left alone */
    double started, line_printed;
} fetch_try;

/** Whether the part can be gone on with: it is known what it is of, and a hash or the server would notice if
 * that has changed. */
bool fetch_can_continue(const fetch_try *t);

/** Asks for what is missing and appends what comes. The members up to `bar` are set; the others are results.
 */
void fetch_once(fetch_try *t);

#endif
