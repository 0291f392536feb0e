/* Telling containers apart by their first bytes. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CHECKPOINT_CONTAINER_H
#define LANCET_CHECKPOINT_CONTAINER_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

/** OK for a file that is, or pretends to be, safetensors. Otherwise names what the file is instead.
 * Errors: UNSUPPORTED (weights in a container that is not read), INPUT (no weights at all). */
lancet_status lancet_container_check(const uint8_t *bytes, size_t length, const char *path,
                                     lancet_error *error);

#endif
