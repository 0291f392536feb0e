/* `lancet verify`: replaying arrays that another implementation wrote. SPDX-License-Identifier: Apache-2.0 */
#include "verify_replay.h"

#include "commands.h"
#include "files.h"
#include "json.h"
#include "progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct verify_settings {
    common_settings common;
    model_settings model;
    bool json;
} verify_settings;

static const option verify_options[] = {
    {.name = "model",
     .letter = 'm',
     .kind = OPTION_TEXT,
     .offset = offsetof(verify_settings, model.path),
     .argument = "FILE",
     .help = "the model to compute with; default: the one in the folder"},
    {.name = "json",
     .kind = OPTION_FLAG,
     .offset = offsetof(verify_settings, json),
     .help = "the table as a JSON object"},
};

/* clang-format off */
static const option_group verify_groups[] = {
    {"Options", verify_options, sizeof verify_options / sizeof *verify_options, 0},
    {"Model", model_options + 1, 5, offsetof(verify_settings, model)}, /* its first is the -m above */
    COMMON_GROUP(verify_settings),
};
/* clang-format on */

static int print_json(const char *folder, const lancet_model *model, json_t *rows, int status)
{
    json_t *object = json_object();
    bool good = object != NULL;

    json_put(&good, object, "lancet", json_words(lancet_version()));
    json_put(&good, object, "folder", json_words(folder));
    json_put(&good, object, "model", model ? json_model(model) : json_null());
    json_put(&good, object, "cosine_least", json_number(VERIFY_COSINE_LEAST));
    json_put(&good, object, "stages", json_incref(rows));
    json_put(&good, object, "status", json_integer(status));
    if (good)
        good = json_print(object) == EXIT_DONE;
    json_decref(object);
    return good ? status : report_memory();
}

/* A failed check weighs more than an array that could not be checked: the status tells of what is sure. */
static int verdict(const size_t counts[5], int first_error, const char *folder)
{
    if (counts[VERIFY_FAIL])
        return EXIT_CHECK_FAILED;
    if (first_error != EXIT_DONE)
        return first_error;
    if (!counts[VERIFY_PASS])
        return report_problem(LANCET_ERROR_INPUT, "%s: expected arrays to check, found none", folder);
    return EXIT_DONE;
}

/* Closes and opens again, after a setting has changed. */
static int reopen_model(verify_replay *replay, lancet_model **model, const verify_settings *settings)
{
    lancet_session_close(&replay->session);
    lancet_model_close(model);
    return model_begin(model, &replay->session, &settings->model, &settings->common, LANCET_TOWERS_BOTH);
}

/* Sets of several models keep one vocabulary for all: in the folder, beside it, or beside the folder that it
 * lies in. *path (to be free()d) stays NULL if it is in none of these. */
static int find_shared_vocabulary(char **path, const char *folder)
{
    static const char *const places[] = {"vocabulary", "../vocabulary", "../../vocabulary"};

    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        *path = path_join(folder, places[i]);
        if (!*path)
            return report_memory();
        if (folder_exists(*path))
            return EXIT_DONE;
        free(*path);
        *path = NULL;
    }
    return EXIT_DONE;
}

/* Opens the model as the folder says that it was run, where the command line does not say otherwise. */
static int open_model(verify_replay *replay, lancet_model **model, verify_settings *settings,
                      const char *folder)
{
    const verify_set *set = replay->set;
    const lancet_model_description *about;
    char *vocabulary = NULL;
    int status;

    if (!settings->model.path)
        settings->model.path = set->model_paths[0];
    if (!settings->model.activation)
        settings->model.activation = set->activation;
    status = model_begin(model, &replay->session, &settings->model, &settings->common, LANCET_TOWERS_BOTH);
    about = lancet_model_describe(*model);
    /* What the model itself, or a configuration beside it, says is tried first: a set may name one width and
     * mean the picture tower's. */
    if (status == EXIT_DONE && set->head_width && !settings->model.head_width && about->vision_heads &&
        about->vision_width / about->vision_heads != set->head_width) {
        settings->model.head_width = set->head_width;
        settings->model.text_head_width = set->text_head_width;
        status = reopen_model(replay, model, settings);
    }
    if (status == EXIT_DONE && !lancet_model_vocabulary(*model) &&
        lancet_model_describe(*model)->vocabulary_size)
        status = find_shared_vocabulary(&vocabulary, folder);
    if (status == EXIT_DONE && vocabulary) {
        settings->model.vocabulary = vocabulary;
        status = reopen_model(replay, model, settings);
        settings->model.vocabulary = NULL;
    }
    free(vocabulary);
    replay->model = *model;
    return status;
}

