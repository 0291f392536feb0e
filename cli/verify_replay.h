/* What the stages of `lancet verify` stand on. SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_VERIFY_REPLAY_H
#define CLI_VERIFY_REPLAY_H

#include "verify.h"

/* Agreement that is asked of float32 (the resize is exact in 8 bits, so pixels differ by rounding alone). */
#define VERIFY_LIMIT_FEATURES  2e-4
#define VERIFY_LIMIT_ATTENTION 3e-5
#define VERIFY_LIMIT_METHODS   3e-5
#define VERIFY_LIMIT_PIXELS    1e-6

/** The row becomes VERIFY_ERROR with this message; returns `status`. */
int verify_broken(verify_row *row, int status, const char *message);
int verify_broken_by(verify_row *row, const lancet_error *error);

/** Make what is named available in the replay, unless it is there already. Return a status; the row then says
 * why. */
int verify_need_picture(verify_replay *r, const verify_array *array, verify_row *row);
int verify_need_features(verify_replay *r, lancet_path path, verify_row *row);
int verify_need_labels(verify_replay *r, verify_row *row);
/** which: 0 similarity, 1 similarity_empty, 2 similarity_paper. */
int verify_need_maps(verify_replay *r, size_t which, verify_row *row);

/** The vision tower's options for the size at hand. */
lancet_feature_options verify_options_of(const verify_replay *r, lancet_path path);

/** The grid of patches (or of windows' cells) at the size at hand, known before anything is computed: a file
 * of the wrong shape must not start a computation of any size. Returns a status; the row then says why. */
int verify_grid(const verify_replay *r, size_t *rows, size_t *columns, verify_row *row);

/** Stages of the tower's inside. */
int verify_replay_block(verify_replay *r, const verify_array *array, const lancet_npy *npy, verify_row *row);
int verify_replay_attention(verify_replay *r, const verify_array *array, const lancet_npy *npy,
                            verify_row *row);

/** Stages of other methods. */
int verify_replay_method(verify_replay *r, const verify_array *array, const lancet_npy *npy, verify_row *row);

/** Whether the file has the shape that the list says (NULL: it says none). */
bool verify_matches_list(const lancet_npy *npy, const json_t *shape);

/** Whether the file has the shape that will be computed; else the row becomes VERIFY_FAIL and says so. */
bool verify_check_shape(const lancet_npy *npy, const size_t *shape, size_t rank, verify_row *row);

#endif
