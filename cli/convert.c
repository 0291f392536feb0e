/* `lancet convert`: a model as one file. SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "common.h"
#include "files.h"
#include "json.h"
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef struct convert_settings {
    common_settings common;
    model_settings model;
    int type; /* a lancet_weight_type */
    bool no_vocabulary, json;
} convert_settings;

static const char *const weight_type_names[] = {"fp32", "fp16", "bf16", "int8", NULL};

static const option convert_options[] = {
    {.name = "type",
     .kind = OPTION_CHOICE,
     .offset = offsetof(convert_settings, type),
     .argument = "NAME",
     .help =
         "how the weights are stored: fp32 (default; loses nothing), fp16, bf16 or int8 (with a scale for "
         "each row)",
     .choices = weight_type_names},
    {.name = "no-vocabulary",
     .kind = OPTION_FLAG,
     .offset = offsetof(convert_settings, no_vocabulary),
     .help = "leave the vocabulary out of the file"},
    {.name = "json",
     .kind = OPTION_FLAG,
     .offset = offsetof(convert_settings, json),
     .help = "print what was done as a JSON object"},
};

/* clang-format off */
static const option_group convert_groups[] = {
    {"Options", convert_options, sizeof convert_options / sizeof *convert_options, 0},
    MODEL_LOOK_GROUP(convert_settings),
    COMMON_GROUP(convert_settings),
};
/* clang-format on */

