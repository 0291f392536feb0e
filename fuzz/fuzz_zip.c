/* Any bytes as a zip archive, and as a checkpoint in one. SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/checkpoint.h"
#include "checkpoint/zip.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every member lies in the archive and is found by its name. */
static void check_members(const lancet_zip *zip, const uint8_t *data, size_t size)
{
    volatile uint8_t seen;

    for (size_t i = 0; i < zip->count; i++) {
        const lancet_zip_member *member = &zip->members[i];

        if (lancet_zip_find(zip, member->name, member->name_length) != member)
            abort();
        if (member->bytes < data || member->length > size - (size_t)(member->bytes - data))
            abort();
        if (member->length) {
            seen = member->bytes[0];
            seen = member->bytes[member->length - 1];
        }
    }
    (void)seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lancet_checkpoint *checkpoint;
    lancet_error error = {0};
    lancet_zip zip;

    if (lancet_zip_open(&zip, data, size, "fuzz", &error) != LANCET_OK && !strlen(error.message))
        abort(); /* a refusal says why */
    check_members(&zip, data, size);
    lancet_zip_close(&zip);
    if (lancet_checkpoint_open_memory(&checkpoint, data, size, "fuzz", &error) == LANCET_OK)
        lancet_checkpoint_close(&checkpoint);
    return 0;
}
