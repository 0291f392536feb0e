/* Models: CLIP weights opened from a file.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_MODEL_H
#define LANCET_MODEL_H

#include "lancet/error.h"
#include "lancet/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A CLIP model: immutable once open, so that any number of threads and sessions may share it. It must
 * outlive every session opened on it. Labels, features and maps made through a session stand on their own. */
typedef struct lancet_model lancet_model;

/** The activation between the two layers of a block's feed-forward network. No tensor reveals it. */
typedef enum lancet_activation {
    LANCET_ACTIVATION_AUTO = 0,   /**< by the model's configuration, else by the weights' origin */
    LANCET_ACTIVATION_QUICK_GELU, /**< x * sigmoid(1.702 x): OpenAI's weights */
    LANCET_ACTIVATION_GELU        /**< x * Phi(x), exact (erf): most weights trained by open_clip */
} lancet_activation;

/** What the numbers of the large matrix products are rounded to; everything between them is float32. Weights
 * are rounded once, when the model is opened; activations as they come. docs/performance.md says how much
 * faster each is, docs/conversion.md how far results drift. A ModifiedResNet's convolutions are float32
 * whatever is asked for. */
typedef enum lancet_precision {
    LANCET_PRECISION_FLOAT32 = 0, /**< not at all: the reference */
    LANCET_PRECISION_BFLOAT16,    /**< 8 bits of mantissa; sums are float32 */
    /** -127 to 127 times a scale: one for each output of a layer, and one for each token's row, found as it
     * comes. Sums are exact. The patch embedding and the projections are bfloat16. */
    LANCET_PRECISION_INT8
} lancet_precision;

/** Which halves of the model a caller needs. */
typedef enum lancet_towers {
    LANCET_TOWERS_BOTH = 0,
    LANCET_TOWERS_VISION, /**< pictures only: text calls fail with ARGUMENT */
    LANCET_TOWERS_TEXT,   /**< words only: picture calls fail with ARGUMENT */
    LANCET_TOWERS_NONE /**< neither, only looked at: to describe, convert and compare a model. No weights are
                            unpacked, so that it takes a moment and no memory of the model's size */
} lancet_towers;

/** How to open a model. All zero is the default. */
typedef struct lancet_model_options {
    lancet_activation activation; /**< default: AUTO */
    lancet_towers towers;         /**< default: both; one alone opens faster and in less memory */
    /** path of the vocabulary; default (NULL): searched as lancet_vocabulary_find does */
    const char *vocabulary;
    int head_width;      /**< channels of one attention head; default (0): by the configuration in or beside
                              the weights, else as published models of that width have them: 64 up to a width of
                              1024, 80, 88, 104, 112 in picture towers of 1280, 1408, 1664, 1792 */
    int text_head_width; /**< the same for the text tower alone; default (0): head_width */
    lancet_precision precision; /**< default: FLOAT32 */
} lancet_model_options;

/** Opens the model in `path`.
 *
 * Runs CLIP's vision transformers and ModifiedResNets, with its text transformer.
 *
 * Reads: safetensors; PyTorch's archives (.pt, .pth, .bin), both state dicts and TorchScript as OpenAI ships
 * it, without executing anything in them; clip.cpp's GGUF; an index of weights in several files
 * ("model.safetensors.index.json"). F32, F16 and BF16 tensors, also mixed, in GGUF
 * also Q8_0, Q5_1, Q5_0, Q4_1 and Q4_0, with OpenAI's, open_clip's, Hugging Face's or clip.cpp's tensor
 * names. `config.json` beside Hugging Face's weights, open_clip's own file or the keys of a GGUF file give
 * activation, heads and epsilon. docs/files.md says what of each format. The architecture is read off the
 * tensors' shapes. The file is mapped, not read: the weights of the matrix products are converted and
 * packed once, here; the rest is used in place. The file must not be changed while the model is open.
 *
 * A file that lancet_model_convert wrote (lancet/convert.h) says everything itself: after the options comes
 * what is in its metadata, vocabulary included, and no file beside it is looked at.
 *
 * A vocabulary that is not found is no error here (pictures need none); text calls then fail and say where
 * it was looked for.
 *
 * On success *model is the caller's, to be closed by lancet_model_close. On failure *model is NULL.
 * Errors: IO (no such file), INPUT (not a model, cut short, a tensor missing or of the wrong shape),
 * UNSUPPORTED (a format or architecture that Lancet does not run; the message names it), ARGUMENT (an option
 * out of range), MEMORY. */
