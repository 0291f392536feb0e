/* Categories as classes, images as entries, and whose the annotations are. SPDX-License-Identifier:
 * Apache-2.0 */
#include "eval/coco_set.h"

#include "eval/places.h"
#include "lancet/masks.h"

#include <stdlib.h>
#include <string.h>

#define NOWHERE SIZE_MAX /* an annotation that counts for no picture */

static int compare_sizes(size_t a, size_t b)
{
    return a < b ? -1 : a > b;
}

/* ---- Categories ---- */

static int compare_categories(const void *left, const void *right)
{
    const lancet_coco_category *const *a = left, *const *b = right;

    return (*a)->id != (*b)->id ? compare_sizes((*a)->id, (*b)->id) : *a < *b ? -1 : *a > *b;
}

/* Appends `length` bytes of a stuff's name in the order in which it is said: "wall-brick" as "brick wall". */
static void say_backwards(lancet_buffer *out, const char *name, size_t length)
{
    size_t end = length;

    while (end) {
        size_t start = end;

        while (start && name[start - 1] != '-')
            start--;
        lancet_buffer_print(out, "%s%.*s", out->length ? " " : "", (int)(end - start), name + start);
        end = start ? start - 1 : 0;
    }
}

/* COCO's names of stuff are for sorting: what "-merged", "-other" and "-stuff" say is of no use in a prompt.
 */
static lancet_status word_stuff(lancet_classes *classes, size_t index, lancet_error *error)
{
    static const char *const endings[] = {"-merged", "-other", "-stuff", NULL};
    const char *name = classes->classes[index].name;
    size_t length = strlen(name), before;
    lancet_buffer word = {0};
    lancet_status status;

    do {
        before = length;
        for (const char *const *ending = endings; *ending; ending++)
            if (length > strlen(*ending) &&
                strncmp(name + length - strlen(*ending), *ending, strlen(*ending)) == 0)
                length -= strlen(*ending);
    } while (length < before);
    say_backwards(&word, name, length);
    status = word.failed ? lancet_fail_memory(error, "the words of a class")
                         : lancet_classes_reword(classes, index, word.bytes, error);
    lancet_buffer_close(&word);
    return status;
}

static lancet_status add_category(lancet_classes *classes, const lancet_coco_category *category,
                                  lancet_error *error)
{
    const size_t index = classes->count;
    lancet_status status;

    if (category->id > LANCET_VALUES_MAX)
        return lancet_fail(error, LANCET_ERROR_INPUT, "expected a category id of at most %d, found %zu",
                           LANCET_VALUES_MAX, category->id);
    status = lancet_classes_add(classes, category->name, strlen(category->name), error);
    if (status == LANCET_OK)
        status = lancet_classes_set(classes, (uint32_t)category->id, (uint16_t)index, error);
    if (status == LANCET_OK && category->thing >= 0)
        classes->classes[index].kind = category->thing ? LANCET_CLASS_THING : LANCET_CLASS_STUFF;
    if (status == LANCET_OK && category->thing == 0)
        status = word_stuff(classes, index, error);
    return status;
}

static lancet_status make_classes(lancet_classes *classes, const lancet_coco *coco, lancet_error *error)
{
    const lancet_coco_category **sorted = lancet_allocate(coco->category_count, sizeof *sorted);
    lancet_status status = LANCET_OK;

    if (!sorted)
        return lancet_fail_memory(error, "the categories");
    for (size_t i = 0; i < coco->category_count; i++)
        sorted[i] = &coco->categories[i];
    if (coco->category_count)
        qsort(sorted, coco->category_count, sizeof *sorted, compare_categories);
    for (size_t i = 0; i < coco->category_count && status == LANCET_OK; i++) {
        const lancet_coco_category *c = sorted[i], *last = i ? sorted[i - 1] : NULL;

        if (!last || c->id != last->id)
            status = add_category(classes, c, error);
        else if (strcmp(c->name, last->name) != 0)
            status =
                lancet_fail(error, LANCET_ERROR_INPUT, "the category %zu is both \"%.100s\" and \"%.100s\"",
                            c->id, last->name, c->name);
    }
    lancet_free(sorted);
    if (status == LANCET_OK && !classes->count)
        status = lancet_fail(error, LANCET_ERROR_INPUT, "expected categories, found none");
    return status;
}

/* A list by another name, if it is one that is known: so that reports call the classes alike. */
static bool same_classes(const lancet_classes *a, const lancet_classes *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->classes[i].value != b->classes[i].value ||
            strcmp(a->classes[i].words[0], b->classes[i].words[0]) != 0)
            return false;
    return true;
}

