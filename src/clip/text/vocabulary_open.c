/* Finding and opening vocabulary files. SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "clip/text/vocabulary_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What a folder is searched for, the most telling first. */
static const char *const file_names[] = {"tokenizer.json", "vocab.json", "merges.txt",
                                         "bpe_simple_vocab_16e6.txt.gz", "bpe_simple_vocab_16e6.txt"};

static const char advice[] =
    "no vocabulary found. Put CLIP's bpe_simple_vocab_16e6.txt.gz (or a tokenizer.json, or "
    "vocab.json with merges.txt) into one of these places, or name the file yourself";

static bool is_folder(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

/* The file that goes with one of this kind; NULL if none can. */
static const char *companion(lancet_vocabulary_kind kind)
{
    switch (kind) {
    case LANCET_VOCABULARY_MERGES_TEXT:
        return "vocab.json";
    case LANCET_VOCABULARY_JSON:
        return "merges.txt";
    default:
        return NULL;
    }
}

static lancet_status open_file(lancet_vocabulary **vocabulary, const char *path, lancet_error *error)
{
    lancet_mapping mapping = {0}, mapping_beside = {0};
    lancet_bytes file, beside = {0};
    const char *name;
    char *path_beside = NULL;
    lancet_status status = lancet_mapping_open(&mapping, path, error);

    if (status != LANCET_OK)
        return status;
    file = (lancet_bytes){path, (const char *)mapping.bytes, mapping.length};
    name = companion(lancet_vocabulary_recognise(&file));
    if (name) {
        path_beside = lancet_path_beside(path, name);
        if (!path_beside) {
            status = lancet_fail_memory(error, "a file name");
            goto done;
        }
        if (lancet_file_exists(path_beside)) {
            status = lancet_mapping_open(&mapping_beside, path_beside, error);
            if (status != LANCET_OK)
                goto done;
            beside = (lancet_bytes){path_beside, (const char *)mapping_beside.bytes, mapping_beside.length};
        }
    }
    status = lancet_vocabulary_read(vocabulary, &file, beside.name ? &beside : NULL, error);
done:
    lancet_mapping_close(&mapping);
    lancet_mapping_close(&mapping_beside);
    lancet_free(path_beside);
    return status;
}

/* Opens what a folder has. *found stays false, and all is well, if it has nothing. */
static lancet_status open_in_folder(lancet_vocabulary **vocabulary, bool *found, const char *folder,
                                    lancet_error *error)
{
    for (size_t i = 0; i < sizeof file_names / sizeof *file_names; i++) {
        lancet_status status;
        char *path = lancet_path_join(folder, file_names[i]);

        if (!path)
            return lancet_fail_memory(error, "a file name");
        if (lancet_file_exists(path)) {
            *found = true;
            status = open_file(vocabulary, path, error);
            lancet_free(path);
            return status;
        }
        lancet_free(path);
    }
    return LANCET_OK;
}

lancet_status lancet_vocabulary_open(lancet_vocabulary **vocabulary, const char *path, lancet_error *error)
{
    lancet_status status;
    bool found = false;

    if (!vocabulary)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "lancet_vocabulary_open: expected a place for the result");
    *vocabulary = NULL;
    if (!path)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "lancet_vocabulary_open: expected a path, found NULL");
    if (!is_folder(path))
        return open_file(vocabulary, path, error);
    status = open_in_folder(vocabulary, &found, path, error);
    if (status == LANCET_OK && !found)
        status = lancet_fail(
            error, LANCET_ERROR_IO,
            "%s: expected a vocabulary in this folder (tokenizer.json, vocab.json with merges.txt, "
            "merges.txt or bpe_simple_vocab_16e6.txt.gz), found none",
            path);
    return status;
}

/* The user's data folder of Lancet, added to `folder`; empty if the system names none. */
static bool data_folder(lancet_buffer *folder)
{
    const char *data = getenv("XDG_DATA_HOME");
    const char *home = getenv("HOME");

    if (data && *data)
        return lancet_buffer_print(folder, "%s/lancet", data);
    if (home && *home)
        return lancet_buffer_print(folder, "%s/.local/share/lancet", home);
    return lancet_buffer_append(folder, "", 0);
}

/* The folder of a model: itself, or the one that its file lies in ("." for a bare name). */
static bool model_folder(lancet_buffer *folder, const char *model_path)
{
    const char *slash = strrchr(model_path, '/');

    if (is_folder(model_path))
        return lancet_buffer_append(folder, model_path, strlen(model_path));
    if (!slash)
        return lancet_buffer_append(folder, ".", 1);
    return lancet_buffer_append(folder, model_path, slash == model_path ? 1 : (size_t)(slash - model_path));
}