/* Another of the list's models. What was computed with the one before goes with it. */
static int change_model(verify_replay *replay, lancet_model **model, verify_settings *settings,
                        const char *folder, size_t number)
{
    verify_replay_close(replay);
    lancet_session_close(&replay->session);
    lancet_model_close(model);
    settings->model.path = replay->set->model_paths[number];
    return open_model(replay, model, settings, folder);
}

/* Replays all arrays. A list of one model has it open; of several, one that cannot be opened costs only its
 * own arrays. */
static int verify(verify_settings *settings, verify_replay *replay, lancet_model **model, const char *folder)
{
    const verify_set *set = replay->set;
    const bool one_model = set->model_count == 1;
    size_t counts[5] = {0}, number = one_model ? 0 : SIZE_MAX;
    int opened = EXIT_DONE;
    int first_error = EXIT_DONE, status;
    json_t *rows = json_array();
    bool good = rows != NULL;
    progress bar;

    progress_begin(&bar, "arrays", settings->common.quiet || !settings->json);
    if (!settings->json)
        verify_print_header(set);
    for (size_t i = 0; i < set->array_count && good; i++) {
        const verify_array *array = &set->arrays[i];
        verify_row row = {.name = array->name, .cosine = NAN};

        progress_show(&bar, i, set->array_count, array->name);
        if (array->model != number) {
            number = array->model;
            opened = change_model(replay, model, settings, folder, number);
        }
        status = opened == EXIT_DONE ? verify_replay_array(replay, array, &row)
                                     : verify_broken(&row, opened, "its model could not be opened");
        if (first_error == EXIT_DONE)
            first_error = status;
        counts[row.result]++;
        if (settings->json)
            json_add(&good, rows, verify_row_json(&row));
        else
            verify_print_row(set, &row);
    }
    progress_end(&bar);
    if (good) {
        if (!settings->json)
            verify_print_counts(counts);
        fflush(stdout); /* before the message, if there is one */
        status = verdict(counts, first_error, folder);
        if (settings->json)
            status = print_json(folder, one_model ? replay->model : NULL, rows, status);
    } else {
        status = report_memory();
    }
    json_decref(rows);
    return status;
}

static int run(const command *self, int argc, char **argv)
{
    verify_settings settings = {0};
    texts operands = {0};
    verify_set set = {0};
    lancet_model *model = NULL;
    verify_replay replay = {.set = &set};
    int status;

    if (!options_parse(self, &settings, &operands, argc, argv, &status))
        goto done;
    report_as(self->name, settings.common.quiet);
    if (operands.count != 1) {
        status = report_usage("expected one folder, found %zu", operands.count);
        goto done;
    }
    if (!folder_exists(operands.items[0])) {
        status = report_problem(LANCET_ERROR_IO, "%s: expected a folder, found %s", operands.items[0],
                                file_exists(operands.items[0]) ? "a file" : "nothing");
        goto done;
    }
    status = verify_set_open(&set, operands.items[0]);
    if (status == EXIT_DONE && set.model_count != 1 && settings.model.path)
        status = report_usage("--model: the folder's list names a model for each of its arrays");
    if (status == EXIT_DONE && set.model_count == 1)
        status = open_model(&replay, &model, &settings, operands.items[0]);
    if (status == EXIT_DONE)
        status = verify(&settings, &replay, &model, operands.items[0]);
done:
    verify_replay_close(&replay);
    lancet_session_close(&replay.session);
    lancet_model_close(&model);
    verify_set_close(&set);
    texts_close(&operands);
    return status;
}

