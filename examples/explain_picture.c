/* Level 1: one call. Explains a picture for some words and writes the first word's map over it.
 *
 *     explain_picture ViT-B-16.safetensors photo.jpg cat sofa
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "lancet/image.h"
#include "lancet/lancet.h"

#include <stdio.h>
#include <stdlib.h>

static lancet_status write_overlay(const char *path, const lancet_picture *picture, const lancet_maps *maps,
                                   lancet_error *error)
{
    lancet_image *overlay = NULL, *figure = NULL;
    lancet_legend legend = {.text = lancet_maps_text(maps, 0), .has_scores = true};
    float low, high, *heat = malloc(picture->width * picture->height * sizeof *heat);
    lancet_status status = LANCET_ERROR_MEMORY;

    if (!heat)
        goto end;
    lancet_maps_range(maps, 0, &low, &high);
    legend.score_low = (double)low;
    legend.score_high = (double)high;
    status = lancet_maps_write(maps, 0, picture->width, picture->height, heat, error);
    if (status == LANCET_OK)
        status = lancet_overlay(&overlay, picture, heat, NULL, error);
    if (status == LANCET_OK) {
        const lancet_picture pixels = lancet_image_picture(overlay);

        status = lancet_legend_add(&figure, &pixels, &legend, error);
    }
    if (status == LANCET_OK) {
        const lancet_picture pixels = lancet_image_picture(figure);
        const lancet_png png = {.samples = pixels.rgb, .width = pixels.width, .height = pixels.height};

        status = lancet_png_write(path, &png, error);
    }
end:
    lancet_image_close(&figure);
    lancet_image_close(&overlay);
    free(heat);
    return status;
}

int main(int count, char **arguments)
{
    lancet_model *model = NULL;
    lancet_image *image = NULL;
    lancet_maps *maps = NULL;
    lancet_error error = {LANCET_ERROR_MEMORY, "out of memory"};
    lancet_status status = LANCET_ERROR_ARGUMENT;
    lancet_picture picture;

    if (count < 4) {
        fprintf(stderr, "Usage: %s MODEL PICTURE WORD...\n", arguments[0]);
        return status;
    }
    status = lancet_model_open(&model, arguments[1], NULL, &error);
    if (status == LANCET_OK)
        status = lancet_image_open(&image, arguments[2], NULL, &error);
    picture = lancet_image_picture(image);
    if (status == LANCET_OK)
        status = lancet_explain(&maps, model, &picture, (const char *const *)(arguments + 3),
                                (size_t)count - 3, NULL, &error);
    if (status == LANCET_OK)
        status = write_overlay("explained.png", &picture, maps, &error);

    for (size_t t = 0; status == LANCET_OK && t < lancet_maps_count(maps); t++) {
        float low, high;

        if (lancet_maps_range(maps, t, &low, &high))
            printf("%s: scores from %.4f to %.4f\n", lancet_maps_text(maps, t), (double)low, (double)high);
    }
    if (status == LANCET_OK)
        printf("explained.png shows %s\n", lancet_maps_text(maps, 0));
    else
        fprintf(stderr, "%s\n", error.message);
    lancet_maps_close(&maps);
    lancet_image_close(&image);
    lancet_model_close(&model);
    return status;
}
