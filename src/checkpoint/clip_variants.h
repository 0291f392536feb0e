/* Models that a tensor's name gives away, and that are not run. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CHECKPOINT_CLIP_VARIANTS_H
#define LANCET_CHECKPOINT_CLIP_VARIANTS_H

#include "checkpoint/clip_configuration.h"

/** Looks for other architectures in the towers that the configuration has; a tower that is not asked for may
 * be of any kind. Errors: UNSUPPORTED (named, with the reason where there is one). */
lancet_status lancet_clip_check_variants(const lancet_clip_configuration *configuration,
                                         const lancet_checkpoint *checkpoint, lancet_error *error);

/** Says what a file without CLIP's towers is, or else one example of what is in it. Always fails:
 * INPUT. */
lancet_status lancet_clip_refuse_others(const lancet_checkpoint *checkpoint, lancet_error *error);

#endif
