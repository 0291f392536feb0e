/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/label_maps.h"

#include "base/file.h"
#include "eval/lines.h"
#include "eval/places.h"

#include <stdlib.h>
#include <string.h>

/* A place with the split put in and the options heeded, as paths. All NULL until found. */
typedef struct found_place {
    const lancet_label_place *place;
    char *pictures, *masks, *list;
} found_place;

static void close_found(found_place *found)
{
    lancet_free(found->pictures);
    lancet_free(found->masks);
    lancet_free(found->list);
    *found = (found_place){0};
}

/* `folder`/`name` with "%s" replaced by `part`; NULL if memory is out. */
static char *resolve(const char *folder, const char *name, const char *part)
{
    const char *gap = strstr(name, "%s");
    lancet_buffer whole = {0};
    char *path;

    if (gap)
        lancet_buffer_print(&whole, "%.*s%s%s", (int)(gap - name), name, part, gap + 2);
    else
        lancet_buffer_print(&whole, "%s", name);
    path = whole.failed                    ? NULL
           : strcmp(whole.bytes, ".") == 0 ? lancet_copy_text(folder, strlen(folder))
                                           : lancet_place_at(folder, whole.bytes);
    lancet_buffer_close(&whole);
    return path;
}

static bool has_part(const lancet_label_place *place)
{
    return strstr(place->pictures, "%s") || strstr(place->masks, "%s") ||
           (place->list && strstr(place->list, "%s"));
}

static lancet_status resolve_place(found_place *found, const lancet_label_place *place, const char *part,
                                   const lancet_dataset_source *source, lancet_error *error)
{
    const lancet_dataset_options *o = source->options;

    found->place = place;
    found->pictures = o->pictures ? lancet_place_at(source->folder, o->pictures)
                                  : resolve(source->folder, place->pictures, part);
    found->masks =
        o->masks ? lancet_place_at(source->folder, o->masks) : resolve(source->folder, place->masks, part);
    if (place->list)
        found->list = resolve(source->folder, place->list, part);
    if (!found->pictures || !found->masks || (place->list && !found->list))
        return lancet_fail_memory(error, "a file name");
    return LANCET_OK;
}

static lancet_status list_masks(lancet_listing *listing, const found_place *found, lancet_error *error)
{
    const char *const own[] = {found->place->mask_ending, NULL};

    return lancet_listing_open(listing, found->masks, own[0] ? own : lancet_mask_endings, error);
}

/* A folder that cannot be read is not there. */
static lancet_status see(bool *there, const found_place *found, lancet_error *error)
{
    lancet_listing listing;
    lancet_status status;

    *there = lancet_place_is_folder(found->pictures) && lancet_place_is_folder(found->masks) &&
             (!found->list || lancet_file_exists(found->list));
    if (!*there || !found->place->look)
        return LANCET_OK;
    status = list_masks(&listing, found, error);
    *there = status == LANCET_OK && listing.count;
    lancet_listing_close(&listing);
    return status == LANCET_ERROR_MEMORY ? status : LANCET_OK;
}

/* The first place that is there with that part; with NULL the first of those without parts. */
static lancet_status find_with(found_place *found, const lancet_label_maps *maps, const char *part,
                               bool common, const lancet_dataset_source *source, lancet_error *error)
{
    for (size_t i = 0; i < maps->place_count; i++) {
        lancet_status status;
        bool there = false;

        if (has_part(&maps->places[i]) != (part != NULL) || (maps->places[i].common && !common))
            continue;
        status = resolve_place(found, &maps->places[i], part, source, error);
        if (status == LANCET_OK)
            status = see(&there, found, error);
        if (there)
            return status;
        close_found(found);
        if (status != LANCET_OK)
            return status;
    }
    return LANCET_OK;
}

/* The only list that a folder of lists has; NULL if there are none, or more. */
static lancet_status only_list(char **part, const lancet_label_maps *maps,
                               const lancet_dataset_source *source, lancet_error *error)
{
    static const char *const endings[] = {".txt", NULL};
    lancet_status status = LANCET_OK;

    *part = NULL;
    for (size_t i = 0; i < maps->place_count && !*part && status == LANCET_OK; i++) {
        const lancet_label_place *place = &maps->places[i];
        lancet_listing listing = {0};
        char *path;

        if (!place->list || place->common || !has_part(place))
            continue;
        path = resolve(source->folder, place->list, "");
        if (!path)
            return lancet_fail_memory(error, "a file name");
        *strrchr(path, '/') = '\0';
        if (lancet_place_is_folder(path))
            status = lancet_listing_open(&listing, path, endings, error);
        if (status == LANCET_OK && listing.count == 1) {
            *part = lancet_copy_text(listing.names[0], strlen(listing.names[0]) - 4);
            if (!*part)
                status = lancet_fail_memory(error, "the name of a list");
        }
        lancet_listing_close(&listing);
        lancet_free(path);
    }
    return status;
}

