/* `lancet features`: what the vision tower makes of a picture. SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "common.h"

#include "lancet/image.h"

#include <stdio.h>

typedef struct features_settings {
    common_settings common;
    model_settings model;
    picture_settings picture;
    const char *output;
} features_settings;

static const option features_options[] = {
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_TEXT,
     .offset = offsetof(features_settings, output),
     .argument = "FILE",
     .help = "the .npy file to write"},
};

/* clang-format off */
static const option_group features_groups[] = {
    {"Options", features_options, 1, 0},
    PICTURE_GROUP(features_settings),
    MODEL_GROUP(features_settings),
    COMMON_GROUP(features_settings),
};
/* clang-format on */

static int write_features(const features_settings *settings, const lancet_model *model,
                          lancet_session *session, const char *path)
{
    const lancet_image_options image_options = {.ignore_orientation = settings->picture.ignore_orientation};
    const lancet_feature_options options = feature_options(&settings->picture, model);
    lancet_image *image = NULL;
    lancet_features *features = NULL;
    lancet_picture pixels;
    lancet_error error;
    int status = EXIT_DONE;

    if (lancet_image_open(&image, path, &image_options, &error) != LANCET_OK)
        goto fail;
    pixels = lancet_image_picture(image);
    if (lancet_features_encode(&features, session, &pixels, &options, &error) != LANCET_OK)
        goto fail;
    const size_t height = lancet_features_grid_height(features), width = lancet_features_grid_width(features);
    const size_t shape[] = {1, 1 + height * width, lancet_features_width(features)};

    if (lancet_npy_write(settings->output, LANCET_NPY_FLOAT32, shape, 3, lancet_features_tokens(features),
                         &error) != LANCET_OK)
        goto fail;
    report_note("%s: float32 [1, %zu, %zu]: the class token and %zu x %zu patches", settings->output,
                shape[1], shape[2], height, width);
    goto done;
fail:
    status = report_error(&error);
done:
    lancet_features_close(&features);
    lancet_image_close(&image);
    return status;
}

static int run(const command *self, int argc, char **argv)
{
    features_settings settings = {0};
    texts operands = {0};
    lancet_model *model = NULL;
    lancet_session *session = NULL;
    int status;

    if (!options_parse(self, &settings, &operands, argc, argv, &status))
        goto done;
    report_as(self->name, settings.common.quiet);
    if (operands.count != 1)
        status = report_usage("expected one picture, found %zu", operands.count);
    else if (!settings.output)
        status = report_usage("expected the file to write: -o FILE.npy");
    else if (settings.picture.surgery_last && settings.picture.surgery_start)
        status = report_usage("--surgery-last and --surgery-start say the same thing; give one");
    else
        status = model_begin(&model, &session, &settings.model, &settings.common, LANCET_TOWERS_VISION);
    if (status == EXIT_DONE)
        status = write_features(&settings, model, session, operands.items[0]);
done:
    lancet_session_close(&session);
    lancet_model_close(&model);
    texts_close(&operands);
    return status;
}

const command features_command = {
    .name = "features",
    .summary = "Write the token features of a picture as a .npy array.",
    .usage = "lancet features PICTURE -o FILE.npy [options]",
    .about =
        "The array is float32 [1, tokens, channels] as the model gives it, not of unit length: the class "
        "token "
        "first, then the patches row after row. The class token is always CLIP's own picture embedding; with "
        "--path surgery the patches are those of CLIP Surgery's second path, with --path plain CLIP's own, "
        "through its final projection.",
    .examples = "  lancet features cat.jpg -m ViT-B-16.safetensors -o cat.npy\n"
                "  lancet features cat.jpg --path plain --side 336 -o cat-plain.npy\n",
    .groups = features_groups,
    .group_count = sizeof features_groups / sizeof *features_groups,
    .run = run,
};
