/* Any bytes as COCO's annotations, or as compressed run lengths. The first byte says which.
 * SPDX-License-Identifier: Apache-2.0 */
#include "eval/coco_set.h"

#include "lancet/masks.h"

#include <stdlib.h>
#include <string.h>

#define PIXELS_MAX ((size_t)1 << 16)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* United runs lie in the picture, apart, in order. */
static void check_runs(const lancet_runs *runs, size_t pixels)
{
    for (size_t i = 0; i < runs->count; i++)
        if (runs->runs[i].start >= runs->runs[i].end || runs->runs[i].end > pixels ||
            (i && runs->runs[i].start <= runs->runs[i - 1].end))
            abort();
}

static void draw_shapes(const lancet_dataset *dataset, const lancet_coco *coco)
{
    for (size_t e = 0; e < dataset->count; e++) {
        const lancet_dataset_entry *entry = &dataset->entries[e];
        uint64_t steps = 0;

        if (entry->trouble || entry->width * entry->height > PIXELS_MAX)
            continue;
        for (size_t i = 0; i < entry->count; i++) {
            lancet_runs runs = {0};
            lancet_error error = {0};

            if (lancet_coco_shape(coco, &coco->annotations[entry->first + i], entry->width, entry->height,
                                  &runs, &steps, &error) == LANCET_OK) {
                lancet_runs_unite(&runs);
                check_runs(&runs, entry->width * entry->height);
            } else if (!strstr(error.message, "annotation")) {
                abort();
            }
            lancet_runs_close(&runs);
        }
    }
}

static void read_annotations(const char *bytes, size_t length, bool panoptic)
{
    static const lancet_dataset_options options = {.on_broken = LANCET_BROKEN_SKIP};
    const lancet_dataset_source source = {"folder", &options};
    char folder[] = "pictures", *folders[] = {folder};
    lancet_dataset *dataset = lancet_allocate_zero(1, sizeof *dataset);
    lancet_coco coco = {.panoptic = panoptic};
    lancet_error error = {0};

    if (!dataset)
        abort();
    dataset->on_broken = LANCET_BROKEN_SKIP;
    if (lancet_coco_read_memory(&coco, bytes, length, "fuzz", &error) == LANCET_OK &&
        lancet_coco_classes(dataset, &coco, &source, &error) == LANCET_OK &&
        lancet_coco_link(dataset, &coco, folders, &error) == LANCET_OK) {
        if (!panoptic)
            draw_shapes(dataset, &coco);
    } else if (!strlen(error.message)) {
        abort();
    }
    lancet_dataset_close(&dataset);
    lancet_coco_close(&coco);
}

/* What decodes encodes to something that decodes to the same. */
static void read_run_lengths(const uint8_t *data, size_t size)
{
    uint8_t mask[128 * 128], again[128 * 128];
    size_t width, height;
    char *text, *own;

    if (size < 2)
        return;
    width = 1 + data[0] % 128;
    height = 1 + data[1] % 128;
    text = malloc(size - 1);
    if (!text)
        abort();
    memcpy(text, data + 2, size - 2);
    text[size - 2] = '\0';
    if (lancet_rle_decode(mask, text, width, height, NULL) == LANCET_OK) {
        if (lancet_rle_encode(&own, mask, width, height, NULL) != LANCET_OK ||
            lancet_rle_decode(again, own, width, height, NULL) != LANCET_OK ||
            memcmp(mask, again, width * height) != 0)
            abort();
        lancet_rle_close(&own);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy;

    if (!size)
        return 0;
    if (data[0] % 4 == 3) {
        read_run_lengths(data + 1, size - 1);
        return 0;
    }
    copy = malloc(size); /* so that reading past the end is seen */
    if (!copy)
        return 0;
    memcpy(copy, data + 1, size - 1);
    read_annotations(copy, size - 1, data[0] % 4 == 2);
    free(copy);
    return 0;
}