/* Looks into `folder` and, if it has nothing, adds it to the places that were looked at. */
static lancet_status try_folder(lancet_vocabulary **vocabulary, bool *found, lancet_buffer *places,
                                const char *folder, lancet_error *error)
{
    const lancet_status status = open_in_folder(vocabulary, found, folder, error);

    if (status == LANCET_OK && !*found && !lancet_buffer_print(places, "%s; ", folder))
        return lancet_fail_memory(error, "a message");
    return status;
}

/* The one inside a model's file. *found stays false, and all is well, if there is none. */
static lancet_status open_inside(lancet_vocabulary **vocabulary, bool *found,
                                 const lancet_checkpoint *checkpoint, lancet_error *error)
{
    const char *text = lancet_checkpoint_metadata(checkpoint, LANCET_VOCABULARY_KEY);
    const char *path = lancet_checkpoint_path(checkpoint);
    lancet_buffer name = {0};
    lancet_status status;
    char *own_path;

    if (!text)
        return LANCET_OK;
    *found = true;
    own_path = lancet_copy_text(path, strlen(path));
    if (!lancet_buffer_print(&name, "%s: %s", path, LANCET_VOCABULARY_KEY) || !own_path) {
        status = lancet_fail_memory(error, "a file name");
        goto done;
    }
    status = lancet_vocabulary_read(vocabulary, &(lancet_bytes){name.bytes, text, strlen(text)}, NULL, error);
    if (status == LANCET_OK) {
        lancet_free((*vocabulary)->path);
        (*vocabulary)->path = own_path;
        own_path = NULL;
    }
done:
    lancet_free(own_path);
    lancet_buffer_close(&name);
    return status;
}

/* Where no one has named a vocabulary, and the model holds none. */
static lancet_status find_outside(lancet_vocabulary **vocabulary, const char *model_path, lancet_error *error)
{
    const char *variable = getenv("LANCET_VOCABULARY");
    lancet_buffer folder = {0}, places = {0};
    lancet_status status = LANCET_OK;
    bool found = false;

    if (model_path) {
        if (!model_folder(&folder, model_path)) {
            status = lancet_fail_memory(error, "a file name");
            goto done;
        }
        status = try_folder(vocabulary, &found, &places, folder.bytes, error);
        if (found || status != LANCET_OK)
            goto done;
    }
    if (variable && *variable) {
        status = lancet_vocabulary_open(vocabulary, variable, error);
        if (status != LANCET_OK)
            status = lancet_fail_within(error, status, "$LANCET_VOCABULARY");
        goto done;
    }
    lancet_buffer_clear(&folder);
    if (!lancet_buffer_print(&places, "$LANCET_VOCABULARY (not set); ") || !data_folder(&folder)) {
        status = lancet_fail_memory(error, "a file name");
        goto done;
    }
    if (folder.length)
        status = try_folder(vocabulary, &found, &places, folder.bytes, error);
    if (status == LANCET_OK && !found) {
        places.bytes[places.length - 2] = '\0'; /* the last "; " */
        status = lancet_fail(error, LANCET_ERROR_IO, "%s: %s", advice, places.bytes);
    }
done:
    lancet_buffer_close(&folder);
    lancet_buffer_close(&places);
    return status;
}

lancet_status lancet_vocabulary_find_for(lancet_vocabulary **vocabulary, const char *path,
                                         const lancet_checkpoint *checkpoint, const char *model_path,
                                         lancet_error *error)
{
    lancet_status status;
    bool found = false;

    *vocabulary = NULL;
    if (path)
        return lancet_vocabulary_open(vocabulary, path, error);
    status = open_inside(vocabulary, &found, checkpoint, error);
    return found ? status : find_outside(vocabulary, model_path, error);
}

lancet_status lancet_vocabulary_find(lancet_vocabulary **vocabulary, const char *path, const char *model_path,
                                     lancet_error *error)
{
    lancet_checkpoint *checkpoint = NULL;
    lancet_status status;

    if (!vocabulary)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "lancet_vocabulary_find: expected a place for the result");
    *vocabulary = NULL;
    if (path)
        return lancet_vocabulary_open(vocabulary, path, error);
    if (!model_path || is_folder(model_path))
        return find_outside(vocabulary, model_path, error);
    /* A model that cannot be opened is nothing to this search but a folder to look into. */
    status = lancet_checkpoint_open(&checkpoint, model_path, error);
    if (status == LANCET_ERROR_MEMORY)
        return status;
    status = checkpoint ? lancet_vocabulary_find_for(vocabulary, NULL, checkpoint, model_path, error)
                        : find_outside(vocabulary, model_path, error);
    lancet_checkpoint_close(&checkpoint);
    return status;
}