const command verify_command = {
    .name = "verify",
    .summary = "Replay arrays from another implementation, and say where the two differ.",
    .usage = "lancet verify FOLDER [options]",
    .about =
        "For anyone who has numbers from PyTorch and wants to know whether Lancet gives the same: dump the "
        "arrays into "
        "a folder, list them, and each is computed again and compared, stage by stage, so that the first "
        "difference "
        "shows where it begins.\n"
        "\n"
        "'max abs' is the largest absolute difference over the expected array's largest magnitude, 'cosine' "
        "the one "
        "between both arrays as a whole. A stage passes if the first is at most 2e-4 (pixels: 1e-6, "
        "attention: "
        "3e-5) and the second at least 0.999999. Tokens and points have to be the same; for them 'max abs' "
        "counts those that are "
        "not.\n"
        "\n"
        "The folder holds the model (open_clip_model.safetensors or model.safetensors, or another one by "
        "-m), pictures in images/ (or "
        "images/ beside "
        "the folder), a vocabulary beside the model or in vocabulary/ (also beside the folder or the one "
        "above), and "
        "manifest.json:\n"
        "  {\"model\": {\"texts\": [\"dog\", ...], \"token_texts\": [\"a photo.\", ...]},\n"
        "   \"images\": {\"park\": {\"file\": \"park.jpg\", \"width\": 500, \"height\": 375}},\n"
        "   \"arrays\": {\"text/tokens\": {\"shape\": [2, 77]}, \"park/224/plain\": {}, ...}}\n"
        "\n"
        "An array lies in its name with .npy behind; \"shape\" is checked if it is there. These are "
        "replayed, with N "
        "tokens (the class token first), C channels, T texts, S the input side in pixels:\n"
        "  text/tokens          [n, 77]         ids of token_texts, then zeros\n"
        "  text/features        [T, C]          each text as it is, not of unit length\n"
        "  text/ensemble        [T, C]          each through the templates, unit length\n"
        "  text/ensemble_empty  [1, C]          the empty string through them\n"
        "  park/224/pixels      [1, 3, S, S]    the picture as the model takes it\n"
        "  park/224/plain       [1, N, C]       features without surgery, all tokens\n"
        "  park/224/class_token [1, C]          the first of them\n"
        "  park/224/surgery     [1, N, C]       features with surgery\n"
        "  park/224/surgery_qk                  a ResNet's: with CLIP's own class token\n"
        "  park/224/surgery_norm8               a ResNet's: with values of unit length\n"
        "  park/224/block_7     [1, N, D]       the residual stream after block 7\n"
        "  park/224/block_7_surgery             the second path's\n"
        "  park/224/attn_raw    [heads, N, N]   the last block's attention, or its mean\n"
        "  park/224/attn_vv     [heads, N, N]   the same of its values\n"
        "  park/224/block_7_attn_raw, _attn_vv  that block's\n"
        "  park/224/similarity  [1, N, T]       over the texts, as the published code\n"
        "  park/224/similarity_paper            the same by Eq. 8-11\n"
        "  park/224/similarity_empty            with the empty string's feature\n"
        "  park/224/map         [1, H, W, T]    of similarity, at any size\n"
        "  park/224/points      in the manifest, \"points\": for each text\n"
        "                       [[[x, y], ...], [1, ..., 0, ...]], of similarity\n"
        "Others are listed as not replayed, and files that are not there as absent. Optional in \"model\": "
        "\"activation\" (\"gelu\" or \"quickgelu\"), \"head_width\", \"text_head_width\", \"mean\", \"std\". "
        "Pictures are taken "
        "as they are "
        "stored, whatever EXIF says, as Pillow does. Side 224 is part of the name; 448x336 is an input of "
        "that "
        "width and height, and 1024x768-224-112 one of that size in windows of 224 every 112 pixels, of "
        "which "
        "similarities, map and points are replayed. What baselines.json lists beside the manifest is "
        "replayed "
        "if it is one of these, in park/224/baselines/.\n"
        "\n"
        "A shorter form is set.json, with \"image\", \"side\", \"texts\" and the optional entries above, "
        "beside "
        "tokens.npy, text.npy, pixels.npy, class_token.npy and surgery.npy.\n"
        "\n"
        "A list of GGUF files is gguf.json, with \"texts\" and \"files\": for each name \"file\" (the "
        "model), "
        "\"text\" and "
        "\"surgery\" (the arrays' files), \"image\" and \"side\".\n"
        "\n"
        "The exit status is 1 if a check failed.",
    .examples = "  lancet verify dump/\n"
                "  lancet verify dump/ -m other/model.safetensors --json\n",
    .groups = verify_groups,
    .group_count = sizeof verify_groups / sizeof *verify_groups,
    .run = run,
};
