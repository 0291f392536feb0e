/* The safetensors container: an 8-byte length, a JSON table, the tensors' bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CHECKPOINT_SAFETENSORS_H
#define LANCET_CHECKPOINT_SAFETENSORS_H

#include "base/memory.h"
#include "checkpoint/table.h"

/** The longest table of tensors that is read and written: the format's own limit. */
#define LANCET_SAFETENSORS_HEADER_MAX 100000000u

/** Reads the table of tensors of a whole file; `table` starts empty, and is the caller's to close either way.
 * Everything is checked here, so that a tensor of the table can be read without a further look.
 * Errors: INPUT, MEMORY. */
lancet_status lancet_safetensors_parse(lancet_table *table, const uint8_t *bytes, size_t length,
                                       const char *path, lancet_error *error);

/** Appends what stands before the tensors' bytes to `out`: the length, then the table with tensors in the
 * given order and `metadata_count` pairs of strings (keys[i], values[i]; both may be NULL if there are none),
 * padded with spaces so that the data start at a multiple of 8. The tensors' data may be NULL; the scales of
 * I8 are a tensor of their own. Errors: ARGUMENT (a name or key that is there twice, "__metadata__", or not
 * UTF-8; a quantised tensor), MEMORY. */
lancet_status lancet_safetensors_print_table(lancet_buffer *out, const lancet_tensor *tensors, size_t count,
                                             const char *const *keys, const char *const *values,
                                             size_t metadata_count, lancet_error *error);

/** Appends a whole file to `out`: the same, then the tensors' bytes. Errors: the same. */
lancet_status lancet_safetensors_print(lancet_buffer *out, const lancet_tensor *tensors, size_t count,
                                       const char *const *keys, const char *const *values,
                                       size_t metadata_count, lancet_error *error);

/** The same into a file, which is replaced as a whole. Errors: the same, IO. */
lancet_status lancet_safetensors_write(const char *path, const lancet_tensor *tensors, size_t count,
                                       const char *const *keys, const char *const *values,
                                       size_t metadata_count, lancet_error *error);

#endif
