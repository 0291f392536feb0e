/* Zip archives: the directory, and where each member lies. Nothing is unpacked.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CHECKPOINT_ZIP_H
#define LANCET_CHECKPOINT_ZIP_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

/** A file in an archive; a view into the archive's bytes. */
typedef struct lancet_zip_member {
    const char *name; /* UTF-8, not zero-terminated, no zero in it */
    size_t name_length;
    const uint8_t *bytes; /* as they lie in the archive */
    size_t length;
    const char *packed; /* "compressed", "encrypted": what the bytes are instead; NULL if they are the file */
} lancet_zip_member;

/** Zero-initialised is empty. */
typedef struct lancet_zip {
    lancet_zip_member *members;       /* in the order of the directory */
    const lancet_zip_member **sorted; /* by name */
    size_t count;
} lancet_zip;

/** Reads the directory of a whole archive, and holds every member's own header against it: afterwards each
 * member lies inside the archive, before the directory, and inside no other. Zip64 is read. The checksums are
 * not: PyTorch can be told to leave them out, and its own reader does without them.
 *
 * On failure `zip` is empty. `path` is for messages.
 * Errors: INPUT (cut short, or lying about itself), UNSUPPORTED (parts on several disks), MEMORY. */
lancet_status lancet_zip_open(lancet_zip *zip, const uint8_t *bytes, size_t length, const char *path,
                              lancet_error *error);

/** The member of that name; NULL if there is none. */
const lancet_zip_member *lancet_zip_find(const lancet_zip *zip, const char *name, size_t name_length);

void lancet_zip_close(lancet_zip *zip);

#endif
