/* Checking the caller's pictures. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_BASE_PICTURE_H
#define LANCET_BASE_PICTURE_H

#include "base/status.h"
#include "lancet/picture.h"

/** Fails with ARGUMENT, "`what`: expected ...", unless a picture has pixels, sides in range and a stride of
 * at least its width. */
lancet_status lancet_picture_check(const lancet_picture *picture, const char *what, lancet_error *error);

#endif