/* *found with its place NULL if nothing fits; *part is the split it was found with, to lancet_free, or NULL.
 */
static lancet_status find(found_place *found, char **part, const lancet_label_maps *maps, const char *asked,
                          bool common, const lancet_dataset_source *source, lancet_error *error)
{
    const char *const one[] = {asked, NULL};
    lancet_status status = LANCET_OK;

    *part = NULL;
    for (const char *const *p = asked ? one : maps->parts; *p && !found->place && status == LANCET_OK; p++) {
        status = find_with(found, maps, *p, common, source, error);
        if (status == LANCET_OK && found->place) {
            *part = lancet_copy_text(*p, strlen(*p));
            status = *part ? LANCET_OK : lancet_fail_memory(error, "the name of a part");
        }
    }
    if (found->place || status != LANCET_OK || asked)
        return status;
    if (maps->parts[0]) /* else parts are optional, and no list is one unless it is asked for */
        status = only_list(part, maps, source, error);
    if (status == LANCET_OK && *part)
        status = find_with(found, maps, *part, common, source, error);
    if (status == LANCET_OK && !found->place)
        status = find_with(found, maps, NULL, common, source, error);
    return status;
}

lancet_status lancet_label_maps_recognise(const lancet_label_maps *maps, const lancet_dataset_source *source,
                                          lancet_buffer *evidence, lancet_error *error)
{
    found_place found = {0};
    char *part = NULL;
    lancet_status status = find(&found, &part, maps, NULL, false, source, error);

    if (found.place)
        lancet_buffer_print(evidence, "%s%s%s", found.list ? found.list : found.masks,
                            found.place->look ? "/*" : "", found.place->look ? found.place->mask_ending : "");
    close_found(&found);
    lancet_free(part);
    return status;
}

static const char *const *picture_endings(const lancet_label_place *place, const char *const own[2])
{
    return place->picture_ending ? own : lancet_picture_endings;
}

/* The picture's file, whatever its ending; the first ending's name if there is none. */
static char *find_picture(const found_place *found, const char *id)
{
    const char *const own[] = {found->place->picture_ending, NULL};
    char *first = NULL;

    for (const char *const *ending = picture_endings(found->place, own); *ending; ending++) {
        lancet_buffer name = {0};
        char *path;

        lancet_buffer_print(&name, "%s%s", id, *ending);
        path = name.failed ? NULL : lancet_path_join(found->pictures, name.bytes);
        lancet_buffer_close(&name);
        if (!path || lancet_file_exists(path)) {
            lancet_free(first);
            return path;
        }
        if (first)
            lancet_free(path);
        else
            first = path;
    }
    return first;
}

static char *mask_of(const found_place *found, const char *id)
{
    lancet_buffer name = {0};
    char *path;

    lancet_buffer_print(&name, "%s%s", id, found->place->mask_ending ? found->place->mask_ending : ".png");
    path = name.failed ? NULL : lancet_path_join(found->masks, name.bytes);
    lancet_buffer_close(&name);
    return path;
}

static lancet_status read_id(lancet_dataset *dataset, const found_place *found, const lancet_lines *lines,
                             lancet_error *error)
{
    lancet_dataset_entry *entry;
    lancet_status status;

    if (!lines->length)
        return LANCET_OK;
    if (!lancet_place_inside(lines->line, lines->length))
        return lancet_dataset_trouble(
            dataset, NULL, error,
            "%s: line %zu: expected the name of a picture within the data set, found "
            "\"%.*s\"",
            lines->path, lines->number, lines->length < 200 ? (int)lines->length : 200, lines->line);
    entry = lancet_dataset_add(dataset, lines->line, lines->length, &status, error);
    if (!entry)
        return status;
    entry->picture = find_picture(found, entry->id);
    entry->mask = mask_of(found, entry->id);
    return entry->picture && entry->mask ? LANCET_OK : lancet_fail_memory(error, "a list of pictures");
}

static lancet_status read_list(lancet_dataset *dataset, const found_place *found, lancet_error *error)
{
    lancet_lines lines;
    lancet_status status = lancet_lines_open(&lines, found->list, error);

    while (lancet_lines_next(&lines, &status, error))
        status = read_id(dataset, found, &lines, error);
    lancet_lines_close(&lines);
    return status;
}

/* A file of a listing and how much of its name is the id. */
typedef struct named_file {
    const char *name;
    size_t length;
} named_file;

static int compare_ids(const named_file *a, const named_file *b)
{
    const size_t shorter = a->length < b->length ? a->length : b->length;
    const int order = memcmp(a->name, b->name, shorter);

    return order ? order : a->length < b->length ? -1 : a->length > b->length;
}

static int compare_files(const void *left, const void *right)
{
    const int order = compare_ids(left, right);

    return order ? order : strcmp(((const named_file *)left)->name, ((const named_file *)right)->name);
}

