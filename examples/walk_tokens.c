/* Level 3: inside. Follows the tokens of a picture from block to block and prints how alike the patches are
 * on both paths: the original one, and the second one of CLIP Surgery. Then ranks the words by the class
 * token.
 *
 *     walk_tokens ViT-B-16.safetensors photo.jpg cat sofa
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "lancet/image.h"
#include "lancet/lancet.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static double dot(const float *a, const float *b, size_t width)
{
    double sum = 0;

    for (size_t i = 0; i < width; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

static double cosine(const float *a, const float *b, size_t width)
{
    return dot(a, b, width) / sqrt(dot(a, a, width) * dot(b, b, width));
}

/* Mean cosine of neighbouring patches; tokens [tokens, width], class token first. */
static double likeness(const float *tokens, size_t count, size_t width)
{
    double sum = 0;

    for (size_t i = 1; i + 1 < count; i++)
        sum += cosine(tokens + i * width, tokens + (i + 1) * width, width);
    return count > 2 ? sum / (double)(count - 2) : 1;
}

static int print_block(void *context, int block, size_t tokens, size_t width, const float *original,
                       const float *surgery)
{
    (void)context;
    printf("block %2d: neighbours' cosine %.3f", block, likeness(original, tokens, width));
    if (surgery)
        printf(", on the second path %.3f", likeness(surgery, tokens, width));
    printf("\n");
    return 0; /* anything else stops the walk */
}

int main(int count, char **arguments)
{
    lancet_model *model = NULL;
    lancet_session *session = NULL;
    lancet_image *image = NULL;
    lancet_features *features = NULL;
    float *words = NULL;
    size_t width = 0, word_count = count > 3 ? (size_t)count - 3 : 0;
    lancet_error error = {LANCET_ERROR_MEMORY, "out of memory"};
    lancet_status status = LANCET_ERROR_ARGUMENT;
    lancet_picture picture;

    if (!word_count) {
        fprintf(stderr, "Usage: %s MODEL PICTURE WORD...\n", arguments[0]);
        return status;
    }
    if ((status = lancet_model_open(&model, arguments[1], NULL, &error)) != LANCET_OK ||
        (status = lancet_session_open(&session, model, NULL, &error)) != LANCET_OK ||
        (status = lancet_image_open(&image, arguments[2], NULL, &error)) != LANCET_OK)
        goto end;
    picture = lancet_image_picture(image);
    width = (size_t)lancet_model_describe(model)->embedding_width;
    status = LANCET_ERROR_MEMORY;
    if (!(words = malloc(word_count * width * sizeof *words)))
        goto end;
    if ((status = lancet_tokens_walk(session, &picture, NULL, print_block, NULL, NULL, &error)) !=
            LANCET_OK ||
        (status = lancet_features_encode(&features, session, &picture, NULL, &error)) != LANCET_OK ||
        (status = lancet_text_encode(words, session, (const char *const *)(arguments + 3), word_count,
                                     &error)) != LANCET_OK)
        goto end;
    for (size_t t = 0; t < word_count; t++)
        printf("%s: cosine with the class token %.4f\n", arguments[3 + t],
               cosine(lancet_features_tokens(features), words + t * width, width));

end:
    if (status != LANCET_OK)
        fprintf(stderr, "%s\n", error.message);
    free(words);
    lancet_features_close(&features);
    lancet_image_close(&image);
    lancet_session_close(&session);
    lancet_model_close(&model);
    return status;
}
