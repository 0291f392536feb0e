/* Facts: CLIP Surgery, Pattern Recognition 2025, Tables 1 to 6. SPDX-License-Identifier: Apache-2.0 */
#include "eval/paper.h"

#include <math.h>
#include <string.h>

enum {
    DATA_NONE = -1,
    DATA_IMAGENET_S50 = 0,
    DATA_VOC,
    DATA_CONTEXT,
    DATA_COCO,
    DATA_COCO_STUFF,
    DATA_CITYSCAPES,
    DATA_NUS_WIDE
};

typedef struct fact {
    lancet_paper_metric metric;
    int data;
    const char *model, *variant;
    double value;
} fact;

#define EXPLAINED(model, variant, i, is, v, vs, c, cs, o, os)                                                \
    {LANCET_PAPER_MIOU, DATA_IMAGENET_S50, model, variant, i},                                               \
        {LANCET_PAPER_MSC, DATA_IMAGENET_S50, model, variant, is},                                           \
        {LANCET_PAPER_MIOU, DATA_VOC, model, variant, v}, {LANCET_PAPER_MSC, DATA_VOC, model, variant, vs},  \
        {LANCET_PAPER_MIOU, DATA_CONTEXT, model, variant, c},                                                \
        {LANCET_PAPER_MSC, DATA_CONTEXT, model, variant, cs},                                                \
        {LANCET_PAPER_MIOU, DATA_COCO, model, variant, o},                                                   \
    {                                                                                                        \
        LANCET_PAPER_MSC, DATA_COCO, model, variant, os                                                      \
    }

/* clang-format off */
static const fact facts[] = {
    /* Tables 1 and 2 */
    EXPLAINED("RN50", "clip", 28.18, -26.50, 17.78, -27.88, 16.98, -14.02, 10.53, -19.17),
    EXPLAINED("RN50", "rclip", 54.45, 26.50, 41.17, 27.88, 28.48, 14.02, 21.87, 19.17),
    EXPLAINED("RN50", "surgery", 66.05, 43.28, 53.85, 44.60, 38.50, 32.44, 29.24, 33.80),
    EXPLAINED("RN101", "clip", 28.17, -23.30, 18.06, -23.48, 17.52, -9.90, 10.66, -17.31),
    EXPLAINED("RN101", "surgery", 65.51, 43.22, 52.51, 44.07, 38.03, 32.21, 29.89, 35.50),
    EXPLAINED("ViT-B/32", "clip", 28.05, -21.86, 17.56, -24.06, 16.37, -17.68, 10.15, -21.02),
    EXPLAINED("ViT-B/32", "surgery", 59.24, 36.72, 51.14, 41.15, 40.10, 32.90, 29.22, 31.35),
    EXPLAINED("ViT-B/16", "clip", 27.87, -18.84, 17.36, -19.86, 15.76, -16.73, 9.74, -23.37),
    EXPLAINED("ViT-B/16", "rclip", 48.00, 16.14, 37.36, 18.51, 33.25, 18.21, 26.12, 22.41),
    EXPLAINED("ViT-B/16", "surgery", 62.41, 36.50, 55.78, 41.64, 46.28, 34.32, 35.23, 35.43),
    EXPLAINED("ViT-L/14", "clip", 27.89, -18.34, 17.24, -24.42, 15.62, -20.26, 9.64, -27.51),
    EXPLAINED("ViT-L/14", "surgery", 61.72, 28.25, 54.47, 34.89, 42.71, 28.11, 37.67, 32.54),
    /* Table 3 */
    {LANCET_PAPER_MIOU, DATA_CONTEXT, "ViT-B/16", "architecture", 43.47},
    {LANCET_PAPER_MSC, DATA_CONTEXT, "ViT-B/16", "architecture", 31.15},
    {LANCET_PAPER_MAP, DATA_CONTEXT, "ViT-B/16", "clip", 47.09},
    {LANCET_PAPER_MAP, DATA_CONTEXT, "ViT-B/16", "architecture", 47.09},
    {LANCET_PAPER_MAP, DATA_CONTEXT, "ViT-B/16", "surgery", 52.61},
    /* Table 4; of its rows 3 and 4 it does not say which network they are of */
    {LANCET_PAPER_MSC, DATA_CONTEXT, "ViT-B/16", "last", 29.13},
    {LANCET_PAPER_MSC, DATA_CONTEXT, "ViT-B/16", "multi", -7.73},
    {LANCET_PAPER_MSC, DATA_CONTEXT, "ViT-B/16", "multi-dual", 32.30},
    {LANCET_PAPER_MSC, DATA_CONTEXT, "ViT-B/16", "multi-dual-own", 32.30},
    {LANCET_PAPER_MSC, DATA_CONTEXT, "ViT-B/16", "multi-dual-ffn", -4.28},
    {LANCET_PAPER_MSC, DATA_CONTEXT, "ViT-B/16", "multi-dual-ffn-own", -4.28},
    /* Table 5: architecture surgery alone */
    {LANCET_PAPER_SEGMENTATION, DATA_CONTEXT, "ViT-B/16", "architecture", 29.3},
    {LANCET_PAPER_SEGMENTATION, DATA_COCO_STUFF, "ViT-B/16", "architecture", 21.9},
    {LANCET_PAPER_SEGMENTATION, DATA_CITYSCAPES, "ViT-B/16", "architecture", 31.4},
    {LANCET_PAPER_SEGMENTATION, DATA_CONTEXT, "ViT-B/16", "maskclip", 22.4},
    {LANCET_PAPER_SEGMENTATION, DATA_COCO_STUFF, "ViT-B/16", "maskclip", 15.3},
    {LANCET_PAPER_SEGMENTATION, DATA_CITYSCAPES, "ViT-B/16", "maskclip", 22.7},
    /* Table 6 */
    {LANCET_PAPER_MAP, DATA_NUS_WIDE, "ViT-B/16", "clip", 35.58},
    {LANCET_PAPER_MAP, DATA_NUS_WIDE, "ViT-B/16", "surgery", 47.19},
    {LANCET_PAPER_MAP, DATA_NUS_WIDE, "RN50", "clip", 32.75},
    {LANCET_PAPER_MAP, DATA_NUS_WIDE, "RN50", "surgery", 39.99},
};
/* clang-format on */

