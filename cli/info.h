/* What `lancet info` is made of. SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_INFO_H
#define CLI_INFO_H

#include "common.h"

/** Prints how model b differs from model a, as a table (the worst tensors) or as JSON (all of them). Returns
 * a status; a failure is reported. */
int info_compare(const lancet_model *a, const lancet_model *b, bool json);

#endif
