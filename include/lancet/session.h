/* Sessions: the working memory of one thread of the caller's on one model.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_SESSION_H
#define LANCET_SESSION_H

#include "lancet/error.h"
#include "lancet/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Working memory and worker threads. One thread of the caller's uses a session at a time; re-use makes calls
 * faster and never changes a result. */
typedef struct lancet_session lancet_session;

/** All zero is the default. */
typedef struct lancet_session_options {
    int threads; /**< worker threads, the caller's own included, 1 to 256; default (0): every processor that
                    the process may run on. The same input gives the same bytes whatever the number. */
} lancet_session_options;

/** Opens a session. `model` must outlive it.
 * On success *session is the caller's, to be closed by lancet_session_close. On failure *session is NULL.
 * Errors: ARGUMENT (a NULL, threads out of range), MEMORY. */
LANCET_API lancet_status lancet_session_open(lancet_session **session, const lancet_model *model,
                                             const lancet_session_options *options, lancet_error *error);

/** Closes the session, ends its threads, sets *session to NULL; accepts NULL and a pointer to NULL. */
LANCET_API void lancet_session_close(lancet_session **session);

/** How many threads it works with. */
LANCET_API int lancet_session_threads(const lancet_session *session);

/** The model it was opened on. */
LANCET_API const lancet_model *lancet_session_model(const lancet_session *session);

#ifdef __cplusplus
}
#endif
#endif
