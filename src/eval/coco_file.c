/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/coco_file.h"

#include "checkpoint/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define KEY_SIZE       32
#define NAME_SIZE      1100 /* a little more than any that is taken, so that longer ones are seen to be */
#define LIST_COUNT_MAX ((size_t)1 << 28)

/* One file while it is walked. After a problem of the JSON everything returns false; what is wrong beyond it
 * is in `error` at once. */
typedef struct walk {
    lancet_coco *coco;
    lancet_json json;
    const char *name; /* of the file, for messages */
    const char *list; /* "images", ...: where in the file; NULL: in none of them */
    size_t number;    /* entry of that list */
    lancet_status status;
    lancet_error *error;
} walk;

static bool fail(walk *w, const char *message)
{
    if (w->status == LANCET_OK)
        w->status = w->list ? lancet_fail(w->error, LANCET_ERROR_INPUT, "%s: %s[%zu]: %s", w->name, w->list,
                                          w->number, message)
                            : lancet_fail(w->error, LANCET_ERROR_INPUT, "%s: %s", w->name, message);
    return false;
}

static bool fail_memory(walk *w)
{
    if (w->status == LANCET_OK)
        w->status = lancet_fail_memory(w->error, "the annotations of a data set");
    return false;
}

/* Room for one more of `size` bytes; false if memory is out. */
static bool grow(walk *w, void **entries, size_t count, size_t *capacity, size_t size)
{
    size_t wanted;
    void *grown;

    if (count < *capacity)
        return true;
    if (count >= LIST_COUNT_MAX)
        return fail(w, "more entries than are ever read");
    wanted = *capacity ? 2 * *capacity : 64;
    grown = lancet_allocate(wanted, size);
    if (!grown)
        return fail_memory(w);
    if (count)
        memcpy(grown, *entries, count * size);
    lancet_free(*entries);
    *entries = grown;
    *capacity = wanted;
    return true;
}

/* A text without a zero in it and not too long. */
static bool read_name(walk *w, char **name, const char *too_long)
{
    char text[NAME_SIZE];
    size_t length;

    if (!lancet_json_string(&w->json, text, sizeof text, &length))
        return false;
    if (length >= sizeof text)
        return fail(w, too_long);
    lancet_free(*name);
    *name = lancet_copy_text(text, length);
    return *name || fail_memory(w);
}

/* Files have 0 and 1, and some false and true. */
static bool read_flag(walk *w, bool *flag)
{
    size_t number = 0;

    if (lancet_json_peek(&w->json) == LANCET_JSON_BOOLEAN)
        return lancet_json_boolean(&w->json, flag);
    if (!lancet_json_size(&w->json, &number))
        return false;
    if (number > 1)
        return fail(w, "expected a flag of 0 or 1, found a larger number");
    *flag = number;
    return true;
}

/* Which members an entry had, a bit each, so that one that is missing or there twice is seen. */
typedef struct members {
    unsigned seen;
} members;

/* Whether `key` is the `bit`th known one; one that comes again is an error. */
static bool is_key(walk *w, members *m, const char *key, const char *known, unsigned bit)
{
    if (strcmp(key, known) != 0)
        return false;
    if (m->seen >> bit & 1) {
        char message[KEY_SIZE + 32];

        snprintf(message, sizeof message, "%s is there twice", known);
        fail(w, message);
    }
    m->seen |= 1u << bit;
    return true;
}

static bool need(walk *w, const members *m, unsigned bit, const char *known)
{
    char message[KEY_SIZE + 48];

    if (w->json.problem || w->status != LANCET_OK)
        return false;
    if (m->seen >> bit & 1)
        return true;
    snprintf(message, sizeof message, "expected %s, found none", known);
    return fail(w, message);
}

static bool going(const walk *w)
{
    return w->status == LANCET_OK && !w->json.problem;
}

static bool read_category(walk *w)
{
    lancet_coco *coco = w->coco;
    lancet_coco_category *c;
    char key[KEY_SIZE];
    members m = {0};
    bool flag;

    if (!lancet_json_enter(&w->json, LANCET_JSON_OBJECT) ||
        !grow(w, (void **)&coco->categories, coco->category_count, &coco->category_capacity, sizeof *c))
        return false;
    c = &coco->categories[coco->category_count++];
    *c = (lancet_coco_category){.thing = -1};
    for (bool first = true; going(w) && lancet_json_key(&w->json, &first, key, sizeof key, NULL);) {
        if (is_key(w, &m, key, "id", 0)) {
            lancet_json_size(&w->json, &c->id);
        } else if (is_key(w, &m, key, "name", 1)) {
            read_name(w, &c->name, "expected a name of at most 1024 bytes, found a longer one");
        } else if (is_key(w, &m, key, "isthing", 2)) {
            if (read_flag(w, &flag))
                c->thing = flag;
        } else {
            lancet_json_skip(&w->json);
        }
    }
    return need(w, &m, 0, "id") && need(w, &m, 1, "name");
}

