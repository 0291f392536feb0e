/* `lancet info`: what was recognised in a model file. SPDX-License-Identifier: Apache-2.0 */
#include "info.h"
#include "commands.h"
#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct info_settings {
    common_settings common;
    model_settings model;
    bool json;
} info_settings;

static const option info_options[] = {
    {.name = "json",
     .kind = OPTION_FLAG,
     .offset = offsetof(info_settings, json),
     .help = "as a JSON object"},
};

/* clang-format off */
static const option_group info_groups[] = {
    {"Options", info_options, 1, 0},
    MODEL_LOOK_GROUP(info_settings),
    COMMON_GROUP(info_settings),
};
/* clang-format on */

static int print_json(const lancet_model_description *m, const char *sha256)
{
    json_t *object = json_object(), *vision = json_object(), *text = json_object();
    bool good = object && vision && text;
    int status;

    json_put(&good, object, "lancet", json_words(lancet_version()));
    json_put(&good, object, "path", json_words(m->path));
    json_put(&good, object, "container", json_words(m->container));
    json_put(&good, object, "naming", json_words(m->naming));
    json_put(&good, object, "family", json_words(m->family));
    json_put(&good, object, "embedding_width", json_integer(m->embedding_width));
    json_put(&good, vision, "image_side", json_integer(m->image_side));
    json_put(&good, vision, "patch_side", json_integer(m->patch_side));
    json_put(&good, vision, "grid_side", json_integer(m->grid_side));
    json_put(&good, vision, "width", json_integer(m->vision_width));
    json_put(&good, vision, "blocks", json_integer(m->vision_blocks));
    if (m->stage_blocks[0]) {
        json_t *stages = json_array();

        for (int i = 0; i < 4; i++)
            json_add(&good, stages, json_integer(m->stage_blocks[i]));
        json_put(&good, vision, "stage_blocks", stages);
    }
    json_put(&good, vision, "heads", json_integer(m->vision_heads));
    json_put(&good, vision, "mean", json_numbers(m->mean, 3));
    json_put(&good, vision, "std", json_numbers(m->deviation, 3));
    json_put(&good, object, "vision", json_incref(vision));
    json_put(&good, text, "width", json_integer(m->text_width));
    json_put(&good, text, "blocks", json_integer(m->text_blocks));
    json_put(&good, text, "heads", json_integer(m->text_heads));
    json_put(&good, text, "context_length", json_integer(m->context_length));
    json_put(&good, text, "vocabulary_size", json_integer(m->vocabulary_size));
    json_put(&good, object, "text", json_incref(text));
    json_put(&good, object, "activation", json_words(activation_names[m->activation]));
    json_put(&good, object, "activation_origin", json_words(m->activation_origin));
    json_put(&good, object, "layer_norm_epsilon", json_number((double)m->layer_norm_epsilon));
    json_put(&good, object, "logit_scale", json_number((double)m->logit_scale));
    json_put(&good, object, "logit_scale_assumed", json_boolean(m->logit_scale_assumed));
    json_put(&good, object, "data_types", json_words(m->data_types));
    json_put(&good, object, "parameters", json_integer((json_int_t)m->parameters));
    json_put(&good, object, "file_bytes", json_integer((json_int_t)m->file_bytes));
    json_put(&good, object, "hash", json_words(m->hash));
    json_put(&good, object, "sha256", json_words(sha256));
    json_put(&good, object, "vocabulary", *m->vocabulary ? json_words(m->vocabulary) : json_null());
    json_put(&good, object, "vocabulary_inside", json_boolean(m->vocabulary_inside));
    json_put(&good, object, "origin", *m->origin ? json_words(m->origin) : json_null());
    json_put(&good, object, "missing", json_words(m->missing));
    status = good ? json_print(object) : report_memory();
    json_decref(object);
    json_decref(vision);
    json_decref(text);
    return status;
}

