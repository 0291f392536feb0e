/* NUS-Wide: which of 81 concepts a picture shows, without saying where. SPDX-License-Identifier: Apache-2.0
 */
#include "eval/dataset.h"
#include "eval/lines.h"
#include "eval/places.h"

#include <string.h>

/* One bit for each concept of each picture; the pictures' `first` is their row. */
typedef struct labels {
    size_t row_bytes;
    uint8_t *bits; /* [count, row_bytes] */
} labels;

static const char *const picture_folders[] = {"Flickr", "images", "Image", NULL};

static lancet_status recognise(const lancet_dataset_source *source, lancet_buffer *evidence,
                               lancet_error *error)
{
    static const char list[] = "ImageList/TestImagelist.txt";
    bool has;
    lancet_status status = lancet_place_has(&has, source->folder, list, error);

    if (has)
        lancet_buffer_print(evidence, "%s/%s", source->folder, list);
    return status;
}

static void close_labels(void *state)
{
    lancet_free(((labels *)state)->bits);
    lancet_free(state);
}

/* Names are written as on Windows, "actor\0001_2124494179.jpg". */
static lancet_status add_picture(lancet_dataset *dataset, const char *folder, const lancet_lines *lines,
                                 lancet_error *error)
{
    char name[LANCET_LINE_MAX + 1];
    lancet_dataset_entry *entry;
    lancet_status status;

    memcpy(name, lines->line, lines->length);
    name[lines->length] = '\0';
    for (char *c = name; *c; c++)
        if (*c == '\\')
            *c = '/';
    entry =
        lancet_dataset_add(dataset, name, lancet_place_stem(name, lancet_picture_endings), &status, error);
    if (!entry)
        return status;
    entry->first = dataset->count - 1;
    if (!lancet_place_inside(name, lines->length))
        return lancet_dataset_trouble(
            dataset, entry, error,
            "%s: line %zu: expected the name of a picture within the data set, found "
            "\"%.200s\"",
            lines->path, lines->number, name);
    entry->picture = lancet_path_join(folder, name);
    return entry->picture ? LANCET_OK : lancet_fail_memory(error, "a list of pictures");
}

static lancet_status read_pictures(lancet_dataset *dataset, const char *list, const char *folder,
                                   lancet_error *error)
{
    lancet_lines lines;
    lancet_status status = lancet_lines_open(&lines, list, error);

    while (lancet_lines_next(&lines, &status, error))
        if (lines.length)
            status = add_picture(dataset, folder, &lines, error);
    lancet_lines_close(&lines);
    return status;
}

/* A line a picture, "1" or "0". Without all of them there is no telling which line is whose. */
static lancet_status read_concept(lancet_dataset *dataset, labels *l, size_t concept, const char *path,
                                  lancet_error *error)
{
    lancet_lines lines;
    lancet_status status = lancet_lines_open(&lines, path, error);
    size_t row = 0;

    while (lancet_lines_next(&lines, &status, error)) {
        if (!lines.length)
            continue;
        if (lines.length != 1 || (lines.line[0] != '0' && lines.line[0] != '1'))
            status = lancet_fail(error, LANCET_ERROR_INPUT, "%s: line %zu: expected 0 or 1, found \"%.*s\"",
                                 path, lines.number, lines.length < 40 ? (int)lines.length : 40, lines.line);
        else if (row < dataset->count && lines.line[0] == '1')
            l->bits[row * l->row_bytes + concept / 8] |= (uint8_t)(1u << concept % 8);
        row++;
    }
    lancet_lines_close(&lines);
    if (status == LANCET_OK && row != dataset->count)
        status =
            lancet_fail(error, LANCET_ERROR_INPUT, "%s: expected %zu lines, as many as pictures, found %zu",
                        path, dataset->count, row);
    return status;
}

