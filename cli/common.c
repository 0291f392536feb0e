/* SPDX-License-Identifier: Apache-2.0 */
#include "common.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const activation_names[] = {"auto", "quickgelu", "gelu", NULL};
const char *const precision_names[] = {"fp32", "bf16", "int8", NULL};
const char *const path_names[] = {"surgery", "plain", NULL};
const char *const pool_attention_names[] = {"vv", "vv-norm8", NULL};
const char *const pool_class_names[] = {"qk", "vv", NULL};
const char *const redundant_names[] = {"auto", "labels", "empty", "empty-bare", "none", NULL};

const option common_options[2] = {
    {.name = "threads",
     .kind = OPTION_INTEGER,
     .offset = offsetof(common_settings, threads),
     .argument = "N",
     .help = "worker threads; default: every processor. The result is the same whatever the number.",
     .low = 1,
     .high = 256},
    {.name = "quiet",
     .letter = 'q',
     .kind = OPTION_FLAG,
     .offset = offsetof(common_settings, quiet),
     .help = "no notes, no progress bar, no list of files; errors only"},
};

const option model_options[6] = {
    {.name = "model",
     .letter = 'm',
     .kind = OPTION_TEXT,
     .offset = offsetof(model_settings, path),
     .argument = "FILE",
     .help =
         "the CLIP model: a safetensors, PyTorch (.pt, .pth, .bin) or GGUF file, or the name of one that "
         "'lancet pull' has fetched; default: $LANCET_MODEL, else the one in the user's data folder, else "
         "the one that came with Lancet"},
    {.name = "vocabulary",
     .kind = OPTION_TEXT,
     .offset = offsetof(model_settings, vocabulary),
     .argument = "PATH",
     .help =
         "CLIP's vocabulary (bpe_simple_vocab_16e6.txt.gz, merges.txt, vocab.json, tokenizer.json or a "
         "folder "
         "with one of them); default: in or beside the model, $LANCET_VOCABULARY, the user's data folder"},
    {.name = "activation",
     .kind = OPTION_CHOICE,
     .offset = offsetof(model_settings, activation),
     .argument = "NAME",
     .help = "auto, quickgelu or gelu; default: auto (by the configuration in or beside the model, "
             "else by whose weights they are)",
     .choices = activation_names},
    {.name = "head-width",
     .kind = OPTION_INTEGER,
     .offset = offsetof(model_settings, head_width),
     .argument = "N",
     .help =
         "channels of an attention head; default: by the configuration in or beside the model, else as in "
         "published models of that width",
     .low = 1,
     .high = 4096},
    {.name = "text-head-width",
     .kind = OPTION_INTEGER,
     .offset = offsetof(model_settings, text_head_width),
     .argument = "N",
     .help = "the same for the text tower alone; default: as --head-width",
     .low = 1,
     .high = 4096},
    {.name = "precision",
     .kind = OPTION_CHOICE,
     .offset = offsetof(model_settings, precision),
     .argument = "NAME",
     .help =
         "what the large products are rounded to: fp32 (default: not at all), bf16 (twice as fast where the "
         "processor has AVX-512 with bfloat16) or int8 (three times); maps differ a little",
     .choices = precision_names},
};

const option picture_options[11] = {
    {.name = "side",
     .kind = OPTION_INTEGER,
     .offset = offsetof(picture_settings, side),
     .argument = "N",
     .help = "pictures are resized to N x N pixels; default: the model's own side",
     .low = 1,
     .high = LANCET_PICTURE_SIDE_MAX},
    {.name = "size",
     .kind = OPTION_SIZE,
     .offset = offsetof(picture_settings, size),
     .argument = "WxH",
     .help = "or: to W x H pixels",
     .low = 1,
     .high = LANCET_PICTURE_SIDE_MAX},
    {.name = "short-side",
     .kind = OPTION_INTEGER,
     .offset = offsetof(picture_settings, short_side),
     .argument = "N",
     .help = "or: the shorter side to N pixels and the other by the picture's shape, each rounded to whole "
             "patches",
     .low = 1,
     .high = LANCET_PICTURE_SIDE_MAX},
    {.name = "mean",
     .kind = OPTION_TRIPLE,
     .offset = offsetof(picture_settings, mean),
     .argument = "R,G,B",
     .help = "subtracted from the colours (0 to 1); default: the model's",
     .low = -1e6,
     .high = 1e6},
    {.name = "std",
     .kind = OPTION_TRIPLE,
     .offset = offsetof(picture_settings, deviation),
     .argument = "R,G,B",
     .help = "then divided by; default: the model's",
     .low = 1e-6,
     .high = 1e6},
    {.name = "ignore-orientation",
     .kind = OPTION_FLAG,
     .offset = offsetof(picture_settings, ignore_orientation),
     .help = "take pixels as they are stored, whatever EXIF says (as Pillow does)"},
    {.name = "path",
     .kind = OPTION_CHOICE,
     .offset = offsetof(picture_settings, path),
     .argument = "NAME",
     .help = "surgery (default): CLIP Surgery's second path; plain: CLIP as trained",
     .choices = path_names},
    {.name = "surgery-last",
     .kind = OPTION_INTEGER,
     .offset = offsetof(picture_settings, surgery_last),
     .argument = "N",
     .help = "surgery on the last N blocks; default: 6",
     .low = 1,
     .high = 1000},
    {.name = "surgery-start",
     .kind = OPTION_INTEGER,
     .offset = offsetof(picture_settings, surgery_start),
     .argument = "D",
     .help = "or: surgery from block D on, the first being 1 (the paper's d)",
     .low = 1,
     .high = 1000},
    {.name = "rn-attn",
     .kind = OPTION_CHOICE,
     .offset = offsetof(picture_settings, pool_attention),
     .argument = "NAME",
     .help =
         "surgery on a ResNet's attention pool: vv (default), as the published code, or vv-norm8, values of "
         "unit length and eight times as sharp",
     .choices = pool_attention_names},
    {.name = "rn-cls",
     .kind = OPTION_CHOICE,
     .offset = offsetof(picture_settings, pool_class),
     .argument = "NAME",
     .help = "its class token: qk (default), CLIP's own, or vv, as the published code",
     .choices = pool_class_names},
};

