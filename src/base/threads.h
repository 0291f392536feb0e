/* One pool of threads, and work beside the caller's. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_BASE_THREADS_H
#define LANCET_BASE_THREADS_H

#include "base/status.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#define LANCET_THREADS_MAX 256

typedef struct lancet_pool lancet_pool;

/** How many processors this process may run on (at least 1, at most LANCET_THREADS_MAX). */
int lancet_processors(void);

/** A pool of `threads` workers, the calling thread counted among them (1 starts none).
 * Errors: MEMORY, IO (the system refuses to start a thread). */
lancet_status lancet_pool_open(lancet_pool **pool, int threads, lancet_error *error);

void lancet_pool_close(lancet_pool **pool);

int lancet_pool_threads(const lancet_pool *pool);

/** Tasks are dealt in this many lanes, of as many indices each, one after the other. */
int lancet_pool_lanes(const lancet_pool *pool);

/** Runs task(context, index, worker) once for each index 0 .. count - 1, and returns when all are done. A
 * worker takes its lane's tasks in order, then what is left of others': where tasks of the same place in the
 * order work on the same rows each time, these stay in its processor's caches. worker: 0 (the caller) ..
 * threads - 1, never two tasks at a time on the same. Only the thread that owns the pool calls this, and
 * tasks do not. */
void lancet_pool_run(lancet_pool *pool, size_t count, void (*task)(void *context, size_t index, int worker),
                     void *context);

/** One piece of work beside the caller's own. */
typedef struct lancet_helper {
    pthread_t thread;
    bool started;
} lancet_helper;

/** Does run(context) until lancet_helper_join at the latest, or at once and here if the system refuses to
 * start a thread. */
void lancet_helper_start(lancet_helper *helper, void *(*run)(void *context), void *context);

/** Waits for the work to end. */
void lancet_helper_join(lancet_helper *helper);

#endif
