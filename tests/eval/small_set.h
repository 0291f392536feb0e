/* Small data sets made on the spot. SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_EVAL_SMALL_SET_H
#define TESTS_EVAL_SMALL_SET_H

#include "lancet/dataset.h"
#include "lancet/image.h"
#include "lancet/masks.h"
#include "lancet/metrics.h"
#include "support/files.h"

/** The folder of the set at hand; a fresh one for each test. */
static char *set_folder;

static inline int set_up(void **state)
{
    (void)state;
    set_folder = folder_make();
    return 0;
}

static inline int set_tear_down(void **state)
{
    (void)state;
    folder_remove(set_folder);
    return 0;
}

/** "folder/name", with the folders on the way made. */
static inline const char *set_path(const char *name)
{
    char path[TEST_PATH_SIZE];

    snprintf(path, sizeof path, "%s/%s", set_folder, name);
    for (char *slash = path + strlen(set_folder) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0777);
        *slash = '/';
    }
    return path_of(set_folder, name);
}

static inline void set_text(const char *name, const char *text)
{
    file_write_text(set_path(name), text);
}

static inline void set_png(const char *name, lancet_png_form form, const void *samples, size_t width,
                           size_t height)
{
    uint8_t palette[768];
    const lancet_png png = {.form = form,
                            .samples = samples,
                            .width = width,
                            .height = height,
                            .palette = palette,
                            .palette_count = 256};
    lancet_error error;

    lancet_label_palette(palette);
    if (lancet_png_write(set_path(name), &png, &error) != LANCET_OK)
        fail_msg("%s", error.message);
}

/** A picture of that size; its format is PNG whatever its name, which is nobody's business. */
static inline void set_picture(const char *name, size_t width, size_t height)
{
    uint8_t *pixels = calloc(width * height, 3);

    set_png(name, LANCET_PNG_RGB, pixels, width, height);
    free(pixels);
}

/** A 4 x 3 mask of eight-bit values in the form of palettes (or grey). */
static inline void set_mask(const char *name, lancet_png_form form, const uint8_t values[12])
{
    set_png(name, form, values, 4, 3);
}

/** Opens it, or fails the test. */
static inline lancet_dataset *set_open(const lancet_dataset_options *options)
{
    lancet_dataset *dataset;
    lancet_error error;

    if (lancet_dataset_open(&dataset, set_folder, options, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    return dataset;
}

static inline lancet_truth *set_truth(lancet_dataset *dataset, size_t index)
{
    lancet_truth *truth;
    lancet_error error;

    if (lancet_dataset_truth(&truth, dataset, index, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    return truth;
}

/** Opening fails with that status and says so; the first truth does if opening does not. */
static inline void set_fails(const lancet_dataset_options *options, lancet_status status, const char *says)
{
    lancet_dataset *dataset = NULL;
    lancet_truth *truth = NULL;
    lancet_error error = {0};
    lancet_status found = lancet_dataset_open(&dataset, set_folder, options, &error);

    if (found == LANCET_OK)
        found = lancet_dataset_truth(&truth, dataset, 0, &error);
    if (found != status || !strstr(error.message, says))
        fail_msg("expected status %d and \"%s\", found %d: %s", status, says, found, error.message);
    assert_null(truth);
    lancet_dataset_close(&dataset);
    assert_null(dataset);
}

/** Labels [12] as expected. */
static inline void labels_are(const lancet_truth *truth, const uint16_t expected[12])
{
    assert_int_equal(truth->width, 4);
    assert_int_equal(truth->height, 3);
    for (size_t i = 0; i < 12; i++)
        if (truth->labels[i] != expected[i])
            fail_msg("label %zu: expected %d, found %d", i, expected[i], truth->labels[i]);
}

/** Exactly these classes are present, `count` of them. */
static inline void present_are(const lancet_truth *truth, const uint16_t *expected, size_t count)
{
    assert_int_equal(truth->present_count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(truth->present[i], expected[i]);
}

#define NONE   LANCET_LABEL_NONE
#define IGNORE LANCET_LABEL_IGNORE

#endif
