/* Methods: the paper's own, its baselines and the rows of its ablations, by name.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_METHODS_H
#define LANCET_METHODS_H

#include "lancet/error.h"
#include "lancet/features.h"
#include "lancet/maps.h"

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A method is a way of making tokens and a way of making scores from them. */
typedef struct lancet_method {
    const char *name;           /**< "surgery"; as the command's --method takes it */
    const char *title;          /**< "CLIP Surgery"; for tables and figures */
    const char *summary;        /**< one sentence */
    lancet_path path;           /**< for lancet_feature_options */
    lancet_redundant redundant; /**< for lancet_map_options */
    bool reversed;              /**< for lancet_map_options */
    bool resnet;                /**< runs on a ModifiedResNet as well */
} lancet_method;

/** How many methods there are. */
LANCET_API size_t lancet_method_count(void);

/** Method `index` (0-based), the paper's own first; NULL if out of range. Lives for ever. */
LANCET_API const lancet_method *lancet_method_at(size_t index);

/** The method of that name; NULL if there is none. */
LANCET_API const lancet_method *lancet_method_find(const char *name);

/** Sets what the method decides in the two structs, either of which may be NULL, and leaves the rest. */
LANCET_API void lancet_method_apply(const lancet_method *method, lancet_feature_options *features,
                                    lancet_map_options *maps);

#ifdef __cplusplus
}
#endif
#endif