LANCET_API lancet_status lancet_model_open(lancet_model **model, const char *path,
                                           const lancet_model_options *options, lancet_error *error);

/** The same from the bytes of such a file in memory, which must stay unchanged until the model is closed.
 * `name` stands for the path in messages (NULL: "memory"); nothing is searched beside it. */
LANCET_API lancet_status lancet_model_open_memory(lancet_model **model, const void *bytes, size_t length,
                                                  const char *name, const lancet_model_options *options,
                                                  lancet_error *error);

/** Closes the model, sets *model to NULL; accepts NULL and a pointer to NULL. */
LANCET_API void lancet_model_close(lancet_model **model);

/** Length of a hash as hexadecimal text, its terminating zero included. */
#define LANCET_HASH_SIZE   33
#define LANCET_SHA256_SIZE 65

/** What was recognised. All strings live as long as the model and are never NULL. Counts of a tower that the
 * file does not hold are 0. */
typedef struct lancet_model_description {
    const char *path;
    const char *container; /**< "safetensors", "PyTorch" or "GGUF" */
    const char *naming;    /**< whose tensor names: "OpenAI", "Hugging Face", "clip.cpp" */
    const char *family;    /**< "ViT", or "ModifiedResNet" as CLIP's authors call theirs */
    int embedding_width;   /**< C: channels of the space that pictures and words share */
    int image_side;        /**< pixels; the input side the model was trained at */
    int patch_side;        /**< pixels; a ModifiedResNet has no patches: 32, how often it takes a position */
    int grid_side;         /**< patches along a side: image_side / patch_side */
    int vision_width;      /**< D: channels of a token before its projection into C */
    int vision_blocks;     /**< a ModifiedResNet's bottlenecks, of all its stages together */
    int stage_blocks[4];   /**< a ModifiedResNet's in each of its stages; 0 in a ViT */
    int vision_heads;      /**< a ModifiedResNet's are those of its attention pool */
    int text_width;
    int text_blocks;
    int text_heads;
    int context_length;           /**< tokens of a text at most, start and end token included */
    int vocabulary_size;          /**< rows of the token embedding */
    lancet_activation activation; /**< never AUTO */
    /** where it was learned: "option", "config.json", or why it was assumed */
    const char *activation_origin;
    lancet_precision precision; /**< as asked for */
    float layer_norm_epsilon;
    float logit_scale;           /**< factor on a cosine: exp of the stored value, about 100 */
    bool logit_scale_assumed;    /**< the file holds none */
    float mean[3], deviation[3]; /**< of the pictures' R, G, B in 0..1, before the first layer */
    const char *data_types;      /**< "F16 x 101, F32 x 52" */
    uint64_t parameters;         /**< numbers in all recognised tensors */
    uint64_t file_bytes;
    /** XXH3-128 of the whole file (of an index: and then of its files, end to end): what label banks and
     * result files carry */
    char hash[LANCET_HASH_SIZE];
    const char *vocabulary; /**< path of the vocabulary, "" if none was found */
    bool vocabulary_inside; /**< it is in the model's own file, which `vocabulary` names then */
    const char *origin;  /**< of a converted file: "model.safetensors (safetensors, Hugging Face names, F16 x
                            302), hash ..., to int8, by lancet 0.1.0"; "" otherwise */
    const char *missing; /**< what could not be found or told, one sentence each; "" if nothing */
} lancet_model_description;

/** Never NULL; lives as long as the model. */
LANCET_API const lancet_model_description *lancet_model_describe(const lancet_model *model);

/** SHA-256 of the model file, as published beside many weights; reads the whole file.
 * Errors: ARGUMENT (a NULL). */
LANCET_API lancet_status lancet_model_sha256(const lancet_model *model, char hex[LANCET_SHA256_SIZE],
                                             lancet_error *error);

/** The model's vocabulary; NULL if none was found. Lives as long as the model. */
LANCET_API const lancet_vocabulary *lancet_model_vocabulary(const lancet_model *model);

#ifdef __cplusplus
}
#endif
#endif
