/* Is it CLIP, whose names, which towers, and is it one that Lancet runs? SPDX-License-Identifier: Apache-2.0
 */
#ifndef LANCET_CHECKPOINT_CLIP_RECOGNISE_H
#define LANCET_CHECKPOINT_CLIP_RECOGNISE_H

#include "checkpoint/clip_roles.h"

/** Blocks of one tower at most; the largest published has 48. */
#define LANCET_BLOCKS_MAX 1024

/** Sets naming, has_vision, has_text (as far as `towers` asks for them), text_apart, vision_blocks and
 * text_blocks.
 * Errors: INPUT (no CLIP tensors, or not those of a tower asked for), UNSUPPORTED (another architecture,
 * named). */
lancet_status lancet_clip_recognise(lancet_clip_configuration *configuration,
                                    const lancet_checkpoint *checkpoint, lancet_towers towers,
                                    lancet_error *error);

/** Looks for tensors that belong to a tower by their names but have no role in it: with them the tower
 * computes something else than Lancet would. Errors: UNSUPPORTED. */
lancet_status lancet_clip_check_strangers(const lancet_checkpoint *checkpoint,
                                          const lancet_tower_names *names, lancet_error *error);

#endif
