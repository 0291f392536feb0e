/* Any bytes as an index of weights in several files; none of these is opened. SPDX-License-Identifier:
 * Apache-2.0
 */
#include "checkpoint/shards.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lancet_shards shards = {0};
    lancet_error error = {0};

    if (lancet_shards_parse(&shards, (const char *)data, size, "folder/index", &error) != LANCET_OK) {
        if (!strlen(error.message))
            abort();
    } else {
        /* Each beside the index, in order, once. */
        for (size_t i = 0; i < shards.count; i++) {
            const char *path = shards.items[i].path;

            if (strncmp(path, "folder/", 7) != 0 || strchr(path + 7, '/') || strcmp(path + 7, "..") == 0 ||
                (i && strcmp(shards.items[i - 1].path, path) >= 0))
                abort();
        }
        if (!shards.count || shards.tensors < shards.count)
            abort();
    }
    lancet_shards_close(&shards);
    return 0;
}
