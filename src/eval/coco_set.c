/* Which annotation files there are, and where their pictures lie. SPDX-License-Identifier: Apache-2.0 */
#include "eval/coco_set.h"

#include "eval/places.h"

#include <string.h>

static const char *const json_endings[] = {".json", NULL};
static const char *const folders[] = {"annotations", "panoptic_segmentation/annotations", NULL};

/* Keeps the names that lie in the folder itself and have both words (NULL: any). */
static void choose(lancet_listing *names, const char *word, const char *other)
{
    size_t kept = 0;

    for (size_t i = 0; i < names->count; i++) {
        char *name = names->names[i];

        if (!strchr(name, '/') && (!word || strstr(name, word)) && (!other || strstr(name, other)))
            names->names[kept++] = name;
        else
            lancet_free(name);
    }
    names->count = kept;
}

static bool any_has(const lancet_listing *names, const char *word)
{
    for (size_t i = 0; i < names->count; i++)
        if (strstr(names->names[i], word))
            return true;
    return false;
}

lancet_status lancet_coco_recognise(const char *kind, const lancet_dataset_source *source,
                                    lancet_buffer *evidence, lancet_error *error)
{
    lancet_status status = LANCET_OK;

    for (size_t i = 0; folders[i] && !evidence->length && status != LANCET_ERROR_MEMORY; i++) {
        char *path = lancet_path_join(source->folder, folders[i]);
        lancet_listing names = {0};

        if (!path)
            return lancet_fail_memory(error, "a file name");
        if (lancet_place_is_folder(path))
            status = lancet_listing_open(&names, path, json_endings, error);
        choose(&names, kind, NULL);
        if (names.count)
            lancet_buffer_print(evidence, "%s/%s", path, names.names[0]);
        lancet_listing_close(&names);
        lancet_free(path);
    }
    return status == LANCET_ERROR_MEMORY ? status
                                         : LANCET_OK; /* a folder that cannot be read shows nothing */
}

/* The files to read, in `folder`; *split becomes the part they are of, where one had to be chosen. */
static lancet_status choose_files(lancet_listing *names, const char *folder, const char *kind,
                                  const char **split, lancet_error *error)
{
    lancet_status status = lancet_listing_open(names, folder, json_endings, error);

    if (status != LANCET_OK)
        return status;
    choose(names, kind, *split);
    if (!*split && any_has(names, "val"))
        choose(names, *split = "val", NULL);
    else if (!*split && names->count > 1)
        status = lancet_fail(
            error, LANCET_ERROR_ARGUMENT,
            "%s: expected one part of the data set, found %zu files, %s and others: the option split "
            "names a part",
            folder, names->count, names->names[0]);
    if (status == LANCET_OK && !names->count)
        status =
            lancet_fail(error, LANCET_ERROR_ARGUMENT, "%s: expected files *%s%s%s%s.json, found none", folder,
                        kind ? kind : "", kind ? "*" : "", *split ? *split : "", *split ? "*" : "");
    if (status != LANCET_OK)
        lancet_listing_close(names);
    return status;
}

static lancet_status read_file(lancet_dataset *dataset, const char *path, lancet_error *error)
{
    lancet_status status = lancet_coco_read(dataset->state, path, error);

    return status == LANCET_OK ? lancet_dataset_say(dataset, LANCET_TEXT_ANNOTATIONS, path, error) : status;
}

static lancet_status read_files(lancet_dataset *dataset, const char *folder, const char *kind,
                                const lancet_dataset_source *source, lancet_error *error)
{
    const char *split = source->options->split;
    lancet_listing names = {0};
    lancet_status status = choose_files(&names, folder, kind, &split, error);

    for (size_t i = 0; i < names.count && status == LANCET_OK; i++) {
        char *path = lancet_path_join(folder, names.names[i]);

        status = path ? read_file(dataset, path, error) : lancet_fail_memory(error, "a file name");
        lancet_free(path);
    }
    lancet_listing_close(&names);
    if (status == LANCET_OK && split)
        status = lancet_dataset_say(dataset, LANCET_TEXT_SPLIT, split, error);
    return status;
}