static bool read_image(walk *w)
{
    lancet_coco *coco = w->coco;
    lancet_coco_image *i;
    char key[KEY_SIZE];
    members m = {0};

    if (!lancet_json_enter(&w->json, LANCET_JSON_OBJECT) ||
        !grow(w, (void **)&coco->images, coco->image_count, &coco->image_capacity, sizeof *i))
        return false;
    i = &coco->images[coco->image_count++];
    *i = (lancet_coco_image){.file = coco->file_count - 1};
    for (bool first = true; going(w) && lancet_json_key(&w->json, &first, key, sizeof key, NULL);) {
        if (is_key(w, &m, key, "id", 0))
            lancet_json_size(&w->json, &i->id);
        else if (is_key(w, &m, key, "file_name", 1))
            read_name(w, &i->file_name, "expected a file_name of at most 1024 bytes, found a longer one");
        else if (is_key(w, &m, key, "width", 2))
            lancet_json_size(&w->json, &i->width);
        else if (is_key(w, &m, key, "height", 3))
            lancet_json_size(&w->json, &i->height);
        else
            lancet_json_skip(&w->json);
    }
    return need(w, &m, 0, "id") && need(w, &m, 1, "file_name") && need(w, &m, 2, "width") &&
           need(w, &m, 3, "height");
}

static bool read_segment(walk *w)
{
    lancet_coco *coco = w->coco;
    lancet_coco_segment *s;
    char key[KEY_SIZE];
    members m = {0};

    if (!lancet_json_enter(&w->json, LANCET_JSON_OBJECT) ||
        !grow(w, (void **)&coco->segments, coco->segment_count, &coco->segment_capacity, sizeof *s))
        return false;
    s = &coco->segments[coco->segment_count++];
    *s = (lancet_coco_segment){0};
    for (bool first = true; going(w) && lancet_json_key(&w->json, &first, key, sizeof key, NULL);) {
        if (is_key(w, &m, key, "id", 0))
            lancet_json_size(&w->json, &s->id);
        else if (is_key(w, &m, key, "category_id", 1))
            lancet_json_size(&w->json, &s->category);
        else if (is_key(w, &m, key, "iscrowd", 2))
            read_flag(w, &s->crowd);
        else
            lancet_json_skip(&w->json);
    }
    return need(w, &m, 0, "the id of a segment") && need(w, &m, 1, "the category_id of a segment");
}

static bool read_segments(walk *w, lancet_coco_annotation *a)
{
    a->first = w->coco->segment_count;
    if (!lancet_json_enter(&w->json, LANCET_JSON_ARRAY))
        return false;
    for (bool first = true; going(w) && lancet_json_item(&w->json, &first);)
        read_segment(w);
    a->count = w->coco->segment_count - a->first;
    return going(w);
}

/* Where the shape is; it is walked once to see that it ends. */
static bool keep_shape(walk *w, lancet_coco_annotation *a)
{
    lancet_json_peek(&w->json);
    a->shape = w->json.bytes + w->json.at;
    if (!lancet_json_skip(&w->json))
        return false;
    a->shape_length = (size_t)(w->json.bytes + w->json.at - a->shape);
    return true;
}

static bool check_annotation(walk *w, const members *m)
{
    if (!need(w, m, 1, "image_id"))
        return false;
    if (w->coco->panoptic)
        return need(w, m, 5, "file_name") && need(w, m, 6, "segments_info");
    return need(w, m, 0, "id") && need(w, m, 2, "category_id") && need(w, m, 4, "segmentation");
}

