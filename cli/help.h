/* Help texts, made from the commands' tables. SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "options.h"

#include <stdio.h>

/** One command's help on stdout: usage and options, or (`complete`) also what it does, examples, exit
 * statuses. */
void help_command(const command *c, bool complete);

/** All commands in a line each. */
void help_overview(FILE *out, const command *const *commands, size_t count, bool complete);

#endif
