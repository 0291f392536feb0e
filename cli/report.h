/* What the command says on stderr. SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "lancet/error.h"

#include <stdbool.h>

/** The exit statuses: the library's, and one of the command's own. */
#define EXIT_DONE         LANCET_OK
#define EXIT_CHECK_FAILED 1

/** Names the sub-command that speaks ("lancet explain: ..."); NULL: "lancet: ...". `quiet` silences
 * report_note. */
void report_as(const char *command, bool quiet);

/** Says what went wrong, and returns `status` so that a failing command ends in one line. */
int report_problem(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** The same for what a library call filled in. */
int report_error(const lancet_error *error);

/** A mistake in the command line: the message, and where to look it up. Returns the status for that. */
int report_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Out of memory. Returns the status for that. */
int report_memory(void);

/** Something worth knowing that is no failure; not said under --quiet. */
void report_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
