/* PyTorch archives: a zip of raw storages and a pickle that says which tensors they are. Nothing is executed.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CHECKPOINT_PYTORCH_H
#define LANCET_CHECKPOINT_PYTORCH_H

#include "checkpoint/table.h"

/** Reads the table of tensors of a whole file; `table` starts empty, and is the caller's to close either way.
 * Everything is checked here, so that a tensor of the table can be read without a further look.
 * Errors: INPUT, UNSUPPORTED (named), MEMORY. */
lancet_status lancet_pytorch_parse(lancet_table *table, const uint8_t *bytes, size_t length, const char *path,
                                   lancet_error *error);

#endif
