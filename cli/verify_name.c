/* What the name of an array says: a stage, and for stages of a picture at which size it goes in.
 * SPDX-License-Identifier: Apache-2.0 */
#include "verify.h"

#include <string.h>

static const struct {
    const char *name;
    verify_stage stage;
    bool windows; /* also of a picture in windows */
    lancet_path path;
} stages[] = {
    {"text/tokens", VERIFY_TOKENS, false, LANCET_PATH_SURGERY},
    {"text/features", VERIFY_TEXT, false, LANCET_PATH_SURGERY},
    {"text/ensemble", VERIFY_ENSEMBLE, false, LANCET_PATH_SURGERY},
    {"text/ensemble_empty", VERIFY_ENSEMBLE_EMPTY, false, LANCET_PATH_SURGERY},
    {"pixels", VERIFY_PIXELS, false, LANCET_PATH_SURGERY},
    {"plain", VERIFY_PLAIN, false, LANCET_PATH_SURGERY},
    {"surgery", VERIFY_SURGERY, false, LANCET_PATH_SURGERY},
    {"surgery_qk", VERIFY_SURGERY_QK, false, LANCET_PATH_SURGERY},
    {"surgery_norm8", VERIFY_SURGERY_NORM8, false, LANCET_PATH_SURGERY},
    {"class_token", VERIFY_CLASS_TOKEN, false, LANCET_PATH_SURGERY},
    {"attn_raw", VERIFY_ATTENTION_RAW, false, LANCET_PATH_SURGERY},
    {"attn_vv", VERIFY_ATTENTION_VALUES, false, LANCET_PATH_SURGERY},
    {"fc", VERIFY_CLASS_TOKEN, false, LANCET_PATH_SURGERY},
    {"affinity", VERIFY_BRANCHES, false, LANCET_PATH_SURGERY},
    {"affinity_no_ln", VERIFY_BRANCHES_NO_NORM, false, LANCET_PATH_SURGERY},
    {"ablation_last", VERIFY_METHOD_TOKENS, false, LANCET_PATH_LAST},
    {"ablation_multi", VERIFY_METHOD_TOKENS, false, LANCET_PATH_MULTI},
    {"ablation_multi_dual_a", VERIFY_METHOD_TOKENS, false, LANCET_PATH_MULTI_DUAL},
    {"ablation_multi_dual_b", VERIFY_METHOD_TOKENS, false, LANCET_PATH_MULTI_DUAL_OWN},
    {"ablation_multi_dual_ffn_a", VERIFY_METHOD_TOKENS, false, LANCET_PATH_MULTI_DUAL_FEED},
    {"ablation_multi_dual_ffn_b", VERIFY_METHOD_TOKENS, false, LANCET_PATH_MULTI_DUAL_FEED_OWN},
    {"ablation_multi_dual_attn", VERIFY_METHOD_TOKENS, false, LANCET_PATH_SURGERY},
    {"maskclip", VERIFY_METHOD_COSINES, false, LANCET_PATH_MASKCLIP},
    {"maskclip_official", VERIFY_METHOD_COSINES, false, LANCET_PATH_MASKCLIP},
    {"maskclip_cs", VERIFY_METHOD_COSINES, false, LANCET_PATH_MASKCLIP_CODE},
    {"sclip", VERIFY_METHOD_TOKENS, false, LANCET_PATH_SCLIP},
    {"clearclip", VERIFY_METHOD_TOKENS, false, LANCET_PATH_CLEARCLIP},
    {"naclip", VERIFY_METHOD_TOKENS, false, LANCET_PATH_NACLIP},
    {"multilabel_cosine", VERIFY_CLASS_COSINES, false, LANCET_PATH_SURGERY},
    {"multilabel_surgery_code", VERIFY_CLASS_SURGERY, false, LANCET_PATH_SURGERY},
    {"multilabel_surgery_paper", VERIFY_CLASS_SURGERY_PAPER, false, LANCET_PATH_SURGERY},
    {"similarity", VERIFY_SIMILARITY, true, LANCET_PATH_SURGERY},
    {"similarity_empty", VERIFY_SIMILARITY_EMPTY, true, LANCET_PATH_SURGERY},
    {"similarity_paper", VERIFY_SIMILARITY_PAPER, true, LANCET_PATH_SURGERY},
    {"map", VERIFY_MAP, true, LANCET_PATH_SURGERY},
    {"points", VERIFY_POINTS, true, LANCET_PATH_SURGERY},
};

verify_stage verify_name_whole(const char *name)
{
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++)
        if (stages[i].stage < VERIFY_PIXELS && strcmp(stages[i].name, name) == 0)
            return stages[i].stage;
    return VERIFY_UNKNOWN;
}

/* Digits at *at, which moves behind them; numbers too large only need to stay too large. */
static bool take_number(const char **at, int *number)
{
    const char *first = *at;

    *number = 0;
    for (; **at >= '0' && **at <= '9'; ++*at)
        *number = *number > LANCET_SIDE_MAX ? *number : *number * 10 + (**at - '0');
    return *at > first;
}

static bool take_character(const char **at, char c)
{
    if (**at != c)
        return false;
    ++*at;
    return true;
}

/* "48", "64x48" or "64x48-32-16", up to the slash `end`. */
static bool parse_size(verify_size *size, const char *at, const char *end)
{
    *size = (verify_size){0};
    if (!take_number(&at, &size->width))
        return false;
    size->height = size->width;
    if (take_character(&at, 'x') && !take_number(&at, &size->height))
        return false;
    if (take_character(&at, '-') && !(take_number(&at, &size->window) && take_character(&at, '-') &&
                                      take_number(&at, &size->stride) && size->window && size->stride))
        return false;
    return at == end;
}

/* "block_7", "block_7_surgery" and so on */
static bool parse_block(verify_array *array, const char *name)
{
    static const struct {
        const char *end;
        verify_stage stage;
    } ends[] = {
        {"", VERIFY_BLOCK},
        {"_surgery", VERIFY_BLOCK_SURGERY},
        {"_attn_raw", VERIFY_ATTENTION_RAW},
        {"_attn_vv", VERIFY_ATTENTION_VALUES},
    };
    const char *at = name + 6;

    if (strncmp(name, "block_", 6) != 0 || !take_number(&at, &array->block) || !array->block)
        return false;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (strcmp(at, ends[i].end) == 0) {
            array->stage = ends[i].stage;
            return true;
        }
    return false;
}

static bool find_stage(verify_array *array, const char *name)
{
    const bool windows = array->size.window != 0;

    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++)
        if (stages[i].stage >= VERIFY_PIXELS && (stages[i].windows || !windows) &&
            strcmp(stages[i].name, name) == 0) {
            array->stage = stages[i].stage;
            array->way = stages[i].path;
            return true;
        }
    return !windows && parse_block(array, name);
}

static const char *slash_before(const char *name, const char *end)
{
    while (end > name && end[-1] != '/')
        end--;
    return end > name ? end - 1 : NULL;
}

bool verify_name_split(verify_array *array, size_t *picture_length)
{
    static const char between[] = "/baselines";
    const size_t length = sizeof between - 1;
    const char *name = array->name, *stage = strrchr(name, '/'), *end = stage, *size;

    if (!stage)
        return false;
    if ((size_t)(stage - name) > length && strncmp(stage - length, between, length) == 0)
        end = stage - length;
    size = slash_before(name, end);
    if (!size || !parse_size(&array->size, size + 1, end) || !find_stage(array, stage + 1)) {
        array->stage = VERIFY_UNKNOWN;
        return false;
    }
    *picture_length = (size_t)(size - name);
    return true;
}
