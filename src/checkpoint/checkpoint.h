/* Checkpoints: a container file as named tensors. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CHECKPOINT_CHECKPOINT_H
#define LANCET_CHECKPOINT_CHECKPOINT_H

#include "base/file.h"
#include "checkpoint/settings.h"
#include "tensor/tensor.h"

/** The tensors of one file, or of several under one index. Immutable once open: any number of threads may
 * read it. */
typedef struct lancet_checkpoint lancet_checkpoint;

/** Maps `path` and reads its table of tensors; of an index ("model.safetensors.index.json") those of the
 * files that it names, all beside it. The tensors' numbers stay in the file until they are touched. Errors:
 * IO, INPUT (cut short, or lying about itself), UNSUPPORTED (a container that is not read; named), MEMORY. */
lancet_status lancet_checkpoint_open(lancet_checkpoint **checkpoint, const char *path, lancet_error *error);

/** The same from memory that stays the caller's and outlives the checkpoint. `name` stands for the path in
 * messages (NULL: "memory"). */
lancet_status lancet_checkpoint_open_memory(lancet_checkpoint **checkpoint, const void *bytes, size_t length,
                                            const char *name, lancet_error *error);

/** Closes, nulls; accepts NULL. Every tensor of the checkpoint dies with it. */
void lancet_checkpoint_close(lancet_checkpoint **checkpoint);

/** The tensor of that name; NULL if there is none (or if its data type is one that Lancet does not read). A
 * wrapper's "module.", "state_dict.", "model." or "_orig_mod." before every name in the file counts as
 * absent: names are given and asked without. */
const lancet_tensor *lancet_checkpoint_find(const lancet_checkpoint *checkpoint, const char *name);

/** The file's own name for the data type of a tensor that is there but cannot be read ("F64"); NULL
 * otherwise. */
const char *lancet_checkpoint_unreadable(const lancet_checkpoint *checkpoint, const char *name);

/** The first name in the file, readable or not, that starts so; NULL if there is none. */
const char *lancet_checkpoint_find_prefix(const lancet_checkpoint *checkpoint, const char *prefix);

/** Every name in the file, readable or not, in the order of strcmp. */
size_t lancet_checkpoint_names(const lancet_checkpoint *checkpoint);
const char *lancet_checkpoint_name(const lancet_checkpoint *checkpoint, size_t index);

/** Every readable tensor, in the order of their data in the file. */
size_t lancet_checkpoint_count(const lancet_checkpoint *checkpoint);
const lancet_tensor *lancet_checkpoint_tensor(const lancet_checkpoint *checkpoint, size_t index);

/** A string of the container's own metadata; NULL if absent. */
const char *lancet_checkpoint_metadata(const lancet_checkpoint *checkpoint, const char *key);

/** What the file itself says of the model, as GGUF's keys do; NULL for a container that has tensors alone, or
 * metadata of no known meaning. */
const lancet_settings *lancet_checkpoint_settings(const lancet_checkpoint *checkpoint);

/** The path (or name) it was opened with. */
const char *lancet_checkpoint_path(const lancet_checkpoint *checkpoint);

/** "safetensors", "PyTorch", "GGUF". */
const char *lancet_checkpoint_container(const lancet_checkpoint *checkpoint);

/** True for a PyTorch archive of a compiled module, as OpenAI ships its weights, rather than of a state dict.
 */
bool lancet_checkpoint_is_torchscript(const lancet_checkpoint *checkpoint);

/** The bytes of every file behind it, for hashing: of what was opened (a file as well as memory), then, if
 * that is an index, of the files that it names, in the order of their names. */
size_t lancet_checkpoint_files(const lancet_checkpoint *checkpoint);
const lancet_mapping *lancet_checkpoint_file(const lancet_checkpoint *checkpoint, size_t index);

/** True if `path`, by whatever name, is one of these files on disk: it must not be written to. */
bool lancet_checkpoint_holds(const lancet_checkpoint *checkpoint, const char *path);

/** True for a file on disk: other files may be looked for beside it. */
bool lancet_checkpoint_is_file(const lancet_checkpoint *checkpoint);

/** The pages of a tensor that was converted leave the resident set; they come back when touched. Does nothing
 * for memory. */
void lancet_checkpoint_drop(const lancet_checkpoint *checkpoint, const lancet_tensor *tensor);

#endif
