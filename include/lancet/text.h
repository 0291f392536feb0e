/* Words: the vocabulary, the tokenizer and the prompt templates of CLIP.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_TEXT_H
#define LANCET_TEXT_H

#include "lancet/error.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Vocabulary ------------------------------------------------------------------------------ */

/** The table of tokens and the rules that merge bytes into them. Immutable after open, so any number of
 * threads may share one. About 3 MB for CLIP's own. */
typedef struct lancet_vocabulary lancet_vocabulary;

/** The most merges that the file of CLIP itself (bpe_simple_vocab_16e6.txt) contributes: the file lists
 * 262,144, the models were trained with the first 48,894. */
#define LANCET_VOCABULARY_CLIP_MERGES 48894

/** Opens a vocabulary. `path` is one of (the content decides, not the name):
 *
 * - `bpe_simple_vocab_16e6.txt.gz`, or the same uncompressed: CLIP's own file, its first 48,894
 *    merges.
 * - `merges.txt`: one merge a line, "left right", after an optional line with "#version:". If
 *    `vocab.json` lies beside it the ids are read there; alone, they follow CLIP's rule: the 256 byte
 *    symbols in CLIP's order, the same 256 with "</w>", the merges in order, "<|startoftext|>",
 *    "<|endoftext|>".
 * - `vocab.json` (token -> id), with `merges.txt` beside it.
 * - `tokenizer.json` (Hugging Face): model.vocab, model.merges and added_tokens are used; the model
 *    has to be a BPE with the end-of-word suffix "</w>". Its own normaliser is not: text is always
 *    prepared by CLIP's rules.
 * - a folder with any of these, looked for in the order tokenizer.json, vocab.json, merges.txt,
 *    bpe_simple_vocab_16e6.txt.gz, bpe_simple_vocab_16e6.txt.
 *
 * Any size works (a small one of your own as well as CLIP's 49,408), as long as all 512 byte symbols
 * and the two special tokens are in it and the ids are 0, 1, 2, ... without a gap.
 *
 * On success *vocabulary is the caller's (lancet_vocabulary_close).
 * On failure it is NULL and `error` says why.
 * Errors: ARGUMENT (NULL), IO (missing, unreadable), INPUT (cut short, malformed, contradicts itself;
 * the message names the file, the line or token, what was expected and what was found), UNSUPPORTED
 * (sound, but no CLIP vocabulary, such as a SentencePiece tokenizer.json), MEMORY. */
LANCET_API lancet_status lancet_vocabulary_open(lancet_vocabulary **vocabulary, const char *path,
                                                lancet_error *error);

/** Looks for a vocabulary and opens the first one that is there:
 *
 * 1. `path`, if not NULL: this and nothing else.
 * 2. inside the weights: `model_path`, if it is a file that lancet_model_convert wrote with its vocabulary.
 * 3. beside the weights: the folder of `model_path` (or `model_path` itself if it is a folder);
 *     2 and 3 are skipped if it is NULL.
 * 4. `$LANCET_VOCABULARY`, a file or a folder; if it is set and does not exist, that is an error and
 *     not passed over.
 * 5. the user's data folder: `$XDG_DATA_HOME/lancet`, or `~/.local/share/lancet` where that is unset.
 *
 * A vocabulary that is there but broken is an error; the search does not go on past it. If none is
 * there the error (IO) lists every place that was looked at and says what to do. Ownership and the
 * other errors: as lancet_vocabulary_open. */
LANCET_API lancet_status lancet_vocabulary_find(lancet_vocabulary **vocabulary, const char *path,
                                                const char *model_path, lancet_error *error);

/** Frees and nulls; accepts NULL and a pointer to NULL. */
LANCET_API void lancet_vocabulary_close(lancet_vocabulary **vocabulary);

/** The file the vocabulary was read from (with a folder or a search: the file that was found; the model's own
 * if it was inside). Lives as long as the vocabulary. */
LANCET_API const char *lancet_vocabulary_path(const lancet_vocabulary *vocabulary);

/** How many tokens: ids run from 0 to size - 1. A model's token embedding has as many rows. */
LANCET_API size_t lancet_vocabulary_size(const lancet_vocabulary *vocabulary);

/** The id of "<|startoftext|>" (49406 in CLIP's own). */
LANCET_API int32_t lancet_vocabulary_start(const lancet_vocabulary *vocabulary);

/** The id of "<|endoftext|>" (49407 in CLIP's own). */
LANCET_API int32_t lancet_vocabulary_end(const lancet_vocabulary *vocabulary);

/** A token's text, to be shown to a person: valid UTF-8, a trailing space where the token ends a word,
 * "<|endoftext|>" for the special ones. A token that holds a part of a character (its bytes are no
 * UTF-8 by themselves) shows each such byte as <E2>. NULL if there is no such id. Lives as long as the
 * vocabulary. */
LANCET_API const char *lancet_vocabulary_token(const lancet_vocabulary *vocabulary, int32_t id);

/* ---- Tokenizer ------------------------------------------------------------------------------- */

/** The longest text that is taken, in bytes (1 MiB). Time and memory grow about linearly with the
 * length up to it. */
#define LANCET_TEXT_LENGTH_MAX ((size_t)1 << 20)

/** A text's tokens. Zero-initialise it (`lancet_tokens tokens = {0};`), use it for as many texts as you
 * like (each call overwrites, keeping the memory) and end with lancet_tokens_close. One thread at a
 * time. */
