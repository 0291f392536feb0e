/* The inside of the transformer's run: one pass, and the ways of the second path.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_VISION_TRANSFORMER_H
#define LANCET_CLIP_VISION_TRANSFORMER_H

#include "clip/session.h"
#include "clip/vision/tower.h"

/* Everything one pass works on. H x W patches and n = 1 + H W tokens a picture, rows = pictures * n. */
typedef struct lancet_pass {
    lancet_session *session;
    const lancet_vision_tower *tower;
    lancet_vision_job *job;
    size_t grid_height, grid_width, n, rows;
    float *original, *surgery;                          /* [rows, D]: the two residual streams */
    float *normed;                                      /* [rows, D] */
    float *query, *key, *value, *attended, *consistent; /* [rows, D] */
    float *hidden;                /* [rows, 4D]; the patches' pixels before the first block */
    float *positions;             /* [n, D] */
    lancet_attention *attentions; /* [2 * pictures * heads] */
    float *keyless;               /* for lancet_keyless_run */
    float *branches; /* [2 * blocks + 1, D], the last row is the class token before; may be NULL */
} lancet_pass;

/* What of a stream a block has to compute: all tokens' rows, or the class tokens' alone. Jobs and norms see
 * them as `count` rows, `stride` floats apart. */
typedef struct lancet_reach {
    size_t count, stride;
} lancet_reach;

/** stream += contract(gelu(expand(norm_2(stream)))). */
lancet_status lancet_feed_forward(lancet_pass *pass, float *stream, const lancet_block *block,
                                  const lancet_reach *reach, lancet_error *error);

/** What a second path attends with. */
typedef enum lancet_way_attention {
    LANCET_WAY_NONE = 0,
    LANCET_WAY_IDENTITY,       /* each token its own value alone */
    LANCET_WAY_VALUES,         /* v v^T */
    LANCET_WAY_QUERIES,        /* q q^T */
    LANCET_WAY_QUERIES_KEYS,   /* softmax(q q^T) + softmax(k k^T) */
    LANCET_WAY_KEYS_NEIGHBOURS /* k k^T, and a bell over the distance in the picture */
} lancet_way_attention;

typedef enum lancet_way_feed {
    LANCET_FEED_NONE = 0,
    LANCET_FEED_ORIGINAL, /* what the original path's network gives */
    LANCET_FEED_OWN       /* the network on the second path's own stream */
} lancet_way_feed;

/** One way of running the second path beside the original one. */
typedef struct lancet_way {
    lancet_way_attention attention;
    lancet_way_feed feed;
    bool last_only;   /* in the last block alone */
    bool own_stream;  /* attends in its own stream, and not in the original path's */
    bool no_residual; /* starts from nothing instead of the block's input */
} lancet_way;

/** The way of a path; NULL for the surgery and plain paths, which the transformer itself knows. */
const lancet_way *lancet_way_find(lancet_path path);

/** The second path's part of a block, after the original path has been through its attention: the stream gets
 * the attention, and the original path its feed-forward network where the two share it (`fed` is then true).
 */
lancet_status lancet_way_step(lancet_pass *pass, const lancet_way *way, const lancet_block *block, bool *fed,
                              lancet_error *error);

#endif
