/* Features: what a model sees in one picture.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_FEATURES_H
#define LANCET_FEATURES_H

#include "lancet/error.h"
#include "lancet/picture.h"
#include "lancet/session.h"

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One picture's tokens [1 + H*W, C], class token first. Immutable; stands on its own once made, so new words
 * re-use it without the picture, the session or the model. */
typedef struct lancet_features lancet_features;

/** Which way the tokens take through the vision tower. */
typedef enum lancet_path {
    LANCET_PATH_SURGERY =
        0, /**< architecture surgery (the paper's section 3.2, Eq. 6-7): patches from the second path
                of v-v attention without feed-forward networks, class token from the original path. In a
                ModifiedResNet it is the attention pool that is operated on: patches by v-v attention (see
                lancet_pool_attention), class token as lancet_pool_class says. */
    LANCET_PATH_PLAIN, /**< CLIP as trained; its final projection applied to every token. In a ModifiedResNet
                           every token asks in the attention pool, where CLIP lets the class token alone. */

    /* The rows of the paper's Table 4; a vision transformer's alone. A is softmax(s v v^T) v through the
     * out-projection, F the feed-forward network, x the original path, y the second one, N the second layer
     * norm; the class token is always the original path's. */
    LANCET_PATH_LAST,       /**< row 1: the last block alone, y = x + A(x), then y + F(N y) */
    LANCET_PATH_MULTI,      /**< row 2: the last blocks in one path, A and F of its own stream */
    LANCET_PATH_MULTI_DUAL, /**< row 3: y + A(x) + F(N(x + attention)), what the original path's F gives */
    LANCET_PATH_MULTI_DUAL_OWN,      /**< row 3 with F of its own stream: y + A(x), then y + F(N y) */
    LANCET_PATH_MULTI_DUAL_FEED,     /**< row 4: F alone, the original path's */
    LANCET_PATH_MULTI_DUAL_FEED_OWN, /**< row 4: F alone, of its own stream */

    /* Published methods that change the last block and nothing else; the class token is CLIP's own. */
    LANCET_PATH_MASKCLIP, /**< MaskCLIP (Zhou et al. 2022): each token's value through the out-projection, and
                               the feed-forward network. In a ModifiedResNet: values through the pool's two
                               projections, without position embedding */
    LANCET_PATH_MASKCLIP_CODE, /**< the same without the feed-forward network, as in the surgery code's
                                  comments; a vision transformer's alone, as are those that follow */
    LANCET_PATH_SCLIP,         /**< SCLIP (Wang et al. 2023): softmax(s q q^T) + softmax(s k k^T), and F */
    LANCET_PATH_CLEARCLIP,     /**< ClearCLIP (Lan et al. 2024): softmax(s q q^T) without residual and F */
    LANCET_PATH_NACLIP /**< NACLIP (Hajimiri et al. 2024): softmax(s k k^T + e^(-d^2 / 50)) without residual
                          and F, d being the distance of two patches in patches; nothing is added for the
                          class token */
} lancet_path;

/** How many ways there are. */
#define LANCET_PATHS (LANCET_PATH_NACLIP + 1)

/** How patches attend in a ModifiedResNet's attention pool on the surgery path, in each head; s is 1 /
 * sqrt(head width). There is no residual to add to (the pool's result has another width). */
typedef enum lancet_pool_attention {
    LANCET_POOL_VV = 0,  /**< softmax(s v v^T) v (Eq. 3): what the published code computes */
    LANCET_POOL_VV_NORM8 /**< softmax(8 s u u^T) v with u = v / (|v| + 1e-6): what the published code has for
                              ResNets, and never gets to; its comments say that it performs better */
} lancet_pool_attention;

/** How the class token attends in a ModifiedResNet's attention pool on the surgery path. */
typedef enum lancet_pool_class {
    LANCET_POOL_CLASS_QK = 0, /**< softmax(s q_0 k^T) v: CLIP's own picture feature, as on the plain path
                                   (Eq. 7) */
    LANCET_POOL_CLASS_VV      /**< softmax(s v_0 v^T) v: what the published code computes, which is not CLIP's
                                   picture feature */
} lancet_pool_class;

