/* Tensors of a PyTorch archive: which bytes of which storage. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CHECKPOINT_PYTORCH_TENSOR_H
#define LANCET_CHECKPOINT_PYTORCH_TENSOR_H

#include "checkpoint/pickle.h"
#include "checkpoint/table.h"
#include "checkpoint/zip.h"

typedef struct lancet_pytorch_archive {
    lancet_zip zip;
    const uint8_t *bytes; /* of the file */
    const char *top;      /* the folder that everything in it lies in, with its slash; not zero-terminated */
    size_t top_length;
    size_t anew_left; /* how many bytes of tensors may still be laid out anew */
    const char *path;
} lancet_pytorch_archive;

/** The member `folder`/`name` of the archive's own folder; NULL if there is none. */
const lancet_zip_member *lancet_pytorch_member(const lancet_pytorch_archive *archive, const char *folder,
                                               const char *name, size_t name_length);

/** Fails with UNSUPPORTED, unless the member's bytes are the file's own. */
lancet_status lancet_pytorch_need_stored(const lancet_pytorch_archive *archive,
                                         const lancet_zip_member *member, lancet_error *error);

/** Whether a value is a tensor, sound or not. */
bool lancet_pytorch_is_tensor(const lancet_pickle_value *value);

/** Fills in everything of `entry` but the name, which is for messages here. A tensor that is dense in its
 * storage is a view into the file; another is laid out anew, in memory of the table's. What is laid out anew
 * may not take more than the file has bytes, all in all: a view that repeats its numbers could be of any
 * size.
 *
 * Errors: INPUT (a storage that is not there, or too short), UNSUPPORTED (a packed storage; numbers that are
 * not as they lie), MEMORY. */
lancet_status lancet_pytorch_tensor_read(lancet_entry *entry, lancet_pytorch_archive *archive,
                                         lancet_table *table, const lancet_pickle_value *value,
                                         const char *name, lancet_error *error);

#endif