int picture_check(const picture_settings *settings)
{
    if ((settings->side != 0) + (settings->size.width != 0) + (settings->short_side != 0) > 1)
        return report_usage("--side, --size and --short-side all say how large; give one");
    if (settings->surgery_last && settings->surgery_start)
        return report_usage("--surgery-last and --surgery-start say the same thing; give one");
    return EXIT_DONE;
}

const char *way_name(lancet_path path)
{
    if (path <= LANCET_PATH_PLAIN)
        return path_names[path];
    for (size_t i = 0; i < lancet_method_count(); i++)
        if (lancet_method_at(i)->path == path)
            return lancet_method_at(i)->name;
    return "";
}

static const lancet_method *find_method(const char *name)
{
    const lancet_method *found = lancet_method_find(name);
    const char *names[64], *nearest;
    size_t count = 0;

    for (; count < lancet_method_count() && count < sizeof names / sizeof *names; count++)
        names[count] = lancet_method_at(count)->name;
    nearest = found ? NULL : options_nearest(name, names, count);
    if (!found && nearest)
        report_usage("--method: there is no '%s'; did you mean '%s'? 'lancet methods' lists them", name,
                     nearest);
    else if (!found)
        report_usage("--method: there is no '%s'; 'lancet methods' lists them", name);
    return found;
}

bool method_choose(const char *name, int *path, int *redundant, bool *reversed)
{
    const lancet_method *method;

    *reversed = false;
    if (!name)
        return true;
    method = find_method(name);
    if (!method)
        return false;
    if (*path != LANCET_PATH_SURGERY || *redundant != LANCET_REDUNDANT_AUTO) {
        report_usage("--method decides --path and --redundant; give it or them");
        return false;
    }
    *path = method->path;
    *redundant = method->redundant;
    *reversed = method->reversed;
    return true;
}

lancet_feature_options feature_options(const picture_settings *settings, const lancet_model *model)
{
    const lancet_model_description *about = lancet_model_describe(model);
    lancet_feature_options options = {
        .path = (lancet_path)settings->path,
        .side = settings->side,
        .width = settings->size.width,
        .height = settings->size.height,
        .short_side = settings->short_side,
        .surgery_last = settings->surgery_last,
        .surgery_start = settings->surgery_start,
        .pool_attention = (lancet_pool_attention)settings->pool_attention,
        .pool_class = (lancet_pool_class)settings->pool_class,
    };

    if (settings->mean.given || settings->deviation.given) {
        memcpy(options.mean, settings->mean.given ? settings->mean.values : about->mean, sizeof options.mean);
        memcpy(options.deviation, settings->deviation.given ? settings->deviation.values : about->deviation,
               sizeof options.deviation);
    }
    return options;
}

int texts_read(texts *list, const char *path)
{
    const bool is_stdin = strcmp(path, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "r");
    int status = EXIT_DONE;
    size_t capacity = 0, number = 0;
    char *line = NULL;
    ssize_t length;

    if (!file)
        return report_problem(LANCET_ERROR_IO, "%s: %s", path, strerror(errno));
    errno = 0;
    while (status == EXIT_DONE && (length = getline(&line, &capacity, file)) >= 0) {
        number++;
        if (length && line[length - 1] == '\n')
            line[--length] = '\0';
        if (length && line[length - 1] == '\r')
            line[--length] = '\0';
        if (strlen(line) != (size_t)length)
            status = report_problem(LANCET_ERROR_INPUT, "%s: line %zu: expected text, found a zero byte",
                                    path, number);
        else if (line[strspn(line, " \t")] && !texts_add(list, line))
            status = report_memory();
    }
    if (status == EXIT_DONE && ferror(file))
        status = report_problem(LANCET_ERROR_IO, "%s: %s", path, strerror(errno));
    free(line);
    if (!is_stdin)
        fclose(file);
    return status;
}

void report_lost(const lancet_labels *labels)
{
    for (size_t i = 0; i < lancet_labels_count(labels); i++) {
        const char *lost = lancet_labels_lost(labels, i);

        if (lost)
            report_note("text %zu is longer than the model reads; lost: \"%s\"", i + 1, lost);
    }
}