static lancet_status use_known(lancet_dataset *dataset, const char *name, lancet_error *error)
{
    lancet_classes *known = NULL;
    lancet_status status = lancet_classes_open(&known, name, error);

    if (status == LANCET_OK && same_classes(dataset->classes, known)) {
        lancet_classes *own = dataset->classes;

        dataset->classes = known;
        known = own;
    }
    lancet_classes_close(&known);
    return status;
}

lancet_status lancet_coco_classes(lancet_dataset *dataset, const lancet_coco *coco,
                                  const lancet_dataset_source *source, lancet_error *error)
{
    lancet_status status;

    if (source->options->classes)
        return lancet_dataset_use_classes(dataset, source, "", error);
    status = lancet_classes_create(&dataset->classes, "categories of the annotations", error);
    if (status != LANCET_OK)
        return status;
    status = make_classes(dataset->classes, coco, error);
    if (status == LANCET_ERROR_INPUT)
        return lancet_fail_within(error, status, coco->files[0].path);
    return status == LANCET_OK ? use_known(dataset, coco->panoptic ? "coco-panoptic133" : "coco80", error)
                               : status;
}

/* ---- Images ---- */

static int compare_images(const void *left, const void *right)
{
    const lancet_coco_image *a = left, *b = right;

    return a->id != b->id ? compare_sizes(a->id, b->id) : compare_sizes(a->file, b->file);
}

static lancet_status add_image(lancet_dataset *dataset, const lancet_coco *coco,
                               const lancet_coco_image *image, char *const *folders, lancet_error *error)
{
    const size_t length = strlen(image->file_name);
    lancet_status status;
    lancet_dataset_entry *entry =
        lancet_dataset_add(dataset, image->file_name,
                           lancet_place_stem(image->file_name, lancet_picture_endings), &status, error);

    if (!entry)
        return status;
    entry->width = image->width;
    entry->height = image->height;
    if (!lancet_place_inside(image->file_name, length))
        return lancet_dataset_trouble(
            dataset, entry, error,
            "%s: image %zu: expected the name of a file within the data set, found \"%.200s\"",
            coco->files[image->file].path, image->id, image->file_name);
    entry->picture = lancet_path_join(folders[image->file], image->file_name);
    if (!entry->picture)
        return lancet_fail_memory(error, "a list of pictures");
    if (!image->width || !image->height || image->width > LANCET_MASK_PIXELS_MAX ||
        image->height > LANCET_MASK_PIXELS_MAX / image->width)
        return lancet_dataset_trouble(
            dataset, entry, error,
            "%s: image %zu: expected at least one and at most %zu pixels, found %zu x %zu",
            coco->files[image->file].path, image->id, LANCET_MASK_PIXELS_MAX, image->width, image->height);
    return LANCET_OK;
}

static bool same_image(const lancet_coco_image *a, const lancet_coco_image *b)
{
    return a->width == b->width && a->height == b->height && strcmp(a->file_name, b->file_name) == 0;
}

/* Afterwards images[i] is entries[i]'s, in rising order of ids, without those that came again. */
static lancet_status add_images(lancet_dataset *dataset, lancet_coco *coco, char *const *folders,
                                lancet_error *error)
{
    lancet_status status = LANCET_OK;
    size_t kept = 0;

    if (coco->image_count)
        qsort(coco->images, coco->image_count, sizeof *coco->images, compare_images);
    for (size_t i = 0; i < coco->image_count; i++) {
        lancet_coco_image *image = &coco->images[i], *last = kept ? &coco->images[kept - 1] : NULL;

        if (!last || image->id != last->id) {
            if (status == LANCET_OK)
                status = add_image(dataset, coco, image, folders, error);
            coco->images[kept++] = *image;
            continue;
        }
        if (status == LANCET_OK && (image->file == last->file || !same_image(image, last)))
            status =
                lancet_dataset_trouble(dataset, &dataset->entries[kept - 1], error,
                                       "%s: the image %zu is there twice%s", coco->files[image->file].path,
                                       image->id, image->file == last->file ? "" : ", as different pictures");
        lancet_free(image->file_name);
    }
    coco->image_count = kept;
    return status;
}

/* ---- Annotations ---- */

