/* The registry of methods. SPDX-License-Identifier: Apache-2.0 */
#include "lancet/methods.h"

#include <string.h>

static const lancet_method methods[] = {
    {"surgery", "CLIP Surgery", "Architecture surgery and feature surgery: the paper's method.",
     LANCET_PATH_SURGERY, LANCET_REDUNDANT_AUTO, false, true},
    {"architecture", "Architecture surgery", "Architecture surgery alone, plain cosines (Table 3, row 2).",
     LANCET_PATH_SURGERY, LANCET_REDUNDANT_NONE, false, true},
    {"clip", "CLIP", "CLIP's own tokens, plain cosines.", LANCET_PATH_PLAIN, LANCET_REDUNDANT_NONE, false,
     true},
    {"rclip", "RCLIP", "CLIP's map the other way round.", LANCET_PATH_PLAIN, LANCET_REDUNDANT_NONE, true,
     true},
    {"clip-feature", "CLIP + feature surgery", "Feature surgery on CLIP's own tokens.", LANCET_PATH_PLAIN,
     LANCET_REDUNDANT_AUTO, false, true},
    {"maskclip", "MaskCLIP", "The last block's values, as the authors' code has it.", LANCET_PATH_MASKCLIP,
     LANCET_REDUNDANT_NONE, false, true},
    {"maskclip-code", "MaskCLIP (no FFN)",
     "The same without the feed-forward network, as in the surgery code.", LANCET_PATH_MASKCLIP_CODE,
     LANCET_REDUNDANT_NONE, false, false},
    {"sclip", "SCLIP", "Query-query and key-key attention in the last block.", LANCET_PATH_SCLIP,
     LANCET_REDUNDANT_NONE, false, false},
    {"clearclip", "ClearCLIP",
     "Query-query attention in the last block, no residual, no feed-forward network.", LANCET_PATH_CLEARCLIP,
     LANCET_REDUNDANT_NONE, false, false},
    {"naclip", "NACLIP",
     "Key-key attention and neighbourhood in the last block, no residual, no feed-forward network.",
     LANCET_PATH_NACLIP, LANCET_REDUNDANT_NONE, false, false},
    {"last", "Last", "Table 4, row 1: the last block's attention alone.", LANCET_PATH_LAST,
     LANCET_REDUNDANT_AUTO, false, false},
    {"multi", "Multi", "Table 4, row 2: the last blocks in one path.", LANCET_PATH_MULTI,
     LANCET_REDUNDANT_AUTO, false, false},
    {"multi-dual", "Multi + Dual",
     "Table 4, row 3: two paths, the original path's feed-forward networks in both.", LANCET_PATH_MULTI_DUAL,
     LANCET_REDUNDANT_AUTO, false, false},
    {"multi-dual-own", "Multi + Dual (own FFN)",
     "Table 4, row 3: two paths, each with its own feed-forward networks.", LANCET_PATH_MULTI_DUAL_OWN,
     LANCET_REDUNDANT_AUTO, false, false},
    {"multi-dual-ffn", "Multi + Dual + FFN",
     "Table 4, row 4: the second path has the original's networks alone.", LANCET_PATH_MULTI_DUAL_FEED,
     LANCET_REDUNDANT_AUTO, false, false},
    {"multi-dual-ffn-own", "Multi + Dual + FFN (own)",
     "Table 4, row 4: the second path has its own networks alone.", LANCET_PATH_MULTI_DUAL_FEED_OWN,
     LANCET_REDUNDANT_AUTO, false, false},
};

size_t lancet_method_count(void)
{
    return sizeof methods / sizeof *methods;
}

const lancet_method *lancet_method_at(size_t index)
{
    return index < lancet_method_count() ? &methods[index] : NULL;
}

const lancet_method *lancet_method_find(const char *name)
{
    for (size_t i = 0; name && i < lancet_method_count(); i++)
        if (strcmp(methods[i].name, name) == 0)
            return &methods[i];
    return NULL;
}

void lancet_method_apply(const lancet_method *method, lancet_feature_options *features,
                         lancet_map_options *maps)
{
    if (features)
        features->path = method->path;
    if (maps) {
        maps->redundant = method->redundant;
        maps->reversed = method->reversed;
    }
}