static named_file *name_files(const lancet_listing *listing, const char *const *endings)
{
    named_file *files = lancet_allocate(listing->count, sizeof *files);

    for (size_t i = 0; files && i < listing->count; i++)
        files[i] = (named_file){listing->names[i], lancet_place_stem(listing->names[i], endings)};
    if (files && listing->count)
        qsort(files, listing->count, sizeof *files, compare_files);
    return files;
}

/* An entry of a picture, a mask or both; either may be NULL. */
static lancet_status add_pair(lancet_dataset *dataset, const found_place *found, const named_file *picture,
                              const named_file *mask, lancet_error *error)
{
    const named_file *either = picture ? picture : mask;
    lancet_status status;
    lancet_dataset_entry *entry = lancet_dataset_add(dataset, either->name, either->length, &status, error);

    if (!entry)
        return status;
    entry->picture =
        picture ? lancet_path_join(found->pictures, picture->name) : find_picture(found, entry->id);
    entry->mask = mask ? lancet_path_join(found->masks, mask->name) : mask_of(found, entry->id);
    return entry->picture && entry->mask ? LANCET_OK : lancet_fail_memory(error, "a list of pictures");
}

/* Walks both sorted lists at once. */
static lancet_status pair(lancet_dataset *dataset, const found_place *found, const named_file *pictures,
                          size_t picture_count, const named_file *masks, size_t mask_count,
                          lancet_error *error)
{
    lancet_status status = LANCET_OK;

    for (size_t p = 0, m = 0; status == LANCET_OK && (p < picture_count || m < mask_count);) {
        const int order = p == picture_count ? 1
                          : m == mask_count  ? -1
                                             : compare_ids(&pictures[p], &masks[m]);

        /* a second picture of the same name takes no mask and is found out later, by its id */
        status =
            add_pair(dataset, found, order <= 0 ? &pictures[p] : NULL, order >= 0 ? &masks[m] : NULL, error);
        p += order <= 0;
        m += order >= 0;
    }
    return status;
}

static lancet_status read_folders(lancet_dataset *dataset, const found_place *found, lancet_error *error)
{
    const char *const own[] = {found->place->picture_ending, NULL};
    const char *const own_mask[] = {found->place->mask_ending, NULL};
    lancet_listing pictures = {0}, masks = {0};
    named_file *picture_files = NULL, *mask_files = NULL;
    lancet_status status;

    status = lancet_listing_open(&pictures, found->pictures, picture_endings(found->place, own), error);
    if (status == LANCET_OK)
        status = list_masks(&masks, found, error);
    if (status == LANCET_OK) {
        picture_files = name_files(&pictures, picture_endings(found->place, own));
        mask_files = name_files(&masks, own_mask[0] ? own_mask : lancet_mask_endings);
        status = picture_files && mask_files
                     ? pair(dataset, found, picture_files, pictures.count, mask_files, masks.count, error)
                     : lancet_fail_memory(error, "a list of pictures");
    }
    lancet_free(picture_files);
    lancet_free(mask_files);
    lancet_listing_close(&pictures);
    lancet_listing_close(&masks);
    return status;
}

/* Says what was looked for, in the words of the first place. */
static lancet_status fail_missing(const lancet_label_maps *maps, const lancet_dataset_source *source,
                                  lancet_error *error)
{
    const char *part = source->options->split ? source->options->split : maps->parts[0] ? maps->parts[0] : "";
    const lancet_label_place *place = maps->places;
    found_place wanted = {0};
    lancet_status status;

    while (source->options->split && !has_part(place) && place + 1 < maps->places + maps->place_count)
        place++;
    status = resolve_place(&wanted, place, part, source, error);
    if (status == LANCET_OK)
        status = lancet_fail(error, LANCET_ERROR_ARGUMENT, "%s: expected pictures in %s, masks in %s%s%s%s",
                             source->folder, wanted.pictures, wanted.masks,
                             wanted.list ? " and their names in " : "", wanted.list ? wanted.list : "",
                             ", found not all of them");
    close_found(&wanted);
    return status;
}

lancet_status lancet_label_maps_open(const lancet_label_maps *maps, lancet_dataset *dataset,
                                     const lancet_dataset_source *source, const lancet_label_place **place,
                                     lancet_error *error)
{
    found_place found = {0};
    char *part = NULL;
    lancet_status status = find(&found, &part, maps, source->options->split, true, source, error);

    if (status == LANCET_OK && !found.place)
        status = fail_missing(maps, source, error);
    if (status == LANCET_OK && part)
        status = lancet_dataset_say(dataset, LANCET_TEXT_SPLIT, part, error);
    if (status == LANCET_OK && found.list)
        status = lancet_dataset_say(dataset, LANCET_TEXT_ANNOTATIONS, found.list, error);
    if (status == LANCET_OK)
        status = found.list ? read_list(dataset, &found, error) : read_folders(dataset, &found, error);
    if (status == LANCET_OK)
        status = lancet_dataset_check_files(dataset, error);
    if (place)
        *place = found.place;
    dataset->about.has_masks = true;
    close_found(&found);
    lancet_free(part);
    return status;
}
