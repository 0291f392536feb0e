/* A progress bar on stderr, for a person who watches. SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/** One piece of work. Nothing is shown unless stderr is a terminal, nor before the work has taken a moment.
 */
typedef struct progress {
    bool shown;
    const char *what;
    struct timespec started, drawn;
} progress;

void progress_begin(progress *bar, const char *what, bool quiet);

/** `detail` (may be NULL) stands after the count, cut to the terminal's width. */
void progress_show(progress *bar, size_t done, size_t total, const char *detail);

/** The same with the time that is left, told by what was done since progress_begin: `resumed` of `done` were
 * done before. */
void progress_show_left(progress *bar, size_t done, size_t resumed, size_t total, const char *detail);

void progress_end(progress *bar);

/** Wipes the line if there is a bar on it. */
void progress_clear(void);

/** For the library's options that take a `progress` call; context is a progress. */
bool progress_of_work(void *context, size_t done, size_t total);

#endif
