/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/gguf.h"

lancet_status lancet_gguf_parse(lancet_table *table, const uint8_t *bytes, size_t length, const char *path,
                                lancet_error *error)
{
    (void)table;
    (void)bytes;
    (void)length;
    return lancet_fail(error, LANCET_ERROR_UNSUPPORTED,
                       "%s: expected a model, found a GGUF file, which is not "
                       "supported yet",
                       path);
}