/** All zero is the default. */
typedef struct lancet_feature_options {
    lancet_path path; /**< default: SURGERY */
    int side; /**< the picture is resized to side x side pixels (bicubic, the aspect ratio not kept, as in the
                   published code); a multiple of the patch is usual, trailing pixels that fill no patch are
                   dropped. At most LANCET_SIDE_MAX; default (0): the model's own. Other sizes than the
                   model's interpolate the position embedding (bilinear, from the stored tensor). */
    int width, height; /**< or: to width x height pixels, each at most LANCET_SIDE_MAX; both or neither */
    int short_side;   /**< or: the shorter side to this and the other by the picture's aspect ratio, each then
                           rounded to the nearest whole number of patches, at least one. Giving more than one
                           of side, width and height, and short_side is an ARGUMENT error. */
    int surgery_last; /**< how many of the last blocks get the second path; default (0): 6, or all if fewer.
                           A vision transformer's alone, as is surgery_start: a ModifiedResNet's blocks have
                         no attention, and giving either is an ARGUMENT error. */
    int surgery_start;  /**< or: the first block, 1-based, that gets it (the paper's d); default (0): by
                             surgery_last. Giving both is an ARGUMENT error. */
    float mean[3];      /**< subtracted from R, G, B in 0..1; used if `deviation` is not all zero */
    float deviation[3]; /**< then divided by; default (all zero): the model's own mean and deviation */
    lancet_pool_attention pool_attention; /**< default: VV; another is an ARGUMENT error where there is no
                                               surgery on an attention pool */
    lancet_pool_class pool_class;         /**< default: QK; the same */
} lancet_feature_options;

/** The largest input side, and the most patches of one input: beyond them the attention alone would take
 * hours on most machines. lancet_maps_slide takes larger pictures, in windows. */
#define LANCET_SIDE_MAX    4096
#define LANCET_PATCHES_MAX 131072

/** What options (NULL: all zero) come to for one picture: every default filled in and every wish checked as
 * lancet_features_encode does it. Afterwards width and height are the size that the picture is resized to
 * (side and short_side zero), surgery_start says where surgery starts (0 on the plain path; surgery_last is
 * zero), mean and deviation are set. They are options that mean the same. Errors: ARGUMENT. */
LANCET_API lancet_status lancet_feature_options_resolve(lancet_feature_options *resolved,
                                                        const lancet_model *model,
                                                        const lancet_picture *picture,
                                                        const lancet_feature_options *options,
                                                        lancet_error *error);

/** How many patches there are along `pixels` pixels of an input: H of its height, W of its width. 0 if the
 * model was opened without its vision tower. */
LANCET_API size_t lancet_grid_side(const lancet_model *model, size_t pixels);

/** Encodes one picture.
 * On success *features is the caller's, to be closed by lancet_features_close. On failure *features is NULL.
 * Errors: ARGUMENT (a NULL, an option out of range, a model opened without its vision tower), MEMORY. */
LANCET_API lancet_status lancet_features_encode(lancet_features **features, lancet_session *session,
                                                const lancet_picture *picture,
                                                const lancet_feature_options *options, lancet_error *error);

/** Encodes `count` pictures in one batch into features[0..count-1]: the same bytes as one by one, in less
 * time (those of one input size that follow each other run together). On failure every features[i] is NULL.
 */
LANCET_API lancet_status lancet_features_encode_batch(lancet_features **features, lancet_session *session,
                                                      const lancet_picture *pictures, size_t count,
                                                      const lancet_feature_options *options,
                                                      lancet_error *error);

/** Closes, sets *features to NULL; accepts NULL and a pointer to NULL. */
LANCET_API void lancet_features_close(lancet_features **features);

/** Tokens [1 + H*W, C] as the model gives them (not of unit length), class token first, patches row after
 * row. Live as long as the features. */
LANCET_API const float *lancet_features_tokens(const lancet_features *features);

LANCET_API size_t lancet_features_grid_height(const lancet_features *features); /**< H: rows of patches */
LANCET_API size_t lancet_features_grid_width(const lancet_features *features);  /**< W: patches in a row */
LANCET_API size_t lancet_features_width(const lancet_features *features);       /**< C: channels of a token */
LANCET_API lancet_path lancet_features_path(const lancet_features *features);
LANCET_API size_t lancet_features_input_width(const lancet_features *features);  /**< pixels, as resized */
LANCET_API size_t lancet_features_input_height(const lancet_features *features); /**< pixels, as resized */
LANCET_API int
lancet_features_side(const lancet_features *features); /**< of a square input, in pixels; else 0 */
LANCET_API int
lancet_features_surgery_start(const lancet_features *features); /**< 1-based; 0 on the plain path, and of a
                                                                     ModifiedResNet */