static int data_of(const lancet_run *run)
{
    const lancet_layout layout = lancet_dataset_describe(run->dataset)->layout;
    const size_t classes = run->class_count;

    if (layout == LANCET_LAYOUT_IMAGENET_S && classes == 50)
        return DATA_IMAGENET_S50;
    if (layout == LANCET_LAYOUT_VOC && classes == 20)
        return DATA_VOC;
    if (layout == LANCET_LAYOUT_CONTEXT && classes == 59)
        return DATA_CONTEXT;
    if (layout == LANCET_LAYOUT_COCO && classes == 80)
        return DATA_COCO;
    if (layout == LANCET_LAYOUT_COCO_STUFF && classes == 171)
        return DATA_COCO_STUFF;
    if (layout == LANCET_LAYOUT_CITYSCAPES && classes == 19)
        return DATA_CITYSCAPES;
    if (layout == LANCET_LAYOUT_NUS_WIDE && classes == 81)
        return DATA_NUS_WIDE;
    return DATA_NONE;
}

static const char *model_of(const lancet_model_description *about)
{
    if (strcmp(about->family, "ViT") != 0)
        return about->embedding_width == 1024 && about->vision_blocks == 16  ? "RN50"
               : about->embedding_width == 512 && about->vision_blocks == 33 ? "RN101"
                                                                             : "";
    if (about->vision_width == 768 && about->vision_blocks == 12)
        return about->patch_side == 32 ? "ViT-B/32" : about->patch_side == 16 ? "ViT-B/16" : "";
    return about->vision_width == 1024 && about->vision_blocks == 24 && about->patch_side == 14 ? "ViT-L/14"
                                                                                                : "";
}

double lancet_paper_figure(lancet_paper_metric metric, const lancet_run *run, const char *variant)
{
    const int data = data_of(run);
    const char *model = model_of(lancet_model_describe(lancet_session_model(run->session)));

    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        if (facts[i].metric == metric && facts[i].data == data && strcmp(facts[i].model, model) == 0 &&
            strcmp(facts[i].variant, variant) == 0)
            return facts[i].value;
    return NAN;
}