static lancet_status read_concepts(lancet_dataset *dataset, labels *l, const char *folder, const char *part,
                                   lancet_error *error)
{
    lancet_status status = LANCET_OK;

    l->row_bytes = (dataset->classes->count + 7) / 8;
    l->bits = lancet_allocate_zero(dataset->count, l->row_bytes);
    if (!l->bits)
        return lancet_fail_memory(error, "the labels of pictures");
    for (size_t c = 0; c < dataset->classes->count && status == LANCET_OK; c++) {
        const char *concept = dataset->classes->classes[c].name;
        lancet_buffer name = {0};
        char *path;

        if (strchr(concept, '/'))
            return lancet_fail(error, LANCET_ERROR_INPUT, "the concept \"%s\": no file can be called by it",
                               concept);
        lancet_buffer_print(&name, "TrainTestLabels/Labels_%s_%s.txt", concept, part);
        path = name.failed ? NULL : lancet_path_join(folder, name.bytes);
        lancet_buffer_close(&name);
        status = path ? read_concept(dataset, l, c, path, error) : lancet_fail_memory(error, "a file name");
        lancet_free(path);
    }
    return status;
}

/* "test" is "Test" in the names of files. */
static lancet_status find_part(const char **part, const lancet_dataset_source *source, lancet_error *error)
{
    const char *split = source->options->split;

    *part = !split || strcmp(split, "test") == 0 ? "Test" : strcmp(split, "train") == 0 ? "Train" : NULL;
    return *part ? LANCET_OK
                 : lancet_fail(error, LANCET_ERROR_ARGUMENT,
                               "split: expected test or train for NUS-Wide, found \"%s\"", split);
}

static lancet_status find_pictures(char **folder, const lancet_dataset_source *source, lancet_error *error)
{
    const char *const own[] = {source->options->pictures, NULL};
    lancet_status status =
        lancet_place_first(folder, source->folder, own[0] ? own : picture_folders, true, error);

    if (status == LANCET_OK && !*folder)
        status =
            lancet_fail(error, LANCET_ERROR_ARGUMENT, "%s: expected the pictures in a folder %s, found none",
                        source->folder, own[0] ? own[0] : "Flickr or images");
    return status;
}

static lancet_status open(lancet_dataset *dataset, const lancet_dataset_source *source, lancet_error *error)
{
    const char *part = NULL;
    char *pictures = NULL, *list = NULL;
    lancet_buffer name = {0};
    lancet_status status = find_part(&part, source, error);

    if (status == LANCET_OK)
        status = find_pictures(&pictures, source, error);
    if (status == LANCET_OK)
        status = lancet_dataset_use_classes(dataset, source, "nus-wide81", error);
    if (status == LANCET_OK) {
        lancet_buffer_print(&name, "ImageList/%sImagelist.txt", part);
        list = name.failed ? NULL : lancet_path_join(source->folder, name.bytes);
        dataset->state = lancet_allocate_zero(1, sizeof(labels));
        if (!list || !dataset->state)
            status = lancet_fail_memory(error, "a list of pictures");
    }
    if (status == LANCET_OK)
        status = read_pictures(dataset, list, pictures, error);
    if (status == LANCET_OK)
        status = read_concepts(dataset, dataset->state, source->folder, part, error);
    if (status == LANCET_OK)
        status = lancet_dataset_check_files(dataset, error);
    if (status == LANCET_OK)
        status = lancet_dataset_say(dataset, LANCET_TEXT_SPLIT,
                                    *part == 'T' && part[1] == 'e' ? "test" : "train", error);
    if (status == LANCET_OK)
        status = lancet_dataset_say(dataset, LANCET_TEXT_ANNOTATIONS, list, error);
    lancet_buffer_close(&name);
    lancet_free(pictures);
    lancet_free(list);
    return status;
}

static lancet_status truth(lancet_truth_work *work, const lancet_dataset *dataset,
                           const lancet_dataset_entry *entry, lancet_error *error)
{
    const labels *l = dataset->state;

    work->present = lancet_allocate(work->class_count, sizeof *work->present);
    if (!work->present)
        return lancet_fail_memory(error, "the classes of a picture");
    for (size_t c = 0; c < work->class_count; c++)
        if (l->bits[entry->first * l->row_bytes + c / 8] >> c % 8 & 1)
            work->present[work->truth.present_count++] = (uint16_t)c;
    return LANCET_OK;
}

const lancet_dataset_reader lancet_reader_nus_wide = {
    .layout = LANCET_LAYOUT_NUS_WIDE,
    .name = "nus-wide",
    .recognise = recognise,
    .open = open,
    .truth = truth,
    .close = close_labels,
};