static bool read_annotation(walk *w)
{
    lancet_coco *coco = w->coco;
    lancet_coco_annotation *a;
    char key[KEY_SIZE];
    members m = {0};

    if (!lancet_json_enter(&w->json, LANCET_JSON_OBJECT) ||
        !grow(w, (void **)&coco->annotations, coco->annotation_count, &coco->annotation_capacity, sizeof *a))
        return false;
    a = &coco->annotations[coco->annotation_count++];
    *a = (lancet_coco_annotation){.file = coco->file_count - 1, .number = w->number};
    for (bool first = true; going(w) && lancet_json_key(&w->json, &first, key, sizeof key, NULL);) {
        if (!coco->panoptic && is_key(w, &m, key, "id", 0))
            lancet_json_size(&w->json, &a->id);
        else if (is_key(w, &m, key, "image_id", 1))
            lancet_json_size(&w->json, &a->image);
        else if (is_key(w, &m, key, "category_id", 2))
            lancet_json_size(&w->json, &a->category);
        else if (is_key(w, &m, key, "iscrowd", 3))
            read_flag(w, &a->crowd);
        else if (is_key(w, &m, key, "segmentation", 4))
            keep_shape(w, a);
        else if (coco->panoptic && is_key(w, &m, key, "file_name", 5))
            read_name(w, &a->file_name, "expected a file_name of at most 1024 bytes, found a longer one");
        else if (coco->panoptic && is_key(w, &m, key, "segments_info", 6))
            read_segments(w, a);
        else
            lancet_json_skip(&w->json);
    }
    return check_annotation(w, &m);
}

static bool read_list(walk *w, const char *list, bool (*read)(walk *))
{
    w->list = list;
    if (!lancet_json_enter(&w->json, LANCET_JSON_ARRAY))
        return false;
    w->number = 0;
    for (bool first = true; going(w) && lancet_json_item(&w->json, &first); w->number++)
        if (!read(w))
            return false;
    w->list = NULL;
    return going(w);
}

static void read_top(walk *w)
{
    char key[KEY_SIZE];
    members m = {0};

    if (lancet_json_enter(&w->json, LANCET_JSON_OBJECT))
        for (bool first = true; going(w) && lancet_json_key(&w->json, &first, key, sizeof key, NULL);) {
            if (is_key(w, &m, key, "images", 0))
                read_list(w, "images", read_image);
            else if (is_key(w, &m, key, "annotations", 1))
                read_list(w, "annotations", read_annotation);
            else if (is_key(w, &m, key, "categories", 2))
                read_list(w, "categories", read_category);
            else
                lancet_json_skip(&w->json);
        }
    if (going(w))
        lancet_json_end(&w->json);
    w->list = NULL;
    (void)(need(w, &m, 0, "a list of images") && need(w, &m, 1, "a list of annotations") &&
           need(w, &m, 2, "a list of categories"));
}

lancet_status lancet_coco_read_memory(lancet_coco *coco, const char *bytes, size_t length, const char *name,
                                      lancet_error *error)
{
    walk w = {.coco = coco, .json = {.bytes = bytes, .length = length}, .name = name, .error = error};
    char *path = lancet_copy_text(name, strlen(name));

    if (!path ||
        !grow(&w, (void **)&coco->files, coco->file_count, &coco->file_capacity, sizeof *coco->files)) {
        lancet_free(path);
        return lancet_fail_memory(error, "the annotations of a data set");
    }
    coco->files[coco->file_count++] = (lancet_coco_file){.path = path};
    read_top(&w);
    if (w.status == LANCET_OK && w.json.problem)
        w.status =
            lancet_fail(error, LANCET_ERROR_INPUT, "%s: byte %zu: %s", name, w.json.at, w.json.problem);
    return w.status;
}

lancet_status lancet_coco_read(lancet_coco *coco, const char *path, lancet_error *error)
{
    lancet_mapping mapping;
    lancet_status status = lancet_mapping_open(&mapping, path, error);
    const size_t number = coco->file_count;

    if (status != LANCET_OK)
        return status;
    status = lancet_coco_read_memory(coco, (const char *)mapping.bytes, mapping.length, path, error);
    if (coco->file_count > number)
        coco->files[number].mapping = mapping; /* closed with the rest */
    else
        lancet_mapping_close(&mapping);
    return status;
}

void lancet_coco_close(lancet_coco *coco)
{
    for (size_t i = 0; i < coco->category_count; i++)
        lancet_free(coco->categories[i].name);
    for (size_t i = 0; i < coco->image_count; i++)
        lancet_free(coco->images[i].file_name);
    for (size_t i = 0; i < coco->annotation_count; i++)
        lancet_free(coco->annotations[i].file_name);
    for (size_t i = 0; i < coco->file_count; i++) {
        lancet_free(coco->files[i].path);
        lancet_mapping_close(&coco->files[i].mapping);
    }
    lancet_free(coco->files);
    lancet_free(coco->categories);
    lancet_free(coco->images);
    lancet_free(coco->annotations);
    lancet_free(coco->segments);
    *coco = (lancet_coco){0};
}
