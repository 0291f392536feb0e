/* Labels: words encoded once and kept.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_LABELS_H
#define LANCET_LABELS_H

#include "lancet/error.h"
#include "lancet/session.h"

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Encoded words (a label bank): features [T, C] of unit length, with their texts, the templates used and the
 * hash of the model. Immutable; stands on its own once made, so it may outlive session and model. */
typedef struct lancet_labels lancet_labels;

/** What is subtracted as redundant among classes (the paper's section 3.3; see lancet/maps.h). */
typedef enum lancet_redundant {
    LANCET_REDUNDANT_AUTO = 0,   /**< EMPTY for one label alone, LABELS for several */
    LANCET_REDUNDANT_LABELS,     /**< the mean over the label set, weighted by the class token (Eq. 8-10) */
    LANCET_REDUNDANT_EMPTY,      /**< the empty string's feature, through the same templates as the labels */
    LANCET_REDUNDANT_EMPTY_BARE, /**< the empty string's feature as "[start][end]" alone, as the paper's text
                                    has it */
    LANCET_REDUNDANT_NONE        /**< nothing: plain cosines */
} lancet_redundant;

/** All zero is the default. */
typedef struct lancet_label_options {
    const lancet_templates
        *templates; /**< the sentences each label is put into (lancet/text.h); default (NULL): the 85
                         of lancet_templates_standard. Needed only during the call. */
    lancet_redundant
        redundant; /**< EMPTY also encodes the empty string through the templates, so that maps can use
                        it; AUTO does so for one label alone. The bare form is always there. */
    bool (*progress)(void *context, size_t done,
                     size_t total); /**< called now and then with the number of prompts
          done; false stops the work with ARGUMENT "stopped". NULL: not called. */
    void *progress_context;
} lancet_label_options;

/** Encodes `count` texts: for each, every template's sentence through the text tower, each feature divided by
 * its length, the mean over templates, divided by its length again (the published code's order).
 *
 * Sentences that begin alike share that part of the work, so many labels at once take less time than one by
 * one; each comes out the same, to the last bit, either way. Memory beside the labels, however many there
 * are: at most 8,192 sentences (20 MB at C = 512) and the activations of 1,008 tokens (21 MB at a text width
 * of 512).
 *
 * Texts are UTF-8, zero-terminated, copied. A text longer than the context is cut; lancet_labels_lost tells.
 * On success *labels is the caller's, to be closed by lancet_labels_close. On failure *labels is NULL.
 * Errors: ARGUMENT (no text, not UTF-8, a model opened without its text tower), INPUT (no
 * vocabulary, or one that is larger than the model's), MEMORY. */
LANCET_API lancet_status lancet_labels_encode(lancet_labels **labels, lancet_session *session,
                                              const char *const *texts, size_t count,
                                              const lancet_label_options *options, lancet_error *error);

/** Opens a bank that lancet_labels_save wrote.
 * Errors: IO, INPUT (not a label bank; the message says what is wrong), MEMORY. */
LANCET_API lancet_status lancet_labels_open(lancet_labels **labels, const char *path, lancet_error *error);

/** Writes a bank as safetensors: `features` F32 [T, C], `empty` [1, C] where there is one, `empty_bare` [1,
 * C], and in the metadata the texts and templates (JSON arrays), the model's hash and the format's version.
 * Errors: IO, MEMORY. */
LANCET_API lancet_status lancet_labels_save(const lancet_labels *labels, const char *path,
                                            lancet_error *error);

/** Closes, sets *labels to NULL; accepts NULL and a pointer to NULL. */
LANCET_API void lancet_labels_close(lancet_labels **labels);

/** T: how many labels. */
LANCET_API size_t lancet_labels_count(const lancet_labels *labels);

/** C: channels of a feature. */
LANCET_API size_t lancet_labels_width(const lancet_labels *labels);

/** Text of label `index` (0-based); NULL if out of range. Lives as long as the labels. */
LANCET_API const char *lancet_labels_text(const lancet_labels *labels, size_t index);

/** What did not fit the context: the end of label `index`'s first sentence that was cut, as the tokenizer
 * read it; NULL if nothing was lost (always, for a bank read from a file). */
LANCET_API const char *lancet_labels_lost(const lancet_labels *labels, size_t index);

/** Features [T, C], each of unit length. Live as long as the labels. */
LANCET_API const float *lancet_labels_features(const lancet_labels *labels);

/** The empty string's feature [C] of unit length, bare or through the templates; NULL if the bank holds none.
 */
LANCET_API const float *lancet_labels_empty(const lancet_labels *labels, bool bare);

/** Hash of the model that encoded them (lancet_model_description.hash). */
LANCET_API const char *lancet_labels_model_hash(const lancet_labels *labels);

/** One label for each token of one text, start token first, words, end token last, as the text tower gives
 * them (its final norm and projection at every place, not at the end alone), divided by their lengths: what a
 * picture's class token is held against to see which of a caption's words it answers to (the paper's section
 * 4.4; lancet_caption_rank). No templates; padding is left out. A label's text is the token as
 * lancet_vocabulary_token shows it, label 0's lancet_labels_lost what did not fit. The bare empty string is
 * there. A token only sees those before it: the start token's feature is the same in every text.
 *
 * Ownership and errors: as lancet_labels_encode. */
LANCET_API lancet_status lancet_labels_encode_tokens(lancet_labels **tokens, lancet_session *session,
                                                     const char *text, lancet_error *error);

/** The text tower by itself (level 3): features [count, C], not normalised, of bare texts, into the caller's
 * `features`. Errors: as lancet_labels_encode. */
LANCET_API lancet_status lancet_text_encode(float *features, lancet_session *session,
                                            const char *const *texts, size_t count, lancet_error *error);

#ifdef __cplusplus
}
#endif
#endif