static json_t *json_stored(const lancet_conversion_type *type)
{
    json_t *object = json_object();
    bool good = object != NULL;

    json_put(&good, object, "type", json_words(type->name));
    json_put(&good, object, "tensors", json_count(type->tensors));
    json_put(&good, object, "numbers", json_integer((json_int_t)type->numbers));
    json_put(&good, object, "bytes", json_integer((json_int_t)type->bytes));
    json_put(&good, object, "mean_error", json_number(type->mean_error));
    json_put(&good, object, "max_error", json_number(type->max_error));
    json_put(&good, object, "worst", *type->worst ? json_words(type->worst) : json_null());
    if (!good) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static int print_json(const convert_settings *settings, const lancet_model *model, const char *path,
                      const lancet_conversion *done)
{
    const lancet_model_description *about = lancet_model_describe(model);
    json_t *object = json_object(), *types = json_array();
    bool good = object && types;
    int status;

    json_put(&good, object, "lancet", json_words(lancet_version()));
    json_put(&good, object, "model", json_model(model));
    json_put(&good, object, "container", json_words(about->container));
    json_put(&good, object, "naming", json_words(about->naming));
    json_put(&good, object, "data_types", json_words(about->data_types));
    json_put(&good, object, "file_bytes", json_integer((json_int_t)about->file_bytes));
    json_put(&good, object, "path", json_words(path));
    json_put(&good, object, "type", json_words(weight_type_names[settings->type]));
    json_put(&good, object, "bytes", json_integer((json_int_t)done->bytes));
    json_put(&good, object, "tensors", json_count(done->tensors));
    json_put(&good, object, "vocabulary", done->vocabulary ? json_words(about->vocabulary) : json_null());
    for (size_t i = 0; good && i < done->type_count; i++)
        json_add(&good, types, json_stored(&done->types[i]));
    json_put(&good, object, "types", json_incref(types));
    json_put(&good, object, "dropped_count", json_count(done->dropped_count));
    json_put(&good, object, "dropped", json_words(done->dropped));
    status = good ? json_print(object) : report_memory();
    json_decref(object);
    json_decref(types);
    return status;
}

static void print_table(const lancet_model *model, const char *path, const lancet_conversion *done)
{
    const lancet_model_description *about = lancet_model_describe(model);

    printf("model        %s (%s names, in %s)\n", about->path, about->naming, about->container);
    printf("written      %s\n", path);
    printf("bytes        %" PRIu64 ", %.0f %% of %" PRIu64 "\n", done->bytes,
           100 * (double)done->bytes / (double)about->file_bytes, about->file_bytes);
    printf("vocabulary   %s\n", done->vocabulary ? "inside the file" : "left out");
    for (size_t i = 0; i < done->type_count; i++) {
        const lancet_conversion_type *type = &done->types[i];

        printf("%-12s %zu tensors, %" PRIu64 " numbers, ", type->name, type->tensors, type->numbers);
        if (type->max_error > 0)
            printf("relative error %.2g, at most %.2g (%s)\n", type->mean_error, type->max_error,
                   type->worst);
        else
            printf("exact\n");
    }
    if (done->dropped_count)
        printf("left out     %zu tensor%s without a part in the model: %s%s\n", done->dropped_count,
               done->dropped_count == 1 ? "" : "s", done->dropped, *done->dropped ? "" : "...");
}

/* What will be taken for granted by whoever opens the new file. */
static void report_assumptions(const lancet_model *model, const convert_settings *settings)
{
    const lancet_model_description *about = lancet_model_describe(model);

    if (strncmp(about->activation_origin, "assumed", 7) == 0)
        report_note("activation %s (%s); --activation sets it", activation_names[about->activation],
                    about->activation_origin);
    if (about->text_blocks && !*about->vocabulary && !settings->no_vocabulary)
        report_note("no vocabulary was found, so that the file has none; --vocabulary PATH names one");
}

static int convert(const convert_settings *settings, const char *path)
{
    progress bar;
    const lancet_convert_options options = {.type = (lancet_weight_type)settings->type,
                                            .without_vocabulary = settings->no_vocabulary,
                                            .progress = progress_of_work,
                                            .progress_context = &bar};
    lancet_model *model = NULL;
    lancet_conversion done;
    lancet_error error;
    int status = model_begin(&model, NULL, &settings->model, &settings->common, LANCET_TOWERS_NONE);

    if (status != EXIT_DONE)
        return status;
    report_assumptions(model, settings);
    progress_begin(&bar, "tensors", settings->common.quiet);
    if (lancet_model_convert(&done, model, path, &options, &error) != LANCET_OK) {
        progress_end(&bar);
        status = report_error(&error);
    } else {
        progress_end(&bar);
        if (settings->json)
            status = print_json(settings, model, path, &done);
        else
            print_table(model, path, &done);
    }
    lancet_model_close(&model);
    return status;
}

static int run(const command *self, int argc, char **argv)
{
    convert_settings settings = {0};
    texts operands = {0};
    const char *path = NULL;
    int status;

    if (!options_parse(self, &settings, &operands, argc, argv, &status))
        goto done;
    report_as(self->name, settings.common.quiet);
    if (operands.count + (settings.model.path != NULL) != 2) {
        status = report_usage("expected the model and the file to write, found %zu",
                              operands.count + (settings.model.path != NULL));
        goto done;
    }
    path = operands.items[operands.count - 1];
    if (!settings.model.path)
        settings.model.path = operands.items[0];
    if (!text_ends_with(path, ".safetensors"))
        status = report_usage("expected a file to write that ends in .safetensors, found '%s'", path);
    else
        status = convert(&settings, path);
done:
    texts_close(&operands);
    return status;
}

const command convert_command = {
    .name = "convert",
    .summary = "Write a model as one safetensors file that needs nothing beside it.",
    .usage = "lancet convert MODEL OUT.safetensors [options]",
    .about =
        "Whatever the model's container and names, the file has OpenAI's names and shapes, with the "
        "vocabulary and the configuration (activation, heads, colours) in its metadata: it can be copied "
        "anywhere. Everything is computed in float32 all the same; the type is how the weights are stored. "
        "What it costs is measured in docs/conversion.md, and 'lancet info MODEL OUT.safetensors' shows "
        "it tensor by tensor.\n"
        "\n"
        "Pictures and words give the same bytes as with the original if the type loses nothing: fp32 never "
        "does, fp16 not if the original is fp16.",
    .examples = "  lancet convert ViT-B-16.pt ViT-B-16.safetensors --type fp16\n"
                "  lancet convert clip/model.safetensors clip-int8.safetensors --type int8\n",
    .groups = convert_groups,
    .group_count = sizeof convert_groups / sizeof *convert_groups,
    .run = run,
};
