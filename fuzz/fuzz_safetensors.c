/* Any bytes as a checkpoint; the seeds are safetensors files. SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_checkpoint(data, size);
    return 0;
}