typedef struct lancet_tokens {
    const int32_t *ids;                  /**< [count], without start and end token */
    const size_t *ends;                  /**< [count]: the byte of `text` just past token i */
    size_t count;                        /**< 0 for a text without words */
    const char *text;                    /**< the text as the tokens see it: lower-case, single spaces, ... */
    size_t length;                       /**< bytes of `text` before its zero; none of them is zero */
    struct lancet_tokens_memory *memory; /**< private */
} lancet_tokens;

/** Tokenizes a zero-terminated UTF-8 text exactly as CLIP's published tokenizer does: ftfy 6.3.1's
 * fix_text (without its repair of wrongly decoded text: "schÃ¶n" stays what it is), HTML entities
 * resolved twice, white space collapsed to single spaces and trimmed, Unicode lower case, the word
 * pattern, byte-pair merging. Any text is sound, the empty one too; the literal "<|startoftext|>" and
 * "<|endoftext|>" inside a text become those tokens, as they do there. Nothing is cut. A token may end
 * inside a character, and so may its `ends`. Letters, numbers and case are those of utf8proc's Unicode
 * version (15 in utf8proc 2.8).
 *
 * On failure `tokens` is empty (count 0, text ""; NULL pointers if it never held anything) and usable
 * again.
 * Errors: ARGUMENT (NULL; not UTF-8: the message gives the byte offset; longer than
 * LANCET_TEXT_LENGTH_MAX; HTML entities nested so deep, "&amp;amp;amp;...", that resolving them would
 * take too long), MEMORY. */
LANCET_API lancet_status lancet_tokenize(lancet_tokens *tokens, const lancet_vocabulary *vocabulary,
                                         const char *text, lancet_error *error);

/** The same for `length` bytes, where zero bytes may occur (they are dropped, like other control
 * characters). `text` may be NULL if `length` is 0. */
LANCET_API lancet_status lancet_tokenize_bytes(lancet_tokens *tokens, const lancet_vocabulary *vocabulary,
                                               const char *text, size_t length, lancet_error *error);

/** Frees what `tokens` holds and empties it; accepts NULL. */
LANCET_API void lancet_tokens_close(lancet_tokens *tokens);

/** What did not fit into a model's context. */
typedef struct lancet_tokens_loss {
    size_t count;  /**< tokens that were left out; 0: everything fitted, and `offset` is the text's length */
    size_t offset; /**< where in tokens->text the left-out part begins, at a character, not at a space: show
                        `tokens->text + offset` to the person whose words were lost */
} lancet_tokens_loss;

/** Lays tokens out as a text tower takes them: the start token, the ids, the end token, then zeros up
 * to `context`. A text of more than context - 2 tokens is cut to that and still ends with the end
 * token.
 *
 * ids: [context], written whole. context: at least 2 (77 in CLIP's own models). loss: filled if not
 * NULL.
 * Errors: ARGUMENT (NULL, context below 2); `ids` is untouched then. */
LANCET_API lancet_status lancet_tokens_context(int32_t *ids, size_t context, lancet_tokens_loss *loss,
                                               const lancet_tokens *tokens,
                                               const lancet_vocabulary *vocabulary, lancet_error *error);

/* ---- Prompt templates ------------------------------------------------------------------------ */

/** A list of sentences with a gap, "a photo of a {}.". Immutable, shareable between threads. */
typedef struct lancet_templates lancet_templates;

/** The 85 templates of CLIP Surgery: the 80 that CLIP's authors used for ImageNet, then the 5 of
 * MaskCLIP ("there is a {} in the scene." ...), in the published order. Static: never NULL, never to
 * be closed. */
LANCET_API const lancet_templates *lancet_templates_standard(void);

/** The one template "{}": the bare text. Static: never NULL, never to be closed. */
LANCET_API const lancet_templates *lancet_templates_bare(void);

/** Opens templates by name: "85" (lancet_templates_standard), "none" (lancet_templates_bare), or else a
 * file: UTF-8, one template a line; blank lines and lines that begin with '#' are skipped, white space
 * at both ends of a line is dropped. Every template has to contain "{}", and every "{}" in it is where
 * the label goes; other braces mean nothing special. A file that is named "85" or "none" is reached as
 * "./85".
 *
 * On success *templates is the caller's (lancet_templates_close).
 * On failure it is NULL.
 * Errors: ARGUMENT (NULL), IO, INPUT (not UTF-8, no "{}", no template at all, beyond 1 MiB or 10,000
 * templates; the message names file and line), MEMORY. */
LANCET_API lancet_status lancet_templates_open(lancet_templates **templates, const char *name,
                                               lancet_error *error);

/** Frees and nulls; accepts NULL and a pointer to NULL. */
LANCET_API void lancet_templates_close(lancet_templates **templates);

/** How many templates: at least 1. */
LANCET_API size_t lancet_templates_count(const lancet_templates *templates);

/** Template `index` (from 0) with its "{}"; NULL if there is none. Lives as long as `templates`. */
LANCET_API const char *lancet_templates_text(const lancet_templates *templates, size_t index);

/** Writes template `index` with every "{}" replaced by `label` (nothing else is: articles stay, "a
 * airplane"). Like snprintf: writes at most `size` bytes with the terminating zero, and returns the
 * full length without it; call with size 0 (buffer may be NULL) to measure. Returns 0 and writes "" if
 * there is no such template. A result that did not fit is cut anywhere, even inside a character. */
LANCET_API size_t lancet_templates_fill(char *buffer, size_t size, const lancet_templates *templates,
                                        size_t index, const char *label);

#ifdef __cplusplus
}
#endif
#endif
