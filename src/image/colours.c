/* Colour maps, and heat laid over a picture. SPDX-License-Identifier: Apache-2.0 */
#include "image/pixels.h"

#include "image/colour_tables.h"

#include "base/memory.h"
#include "base/status.h"

#include <string.h>

static const struct {
    const char *name;
    const uint8_t *table;
} maps[LANCET_COLOURS_COUNT] = {
    [LANCET_COLOURS_JET] = {"jet", jet_table},
    [LANCET_COLOURS_TURBO] = {"turbo", turbo_table},
    [LANCET_COLOURS_VIRIDIS] = {"viridis", viridis_table},
    [LANCET_COLOURS_INFERNO] = {"inferno", inferno_table},
    [LANCET_COLOURS_GREY] = {"grey", grey_table},
};

const uint8_t *lancet_colours_table(lancet_colours colours)
{
    return (unsigned)colours < LANCET_COLOURS_COUNT ? maps[colours].table : NULL;
}

const char *lancet_colours_name(lancet_colours colours)
{
    return (unsigned)colours < LANCET_COLOURS_COUNT ? maps[colours].name : NULL;
}

lancet_status lancet_colours_find(lancet_colours *colours, const char *name, lancet_error *error)
{
    if (!colours || !name)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "colours: expected a name, found NULL");
    for (size_t i = 0; i < LANCET_COLOURS_COUNT; i++) {
        if (strcmp(name, maps[i].name) == 0) {
            *colours = (lancet_colours)i;
            return LANCET_OK;
        }
    }
    return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                       "colours: expected jet, turbo, viridis, inferno or grey, found \"%.60s\"", name);
}

/* (int)(255 * heat), with what is no heat at all (NaN, below 0) as 0. */
static inline size_t step_of(float heat)
{
    const float scaled = heat * 255;

    return scaled > 0 ? scaled < 255 ? (size_t)scaled : 255 : 0;
}

lancet_status lancet_overlay(lancet_image **image, const lancet_picture *picture, const float *heat,
                             const lancet_overlay_options *options, lancet_error *error)
{
    const double heat_share = options && options->heat_share != 0 ? options->heat_share : 0.6;
    const uint8_t *table = lancet_colours_table(options ? options->colours : LANCET_COLOURS_JET);
    double below[256], above[256];
    lancet_status status;

    if (!image)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "overlay: expected a place for the result, found NULL");
    *image = NULL;
    status = lancet_picture_check(picture, "overlay", error);
    if (status != LANCET_OK)
        return status;
    if (!heat)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "overlay: expected heat, found NULL");
    if (!table)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "overlay: expected a colour map from 0 to %d, found %d", LANCET_COLOURS_COUNT - 1,
                           (int)options->colours);
    if (!(heat_share > 0 && heat_share <= 1))
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "overlay: expected a heat share in (0, 1], found %g",
                           heat_share);
    status = lancet_image_create(image, picture->width, picture->height, error);
    if (status != LANCET_OK)
        return status;
    for (int i = 0; i < 256; i++) {
        below[i] = i * (1 - heat_share);
        above[i] = i * heat_share;
    }
    for (size_t y = 0; y < picture->height; y++) {
        const uint8_t *in = lancet_picture_row(picture, y);
        uint8_t *out = (*image)->rgb + y * picture->width * 3;

        for (size_t x = 0; x < picture->width; x++) {
            const uint8_t *colour = table + 3 * step_of(heat[y * picture->width + x]);

            for (size_t c = 0; c < 3; c++)
                out[3 * x + c] = (uint8_t)(below[in[3 * x + c]] + above[colour[c]]);
        }
    }
    return LANCET_OK;
}