static lancet_status find_and_read(lancet_dataset *dataset, const lancet_dataset_source *source,
                                   const char *kind, lancet_error *error)
{
    const char *const own[] = {source->options->annotations, NULL};
    char *folder = NULL;
    lancet_status status = lancet_place_first(&folder, source->folder, own[0] ? own : folders, true, error);

    if (status == LANCET_OK && folder) {
        status = read_files(dataset, folder, own[0] ? NULL : kind, source, error);
    } else if (status == LANCET_OK && own[0]) {
        folder = lancet_place_at(source->folder, own[0]);
        status = folder ? read_file(dataset, folder, error) : lancet_fail_memory(error, "a file name");
    } else if (status == LANCET_OK) {
        status = lancet_fail(error, LANCET_ERROR_ARGUMENT, "%s: expected a folder annotations, found none",
                             source->folder);
    }
    lancet_free(folder);
    return status;
}

/* Of "annotations/instances_val2017.json" val2017, images/val2017 or images. */
static lancet_status find_pictures(char **found, const char *path, const lancet_dataset_source *source,
                                   lancet_error *error)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path, *part = strrchr(name, '_');
    const size_t length = lancet_place_stem(part ? part + 1 : name, json_endings);
    lancet_buffer within = {0};
    lancet_status status = LANCET_OK;

    lancet_buffer_print(&within, "images/%.*s", (int)length, part ? part + 1 : name);
    if (within.failed) {
        status = lancet_fail_memory(error, "a file name");
    } else {
        const char *const names[] = {within.bytes + strlen("images/"), within.bytes, "images", NULL};
        const char *const own[] = {source->options->pictures, NULL};

        status = lancet_place_first(found, source->folder, own[0] ? own : names, true, error);
        if (status == LANCET_OK && !*found)
            status = lancet_fail(error, LANCET_ERROR_ARGUMENT,
                                 "%s: expected the pictures in a folder %s, found none", source->folder,
                                 own[0] ? own[0] : names[0]);
    }
    lancet_buffer_close(&within);
    return status;
}

static lancet_status link_pictures(lancet_dataset *dataset, const lancet_dataset_source *source,
                                   lancet_error *error)
{
    lancet_coco *coco = dataset->state;
    char **pictures = lancet_allocate_zero(coco->file_count, sizeof *pictures);
    lancet_status status = pictures ? LANCET_OK : lancet_fail_memory(error, "file names");

    for (size_t i = 0; status == LANCET_OK && i < coco->file_count; i++)
        status = find_pictures(&pictures[i], coco->files[i].path, source, error);
    if (status == LANCET_OK)
        status = lancet_coco_link(dataset, coco, pictures, error);
    for (size_t i = 0; pictures && i < coco->file_count; i++)
        lancet_free(pictures[i]);
    lancet_free(pictures);
    return status;
}

lancet_status lancet_coco_open(lancet_dataset *dataset, const lancet_dataset_source *source, const char *kind,
                               lancet_error *error)
{
    lancet_coco *coco = lancet_allocate_zero(1, sizeof *coco);
    lancet_status status;

    if (!coco)
        return lancet_fail_memory(error, "the annotations of a data set");
    dataset->state = coco;
    coco->panoptic = strcmp(kind, "panoptic") == 0;
    dataset->about.has_masks = true;
    status = find_and_read(dataset, source, kind, error);
    if (status == LANCET_OK)
        status = lancet_coco_classes(dataset, coco, source, error);
    if (status == LANCET_OK)
        status = link_pictures(dataset, source, error);
    return status;
}

void lancet_coco_close_state(void *state)
{
    lancet_coco_close(state);
    lancet_free(state);
}
