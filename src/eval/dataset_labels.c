/* Truths from label maps. SPDX-License-Identifier: Apache-2.0 */
#include "eval/dataset.h"

#include "lancet/image.h"
#include "lancet/masks.h"

lancet_status lancet_dataset_check_size(const lancet_dataset_entry *entry, size_t width, size_t height,
                                        const char *whose, lancet_error *error)
{
    size_t found_width, found_height;
    lancet_status status = lancet_image_measure(entry->picture, &found_width, &found_height, error);

    if (status == LANCET_OK && (found_width != width || found_height != height))
        status = lancet_fail(error, LANCET_ERROR_INPUT,
                             "%s: expected %zu x %zu pixels, as %s has, found %zu x %zu", entry->picture,
                             width, height, whose, found_width, found_height);
    return status;
}

/* The value that a number of a mask stands for; false if it is a colour that has none. */
static bool value_of(uint32_t *value, uint32_t number, bool colour, lancet_label_colours colours)
{
    const uint8_t rgb[3] = {(uint8_t)number, (uint8_t)(number >> 8), (uint8_t)(number >> 16)};
    uint8_t byte;

    *value = number;
    if (!colour)
        return true;
    if (colours == LANCET_LABEL_COLOURS_RG)
        return rgb[2] == 0; /* R + 256 G: the number as it is */
    if (!lancet_label_of_colour(&byte, rgb))
        return false;
    *value = byte;
    return true;
}

static lancet_status fail_value(const lancet_dataset *dataset, const lancet_dataset_entry *entry,
                                const lancet_png_numbers *numbers, size_t at, lancet_error *error)
{
    const uint32_t number = numbers->numbers[at];
    const size_t x = at % numbers->width, y = at / numbers->width;

    if (numbers->colour)
        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "%s: expected colours of the classes %s, found %u, %u, %u at column %zu, row %zu",
                           entry->mask, dataset->about.classes, number & 255, number >> 8 & 255, number >> 16,
                           x, y);
    return lancet_fail(error, LANCET_ERROR_INPUT,
                       "%s: expected values of the classes %s, found %u at column %zu, row %zu", entry->mask,
                       dataset->about.classes, number, x, y);
}

static lancet_status label_pixels(lancet_truth_work *work, const lancet_dataset *dataset,
                                  const lancet_dataset_entry *entry, const lancet_png_numbers *numbers,
                                  lancet_error *error)
{
    const size_t pixels = numbers->width * numbers->height;
    uint32_t last = 0, value;
    uint16_t label = LANCET_LABEL_UNKNOWN;

    for (size_t i = 0; i < pixels; i++) {
        if (i == 0 || numbers->numbers[i] != last) { /* mostly the same as to the left */
            last = numbers->numbers[i];
            label = value_of(&value, last, numbers->colour, dataset->classes->colours)
                        ? lancet_classes_label(dataset->classes, value)
                        : (uint16_t)LANCET_LABEL_UNKNOWN;
            if (label == LANCET_LABEL_UNKNOWN)
                return fail_value(dataset, entry, numbers, i, error);
        }
        work->labels[i] = label;
    }
    return LANCET_OK;
}

lancet_status lancet_dataset_truth_labels(lancet_truth_work *work, const lancet_dataset *dataset,
                                          const lancet_dataset_entry *entry, lancet_error *error)
{
    lancet_png_numbers numbers;
    lancet_status status = lancet_png_numbers_open(&numbers, entry->mask, LANCET_MASK_PIXELS_MAX, error);

    if (status == LANCET_OK)
        status = lancet_dataset_check_size(entry, numbers.width, numbers.height, "its mask", error);
    if (status == LANCET_OK)
        status = lancet_truth_resize(work, numbers.width, numbers.height, error);
    if (status == LANCET_OK)
        status = label_pixels(work, dataset, entry, &numbers, error);
    lancet_png_numbers_close(&numbers);
    return status;
}