static void print_table(const lancet_model_description *m, const char *sha256)
{
    printf("model        %s\n", m->path);
    printf("family       %s, %s names, in %s\n", m->family, m->naming, m->container);
    printf("embedding    %d channels, shared by pictures and words\n", m->embedding_width);
    if (m->vision_blocks) {
        printf("pictures     %d x %d pixels, patches of %d x %d: a grid of %d x %d\n", m->image_side,
               m->image_side, m->patch_side, m->patch_side, m->grid_side, m->grid_side);
        printf("             %d channels, %d blocks", m->vision_width, m->vision_blocks);
        if (m->stage_blocks[0])
            printf(" (%d + %d + %d + %d)", m->stage_blocks[0], m->stage_blocks[1], m->stage_blocks[2],
                   m->stage_blocks[3]);
        printf(", %d heads\n", m->vision_heads);
        printf("             mean %g, %g, %g; std %g, %g, %g\n", (double)m->mean[0], (double)m->mean[1],
               (double)m->mean[2], (double)m->deviation[0], (double)m->deviation[1], (double)m->deviation[2]);
    } else {
        printf("pictures     none: the file has no vision tower\n");
    }
    if (m->text_blocks) {
        printf("words        %d channels, %d blocks, %d heads\n", m->text_width, m->text_blocks,
               m->text_heads);
        printf("             %d tokens of context, %d in the vocabulary\n", m->context_length,
               m->vocabulary_size);
    } else {
        printf("words        none: the file has no text tower\n");
    }
    printf("activation   %s (%s)\n", activation_names[m->activation], m->activation_origin);
    printf("layer norm   epsilon %g\n", (double)m->layer_norm_epsilon);
    printf("logit scale  %g%s\n", (double)m->logit_scale, m->logit_scale_assumed ? " (assumed)" : "");
    printf("data types   %s\n", m->data_types);
    printf("parameters   %" PRIu64 ", in %" PRIu64 " bytes\n", m->parameters, m->file_bytes);
    printf("hash         %s\n", m->hash);
    printf("sha256       %s\n", sha256);
    printf("vocabulary   %s\n", m->vocabulary_inside ? "inside the file"
                                : *m->vocabulary     ? m->vocabulary
                                                     : "none found");
    if (*m->origin)
        printf("converted    from %s\n", m->origin);
    printf("missing      %s\n", *m->missing ? m->missing : "nothing");
}

static int print_one(const info_settings *settings, const lancet_model *model)
{
    char sha256[LANCET_SHA256_SIZE];
    lancet_error error;

    if (lancet_model_sha256(model, sha256, &error) != LANCET_OK)
        return report_error(&error);
    if (settings->json)
        return print_json(lancet_model_describe(model), sha256);
    print_table(lancet_model_describe(model), sha256);
    return EXIT_DONE;
}

static int run(const command *self, int argc, char **argv)
{
    info_settings settings = {0};
    texts operands = {0};
    lancet_model *model = NULL, *other = NULL;
    int status;

    if (!options_parse(self, &settings, &operands, argc, argv, &status))
        goto done;
    report_as(self->name, settings.common.quiet);
    if (operands.count > 2 || (operands.count && settings.model.path)) {
        status = report_usage("expected one model, or two to compare, found %zu",
                              operands.count + (settings.model.path != NULL));
        goto done;
    }
    if (operands.count)
        settings.model.path = operands.items[0];
    status = model_begin(&model, NULL, &settings.model, &settings.common, LANCET_TOWERS_NONE);
    if (status == EXIT_DONE && operands.count == 2) {
        settings.model.path = operands.items[1];
        status = model_begin(&other, NULL, &settings.model, &settings.common, LANCET_TOWERS_NONE);
    }
    if (status == EXIT_DONE)
        status = other ? info_compare(model, other, settings.json) : print_one(&settings, model);
done:
    lancet_model_close(&model);
    lancet_model_close(&other);
    texts_close(&operands);
    return status;
}

const command info_command = {
    .name = "info",
    .summary = "Say what was recognised in a model file, or how two differ.",
    .usage = "lancet info [MODEL] [options]\nlancet info MODEL OTHER [options]",
    .about =
        "Family, sizes, activation and where it was learned, data types, hashes, the vocabulary that "
        "belongs to it, and what is missing. 'hash' is what label banks and result files carry; 'sha256' is "
        "what is usually published beside weights.\n"
        "\n"
        "Of two models: settings that differ, tensors that only one has or that have another shape, and how "
        "far the numbers of the others are apart, the worst first: ||b - a|| / ||a||, the largest single "
        "difference, the cosine. Tensors are told by what they are for, so that files of different "
        "containers and names can be compared.",
    .examples = "  lancet info ViT-B-16.safetensors\n"
                "  lancet info ViT-B-16.safetensors --json\n"
                "  lancet info ViT-B-16.pt ViT-B-16-int8.safetensors\n",
    .groups = info_groups,
    .group_count = sizeof info_groups / sizeof *info_groups,
    .run = run,
};