static size_t find_image(const lancet_coco *coco, size_t id)
{
    size_t low = 0, high = coco->image_count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (coco->images[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < coco->image_count && coco->images[low].id == id ? low : NOWHERE;
}

static bool knows(const lancet_dataset *dataset, size_t category)
{
    return category <= LANCET_VALUES_MAX &&
           lancet_classes_label(dataset->classes, (uint32_t)category) != LANCET_LABEL_UNKNOWN;
}

/* Puts the image's place for its id, and sees that categories are known. */
static lancet_status place_annotation(lancet_dataset *dataset, lancet_coco *coco, lancet_coco_annotation *a,
                                      lancet_error *error)
{
    const char *path = coco->files[a->file].path;
    const size_t id = a->image;
    lancet_status status = LANCET_OK;

    a->image = find_image(coco, id);
    if (a->image == NOWHERE)
        return lancet_dataset_trouble(
            dataset, NULL, error, "%s: annotations[%zu]: expected the id of an image, found the image_id %zu",
            path, a->number, id);
    if (!coco->panoptic && !knows(dataset, a->category))
        return lancet_dataset_trouble(
            dataset, &dataset->entries[a->image], error,
            "%s: annotations[%zu]: expected the id of a category, found the category_id %zu", path, a->number,
            a->category);
    for (size_t i = a->first; i < a->first + a->count && status == LANCET_OK; i++)
        if (!knows(dataset, coco->segments[i].category))
            status = lancet_dataset_trouble(
                dataset, &dataset->entries[a->image], error,
                "%s: annotations[%zu]: segment %zu: expected the id of a category, found the category_id %zu",
                path, a->number, coco->segments[i].id, coco->segments[i].category);
    return status;
}

/* Instances are known by their ids, panoptic maps by their image. */
static size_t identity(const lancet_coco *coco, const lancet_coco_annotation *a)
{
    return coco->panoptic ? a->image : a->id;
}

static int compare_identities(const void *left, const void *right)
{
    const lancet_coco_annotation *a = left, *b = right;

    /* of panoptic maps the ids are all zero, of instances they decide before the image does */
    if (a->id != b->id)
        return compare_sizes(a->id, b->id);
    if (a->image != b->image)
        return compare_sizes(a->image, b->image);
    return a->file != b->file ? compare_sizes(a->file, b->file) : compare_sizes(a->number, b->number);
}

static lancet_status drop_repeated(lancet_dataset *dataset, lancet_coco *coco, lancet_error *error)
{
    lancet_status status = LANCET_OK;
    size_t kept = 0; /* the last one that was not dropped */

    if (coco->annotation_count)
        qsort(coco->annotations, coco->annotation_count, sizeof *coco->annotations, compare_identities);
    for (size_t i = 1; i < coco->annotation_count && status == LANCET_OK; i++) {
        lancet_coco_annotation *a = &coco->annotations[i], *last = &coco->annotations[kept];

        if (a->image == NOWHERE || last->image == NOWHERE || identity(coco, a) != identity(coco, last)) {
            kept = i;
        } else if (a->file != last->file && a->image == last->image && a->category == last->category &&
                   a->crowd == last->crowd) {
            a->image = NOWHERE; /* the same one, which two files have */
        } else {
            status = lancet_dataset_trouble(dataset, &dataset->entries[a->image], error,
                                            "%s: annotations[%zu]: the %s %zu is there twice",
                                            coco->files[a->file].path, a->number,
                                            coco->panoptic ? "map of image" : "annotation",
                                            coco->panoptic ? coco->images[a->image].id : a->id);
            if (status == LANCET_OK) /* what is skipped is skipped on both sides */
                status = lancet_dataset_trouble(dataset, &dataset->entries[last->image], error,
                                                "%s: annotations[%zu]: the %s %zu is there twice",
                                                coco->files[last->file].path, last->number,
                                                coco->panoptic ? "map of image" : "annotation",
                                                coco->panoptic ? coco->images[last->image].id : last->id);
        }
    }
    return status;
}

static int compare_places(const void *left, const void *right)
{
    const lancet_coco_annotation *a = left, *b = right;

    if (a->image != b->image)
        return compare_sizes(a->image, b->image);
    return a->file != b->file ? compare_sizes(a->file, b->file) : compare_sizes(a->number, b->number);
}

/* Each entry's annotations become one stretch, in the order of the files. */
static void give_annotations(lancet_dataset *dataset, lancet_coco *coco)
{
    if (coco->annotation_count)
        qsort(coco->annotations, coco->annotation_count, sizeof *coco->annotations, compare_places);
    for (size_t i = 0; i < coco->annotation_count && coco->annotations[i].image != NOWHERE; i++) {
        lancet_dataset_entry *entry = &dataset->entries[coco->annotations[i].image];

        if (!entry->count++)
            entry->first = i;
    }
}

lancet_status lancet_coco_link(lancet_dataset *dataset, lancet_coco *coco, char *const *folders,
                               lancet_error *error)
{
    lancet_status status = add_images(dataset, coco, folders, error);

    for (size_t i = 0; i < coco->annotation_count && status == LANCET_OK; i++)
        status = place_annotation(dataset, coco, &coco->annotations[i], error);
    if (status == LANCET_OK)
        status = drop_repeated(dataset, coco, error);
    if (status == LANCET_OK)
        give_annotations(dataset, coco);
    return status;
}
