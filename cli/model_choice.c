/* Which model is used, and opening it. SPDX-License-Identifier: Apache-2.0 */
#include "common.h"

#include "files.h"
#include "models.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODEL_IN_THE_BOX "lancet-mini.safetensors"
#define KNOWS            "it knows the names in lancet-mini.json beside it"

static const char nothing_found[] =
    "no model: give one with -m, or name it in $LANCET_MODEL, or put it into %s as model.safetensors, or "
    "fetch one (lancet pull --list)";

/* By its name alone: what is in it shows when it is opened. */
static bool is_model_name(const char *name)
{
    static const char *const endings[] = {".safetensors", ".pt", ".pth", ".bin", ".gguf"};

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (text_ends_with(name, endings[i]))
            return true;
    return false;
}

/* Models in the user's data folder: "model.safetensors", or the only one, be it put there or pulled. */
static int choose_in_folder(char **path, const char *folder)
{
    int status = EXIT_DONE;
    texts found = {0};
    DIR *directory = NULL;

    *path = text_print("%s/model.safetensors", folder);
    if (!*path)
        return report_memory();
    if (file_exists(*path))
        return EXIT_DONE;
    free(*path);
    *path = NULL;
    directory = opendir(folder);
    if (!directory)
        return EXIT_DONE;
    status = models_list_fetched(&found);
    for (const struct dirent *entry; status == EXIT_DONE && (entry = readdir(directory));)
        if (is_model_name(entry->d_name) && !texts_take(&found, text_print("%s/%s", folder, entry->d_name)))
            status = report_memory();
    if (found.count == 1) {
        *path = found.items[0];
        found.items[0] = NULL;
    } else if (status == EXIT_DONE && found.count > 1) {
        status =
            report_problem(LANCET_ERROR_ARGUMENT,
                           "%s holds %zu models and none is called model.safetensors; choose one with -m",
                           folder, found.count);
    }
    texts_close(&found);
    closedir(directory);
    return status;
}

int model_resolve(char **path, const char *name)
{
    const model_source *source = models_find(name);
    char *folder = NULL, *near = NULL;
    int status = EXIT_DONE;

    *path = NULL;
    if (source && folder_exists(name)) /* lancet pull --to . */
        status = models_fetched(path, source, name);
    if (source && !*path && status == EXIT_DONE && (!file_exists(name) || folder_exists(name))) {
        folder = models_folder(source, NULL);
        status = folder ? models_fetched(path, source, folder) : report_memory();
        if (status == EXIT_DONE && !*path)
            status = report_problem(LANCET_ERROR_IO,
                                    "%s: no such file, and the model of that name has not been fetched yet: "
                                    "lancet pull %s",
                                    name, source->name);
        free(folder);
    }
    if (status != EXIT_DONE || *path)
        return status;
    if (!file_exists(name)) {
        status = models_near(&near, name);
        if (near)
            status =
                report_problem(LANCET_ERROR_IO, "%s: no such file or model; did you mean %s?", name, near);
        free(near);
    }
    if (status == EXIT_DONE) {
        *path = text_print("%s", name);
        status = *path ? EXIT_DONE : report_memory();
    }
    return status;
}

/* The model that came with Lancet: where it is installed, or in the source tree that holds the build folder.
 * *path stays NULL if it is in neither. */
static int choose_in_box(char **path)
{
    static const char *const places[] = {"/../share/lancet/" MODEL_IN_THE_BOX,
                                         "/../models/" MODEL_IN_THE_BOX};
    char program[4096];
    const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    char *slash;

#ifdef LANCET_MODEL_FOLDER
    if (file_exists(LANCET_MODEL_FOLDER "/" MODEL_IN_THE_BOX)) {
        *path = text_print("%s", LANCET_MODEL_FOLDER "/" MODEL_IN_THE_BOX);
        return *path ? EXIT_DONE : report_memory();
    }
#endif
    if (length <= 0)
        return EXIT_DONE;
    program[length] = '\0';
    slash = strrchr(program, '/');
    if (slash)
        *slash = '\0';
    for (size_t i = 0; slash && i < sizeof places / sizeof *places; i++) {
        *path = text_print("%s%s", program, places[i]);
        if (!*path)
            return report_memory();
        if (file_exists(*path))
            return EXIT_DONE;
        free(*path);
        *path = NULL;
    }
    return EXIT_DONE;
}

int model_choose(char **path, const char **origin, bool report_missing)
{
    const char *named = getenv("LANCET_MODEL");
    char *folder = NULL;
    int status;

    *path = NULL;
    *origin = "$LANCET_MODEL";
    if (named && *named)
        return model_resolve(path, named);
    folder = data_folder();
    if (!folder)
        return report_memory();
    *origin = "the user's data folder";
    status = choose_in_folder(path, folder);
    /* A variable that is set and empty says that nothing but the user's own models is wanted. */
    if (status == EXIT_DONE && !*path && !named) {
        *origin = "came with Lancet: " KNOWS;
        status = choose_in_box(path);
    }
    if (status == EXIT_DONE && !*path) {
        status = LANCET_ERROR_ARGUMENT;
        if (report_missing)
            report_usage(nothing_found, folder);
    }
    free(folder);
    return status;
}

int model_begin(lancet_model **model, lancet_session **session, const model_settings *settings,
                const common_settings *common, lancet_towers towers)
{
    const lancet_model_options options = {
        .activation = (lancet_activation)settings->activation,
        .precision = (lancet_precision)settings->precision,
        .towers = towers,
        .vocabulary = settings->vocabulary,
        .head_width = settings->head_width,
        .text_head_width = settings->text_head_width,
    };
    const lancet_session_options session_options = {.threads = common->threads};
    const char *origin = NULL;
    char *path = NULL;
    lancet_error error;
    int status;

    status = settings->path ? model_resolve(&path, settings->path) : model_choose(&path, &origin, true);
    if (status != EXIT_DONE)
        return status;
    if (origin)
        report_note("model %s (%s)", path, origin);
    if (lancet_model_open(model, path, &options, &error) != LANCET_OK ||
        (session && lancet_session_open(session, *model, &session_options, &error) != LANCET_OK))
        status = report_error(&error);
    /* No tensor reveals the activation, and the wrong one gives maps that only look right. */
    if (status == EXIT_DONE && session &&
        strncmp(lancet_model_describe(*model)->activation_origin, "assumed", 7) == 0)
        report_note("activation %s (%s); --activation sets it",
                    activation_names[lancet_model_describe(*model)->activation],
                    lancet_model_describe(*model)->activation_origin);
    free(path);
    return status;
}
