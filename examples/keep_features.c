/* Level 2: keep what is worth keeping. Encodes the picture once and the words once, saves the words as a
 * label bank, then asks the same picture about each word alone without running the model's larger half again.
 *
 *     keep_features ViT-B-16.safetensors photo.jpg cat sofa
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "lancet/image.h"
#include "lancet/lancet.h"

#include <stdio.h>

#define BANK "words.safetensors"

/* Where the map of label `index` is highest, in pixels. */
static lancet_status print_best_point(const lancet_maps *maps, size_t index, const lancet_picture *picture,
                                      lancet_error *error)
{
    lancet_point points[1024];
    size_t count = 0, best = 0;
    lancet_status status = lancet_maps_points(maps, index, picture->width, picture->height, -1, points,
                                              sizeof points / sizeof *points, &count, error);

    if (status != LANCET_OK)
        return status;
    for (size_t i = 0; i < count && points[i].positive; i++)
        best = i; /* the best comes last */
    if (count)
        printf("%s: best at x %d, y %d\n", lancet_maps_text(maps, index), points[best].x, points[best].y);
    else
        printf("%s: the map is constant\n", lancet_maps_text(maps, index));
    return LANCET_OK;
}

int main(int count, char **arguments)
{
    lancet_model *model = NULL;
    lancet_session *session = NULL;
    lancet_image *image = NULL;
    lancet_labels *labels = NULL, *bank = NULL;
    lancet_features *features = NULL;
    lancet_maps *maps = NULL;
    lancet_error error = {LANCET_ERROR_MEMORY, "out of memory"};
    lancet_status status = LANCET_ERROR_ARGUMENT;
    lancet_picture picture;
    /* The empty string is encoded as well, so that the bank serves for one word as for several. */
    const lancet_label_options label_options = {.redundant = LANCET_REDUNDANT_EMPTY};
    const lancet_map_options alone = {.redundant = LANCET_REDUNDANT_EMPTY};

    if (count < 4) {
        fprintf(stderr, "Usage: %s MODEL PICTURE WORD...\n", arguments[0]);
        return status;
    }
    if ((status = lancet_model_open(&model, arguments[1], NULL, &error)) != LANCET_OK ||
        (status = lancet_session_open(&session, model, NULL, &error)) != LANCET_OK ||
        (status = lancet_image_open(&image, arguments[2], NULL, &error)) != LANCET_OK)
        goto end;
    picture = lancet_image_picture(image);

    if ((status = lancet_labels_encode(&labels, session, (const char *const *)(arguments + 3),
                                       (size_t)count - 3, &label_options, &error)) != LANCET_OK ||
        (status = lancet_labels_save(labels, BANK, &error)) != LANCET_OK ||
        (status = lancet_features_encode(&features, session, &picture, NULL, &error)) != LANCET_OK)
        goto end;

    /* Labels and features stand on their own: from here on nothing needs the model. */
    lancet_session_close(&session);
    lancet_model_close(&model);
    if ((status = lancet_labels_open(&bank, BANK, &error)) != LANCET_OK)
        goto end;
    printf("%s holds %zu words\n", BANK, lancet_labels_count(bank));

    /* Over the whole set (Eq. 8-11), and each word by itself against the empty string. */
    for (int form = 0; form < 2 && status == LANCET_OK; form++) {
        printf(form ? "each alone:\n" : "together:\n");
        status = lancet_maps_compute(&maps, features, bank, form ? &alone : NULL, &error);
        for (size_t t = 0; status == LANCET_OK && t < lancet_maps_count(maps); t++)
            status = print_best_point(maps, t, &picture, &error);
        lancet_maps_close(&maps);
    }

end:
    if (status != LANCET_OK)
        fprintf(stderr, "%s\n", error.message);
    lancet_features_close(&features);
    lancet_labels_close(&bank);
    lancet_labels_close(&labels);
    lancet_image_close(&image);
    lancet_session_close(&session);
    lancet_model_close(&model);
    return status;
}
