/* The files a vocabulary comes in. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_TEXT_VOCABULARY_READ_H
#define LANCET_CLIP_TEXT_VOCABULARY_READ_H

#include "checkpoint/checkpoint.h"
#include "clip/text/vocabulary_builder.h"

/** A file's bytes and the name that messages give it. */
typedef struct lancet_bytes {
    const char *name;
    const char *bytes;
    size_t length;
} lancet_bytes;

/** What a vocabulary file is, by its first bytes. */
typedef enum lancet_vocabulary_kind {
    LANCET_VOCABULARY_GZIP,        /**< a compressed text of merges */
    LANCET_VOCABULARY_CLIP_TEXT,   /**< CLIP's own text of merges, uncompressed */
    LANCET_VOCABULARY_MERGES_TEXT, /**< another text of merges; a vocab.json may give its ids */
    LANCET_VOCABULARY_JSON         /**< vocab.json (merges.txt gives its merges) or tokenizer.json */
} lancet_vocabulary_kind;

lancet_vocabulary_kind lancet_vocabulary_recognise(const lancet_bytes *file);

/** Reads a vocabulary from `file`. `beside` is the file that goes with it, NULL if there is none:
 * vocab.json for a text of merges, merges.txt for a vocab.json; any other kind of file ignores it.
 * Errors: INPUT, UNSUPPORTED, MEMORY. On failure *vocabulary is NULL. */
lancet_status lancet_vocabulary_read(lancet_vocabulary **vocabulary, const lancet_bytes *file,
                                     const lancet_bytes *beside, lancet_error *error);

/** Adds the merges of a text to the builder. `is_new`: each makes a new symbol (CLIP's rule), otherwise
 * the symbols are there already. */
lancet_status lancet_read_merges(lancet_builder *builder, const lancet_bytes *text, bool is_new,
                                 lancet_error *error);

/** Adds the symbols of a vocab.json, and everything of a tokenizer.json. *has_merges says which one it
 * was. */
lancet_status lancet_read_json(lancet_builder *builder, bool *has_merges, const lancet_bytes *file,
                               lancet_error *error);

/** Unpacks a .gz file of at most LANCET_VOCABULARY_FILE_MAX bytes content to `text`. */
lancet_status lancet_read_gzip(lancet_buffer *text, const lancet_bytes *file, lancet_error *error);

/** The key of a vocabulary in the metadata of a converted model. */
#define LANCET_VOCABULARY_KEY "lancet.vocabulary"

/** lancet_vocabulary_find for a model that is open already: `path` if not NULL, then inside `checkpoint`,
 * then beside `model_path` (NULL: memory) and so on. */
lancet_status lancet_vocabulary_find_for(lancet_vocabulary **vocabulary, const char *path,
                                         const lancet_checkpoint *checkpoint, const char *model_path,
                                         lancet_error *error);

/** No vocabulary file is longer, unpacked or not. */
#define LANCET_VOCABULARY_FILE_MAX ((size_t)32 << 20)

#endif