LANCET_API lancet_pool_attention lancet_features_pool_attention(const lancet_features *features);
LANCET_API lancet_pool_class lancet_features_pool_class(const lancet_features *features);
LANCET_API size_t lancet_features_picture_width(const lancet_features *features);
LANCET_API size_t lancet_features_picture_height(const lancet_features *features);
LANCET_API const char *lancet_features_model_hash(const lancet_features *features);

/** The picture as the first layer takes it (level 3): resized, scaled to 0..1, normalised; [3, height,
 * width], which lancet_feature_options_resolve tells, into the caller's `pixels`. Errors: as
 * lancet_features_encode. */
LANCET_API lancet_status lancet_pixels_prepare(float *pixels, const lancet_model *model,
                                               const lancet_picture *picture,
                                               const lancet_feature_options *options, lancet_error *error);

/** Shows the tokens after each block (level 3).
 *
 * `visit` is called with block = 1, 2, ... as in the paper: `original` [tokens, D] (class token first) is
 * the residual stream after that block; `surgery` is the same of the second path, NULL before it starts (and
 * always, on the plain path). Its class-token row is the sum that the paper's code also makes and then
 * replaces. Both live only during the call.
 *
 * A ModifiedResNet's blocks are its bottlenecks, those of all four stages counted in one row. Its tokens
 * there are the pixels of what the block hands on, row after row, without a class token, which only the
 * attention pool makes; their number falls from stage to stage and `width`, their channels, rises. `surgery`
 * is always NULL: the surgery is in the pool. The last block shows what the pool takes in.
 *
 * Whatever `visit` returns other than 0 stops the walk; *stopped
 * (may be NULL) gets that number, and the call still succeeds. Errors: as lancet_features_encode. */
LANCET_API lancet_status lancet_tokens_walk(lancet_session *session, const lancet_picture *picture,
                                            const lancet_feature_options *options,
                                            int (*visit)(void *context, int block, size_t tokens,
                                                         size_t width, const float *original,
                                                         const float *surgery),
                                            void *context, int *stopped, lancet_error *error);

/** What each residual branch says of a picture (Eq. 5, level 3): the class token's row of what a block's
 * attention adds to the residual stream, and of what its feed-forward network adds, each alone through the
 * projection and of unit length. Into the caller's `rows` [2 * blocks, C]: row 2 i is the attention of block
 * i + 1, row 2 i + 1 its feed-forward network.
 *
 * `norm`: through the tower's last layer norm first, which the paper does not say; its projection is made for
 * what comes out of that norm. A vision transformer's alone. Errors: as lancet_features_encode; ARGUMENT also
 * for a ModifiedResNet. */
LANCET_API lancet_status lancet_branches_encode(float *rows, lancet_session *session,
                                                const lancet_picture *picture,
                                                const lancet_feature_options *options, bool norm,
                                                lancet_error *error);

/** Which attention of a block: whose products with whom. */
typedef enum lancet_attention_kind {
    LANCET_ATTENTION_RAW = 0, /**< queries with keys, softmax(s q k^T): CLIP's own (Eq. 2) */
    LANCET_ATTENTION_VALUES   /**< values with values, softmax(s v v^T): that of surgery (Eq. 3) */
} lancet_attention_kind;

/** All zero is the default. */
typedef struct lancet_attention_options {
    lancet_attention_kind kind; /**< default: RAW */
    int block;       /**< 1-based, up to the model's blocks; default (0): the last. A ModifiedResNet has one
                        attention       only, its pool's, and any block is an ARGUMENT error. */
    bool class_only; /**< the class token's row alone; default: every token's */
} lancet_attention_options;

/** How much each token attends to each in one block (level 3): rows [heads, N, N] into the caller's `rows`,
 * or [heads, 1, N] with class_only; heads is the model's vision_heads, N = 1 + H*W with lancet_grid_side of
 * the height and width that lancet_feature_options_resolve tells. Row i of a head holds the weights, which
 * sum to 1, with which token i sums up all tokens' values; tokens in their usual order, the class token
 * first.
 *
 * q, k and v are the original path's, on whichever path the surgery's attention is: `features` only says how
 * the picture is prepared. s = 1 / sqrt(head width). Errors: as lancet_features_encode; ARGUMENT also for a
 * kind or block out of range. */
LANCET_API lancet_status lancet_attention_rows(float *rows, lancet_session *session,
                                               const lancet_picture *picture,
                                               const lancet_feature_options *features,
                                               const lancet_attention_options *options, lancet_error *error);

#ifdef __cplusplus
}
#endif
#endif
