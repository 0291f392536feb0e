/* Reading a folder that `lancet verify` replays. The lists are a stranger's: every step says what it
 * expected. SPDX-License-Identifier: Apache-2.0 */
#include "verify_list.h"

#include "files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MAX   ((size_t)64 << 20)
#define ARRAYS_MAX 100000

int verify_list_malformed(const verify_source *s, const char *where, const char *expected)
{
    return report_problem(LANCET_ERROR_INPUT, "%s: %s: expected %s", s->path, where, expected);
}

/* Whether a name from the list stays inside the folder it is looked for in. */
bool verify_list_is_inside(const char *name)
{
    if (!*name || *name == '/')
        return false;
    for (const char *at = name; at; at = strchr(at, '/')) {
        at += *at == '/';
        if (strncmp(at, "..", 2) == 0 && (at[2] == '/' || !at[2]))
            return false;
    }
    return true;
}

int verify_list_texts(const verify_source *s, texts *list, const json_t *array, const char *where)
{
    const json_t *item;
    size_t i;

    if (!array)
        return EXIT_DONE;
    if (!json_is_array(array))
        return verify_list_malformed(s, where, "a list of texts");
    json_array_foreach(array, i, item)
    {
        if (!json_is_string(item))
            return verify_list_malformed(s, where, "texts only");
        if (!texts_add(list, json_string_value(item)))
            return report_memory();
    }
    return EXIT_DONE;
}

static int read_triple(const verify_source *s, option_triple *triple, const json_t *array, const char *where)
{
    if (!array)
        return EXIT_DONE;
    for (size_t i = 0; i < 3; i++) {
        const json_t *number = json_array_get(array, i);

        if (!json_is_number(number) || json_array_size(array) != 3)
            return verify_list_malformed(s, where, "three numbers");
        triple->values[i] = (float)json_number_value(number);
    }
    triple->given = true;
    return EXIT_DONE;
}

static int read_head_width(const verify_source *s, int *width, const json_t *object, const char *key)
{
    const json_t *number = json_object_get(object, key);

    if (!number)
        return EXIT_DONE;
    if (!json_is_integer(number) || json_integer_value(number) < 1 || json_integer_value(number) > 4096)
        return verify_list_malformed(s, key, "a whole number from 1 to 4096");
    *width = (int)json_integer_value(number);
    return EXIT_DONE;
}

/* One of `names`, which is counted from 0; stays what it is if the folder does not say. */
static int read_choice(const verify_source *s, int *choice, const json_t *object, const char *key,
                       const char *const *names)
{
    const json_t *said = json_object_get(object, key);
    const char *name = json_string_value(said);
    char expected[64];

    for (int i = 0; name && names[i]; i++)
        if (strcmp(name, names[i]) == 0) {
            *choice = i;
            return EXIT_DONE;
        }
    snprintf(expected, sizeof expected, "\"%s\" or \"%s\"", names[0], names[1]);
    return said ? verify_list_malformed(s, key, expected) : EXIT_DONE;
}

/* What the folder says about how its arrays were made, and no tensor reveals. */
static int read_making(const verify_source *s, const json_t *object)
{
    const json_t *activation = json_object_get(object, "activation");
    const char *name = json_string_value(activation);
    int status;

    if (activation) {
        if (!name || (strcmp(name, "gelu") != 0 && strcmp(name, "quickgelu") != 0))
            return verify_list_malformed(s, "activation", "\"gelu\" or \"quickgelu\"");
        s->set->activation = *name == 'g' ? LANCET_ACTIVATION_GELU : LANCET_ACTIVATION_QUICK_GELU;
    }
    status = read_head_width(s, &s->set->head_width, object, "head_width");
    if (status == EXIT_DONE)
        status = read_head_width(s, &s->set->text_head_width, object, "text_head_width");
    s->set->pool_class = LANCET_POOL_CLASS_VV;
    if (status == EXIT_DONE)
        status = read_choice(s, &s->set->pool_attention, object, "rn_attn", pool_attention_names);
    if (status == EXIT_DONE)
        status = read_choice(s, &s->set->pool_class, object, "rn_cls", pool_class_names);
    if (status == EXIT_DONE)
        status = read_triple(s, &s->set->mean, json_object_get(object, "mean"), "mean");
    if (status == EXIT_DONE)
        status = read_triple(s, &s->set->deviation, json_object_get(object, "std"), "std");
    return status;
}

/* A listed size; 0 if there is none. */
static int read_size(const verify_source *s, int *size, const json_t *number, const char *where)
{
    if (!number)
        return EXIT_DONE;
    if (!json_is_integer(number) || json_integer_value(number) < 1 ||
        json_integer_value(number) > LANCET_PICTURE_SIDE_MAX)
        return verify_list_malformed(s, where, "a width and height in pixels");
    *size = (int)json_integer_value(number);
    return EXIT_DONE;
}

/* Pictures lie in images/ in the folder, or beside the folder, or in the folder itself. */
static char *find_picture(const char *folder, const char *file)
{
    char *path = text_print("%s/images/%s", folder, file);

    if (path && !file_exists(path)) {
        free(path);
        path = text_print("%s/../images/%s", folder, file);
    }
    if (path && !file_exists(path)) {
        free(path);
        path = text_print("%s/%s", folder, file);
    }
    return path;
}

int verify_list_picture(const verify_source *s, const char *name, const char *file)
{
    verify_picture *picture;

    if (!file || !verify_list_is_inside(file))
        return verify_list_malformed(s, name, "the picture's \"file\", a name inside the folder of images");
    picture = realloc(s->set->pictures, (s->set->picture_count + 1) * sizeof *picture);
    if (!picture)
        return report_memory();
    s->set->pictures = picture;
    picture += s->set->picture_count;
    *picture = (verify_picture){.name = name, .path = find_picture(s->folder, file)};
    s->set->picture_count++;
    if (!picture->path || json_object_set_new(s->picture_numbers, name,
                                              json_integer((json_int_t)s->set->picture_count - 1)) != 0)
        return report_memory();
    return EXIT_DONE;
}

static int read_pictures(const verify_source *s, json_t *object)
{
    const char *name;
    json_t *item;
    int status = EXIT_DONE;

    if (object && !json_is_object(object))
        return verify_list_malformed(s, "images", "an object of pictures");
    json_object_foreach(object, name, item)
    {
        status = verify_list_picture(s, name, json_string_value(json_object_get(item, "file")));
        if (status == EXIT_DONE)
            status = read_size(s, &s->set->pictures[s->set->picture_count - 1].width,
                               json_object_get(item, "width"), name);
        if (status == EXIT_DONE)
            status = read_size(s, &s->set->pictures[s->set->picture_count - 1].height,
                               json_object_get(item, "height"), name);
        if (status != EXIT_DONE)
            return status;
    }
    return EXIT_DONE;
}

static int add_array(const verify_source *s, const char *name, const json_t *entry)
{
    verify_array array = {.name = name, .entry = entry, .stage = verify_name_whole(name)};
    size_t length;

    if (!verify_list_is_inside(name))
        return verify_list_malformed(s, name, "an array's name that stays inside the folder");
    if (array.stage == VERIFY_UNKNOWN && verify_name_split(&array, &length)) {
        const json_t *number = json_object_getn(s->picture_numbers, name, length);

        if (!number)
            return verify_list_malformed(s, name, "a picture that \"images\" lists");
        array.picture = (size_t)json_integer_value(number);
        if (array.size.width < 1 || array.size.width > LANCET_SIDE_MAX || array.size.height < 1 ||
            array.size.height > LANCET_SIDE_MAX)
            return verify_list_malformed(s, name, "a side of at most 4096 pixels");
    }
    if (array.stage != VERIFY_POINTS) {
        array.path = text_print("%s/%s.npy", s->folder, name);
        if (!array.path)
            return report_memory();
    }
    array.place = s->set->array_count;
    s->set->arrays[s->set->array_count++] = array;
    return EXIT_DONE;
}

/* The arrays of other methods, in a list of their own beside the first; what is not replayed is left out. */
static int read_baselines(const verify_source *s, json_t *arrays)
{
    const char *name;
    json_t *item;

    json_object_foreach(arrays, name, item)
    {
        verify_array array = {.name = name};
        size_t length;
        int status = EXIT_DONE;

        if (verify_name_split(&array, &length))
            status = add_array(s, name, item);
        if (status != EXIT_DONE)
            return status;
    }
    return EXIT_DONE;
}

int verify_list_reserve(const verify_source *s, size_t count)
{
    if (count > ARRAYS_MAX)
        return verify_list_malformed(s, "arrays", "at most 100000 of them");
    s->set->arrays = calloc(count ? count : 1, sizeof *s->set->arrays);
    return s->set->arrays ? EXIT_DONE : report_memory();
}

int verify_list_model(const verify_source *s, char *path)
{
    char **paths = path ? realloc(s->set->model_paths, (s->set->model_count + 1) * sizeof *paths) : NULL;

    if (!paths) {
        free(path);
        return report_memory();
    }
    s->set->model_paths = paths;
    paths[s->set->model_count++] = path;
    return EXIT_DONE;
}

/* A file of one JSON object. */
static int read_list(json_t **list, const char *path)
{
    json_error_t trouble;
    char *bytes = NULL;
    size_t length;
    int status = file_read(&bytes, &length, path, LIST_MAX);

    if (status != EXIT_DONE)
        return status;
    *list = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &trouble);
    free(bytes);
    if (!*list)
        return report_problem(LANCET_ERROR_INPUT, "%s: line %d: %s", path, trouble.line, trouble.text);
    if (!json_is_object(*list))
        return report_problem(LANCET_ERROR_INPUT, "%s: the file: expected a JSON object", path);
    return EXIT_DONE;
}

static int find_baselines(const verify_source *s)
{
    char *path = text_print("%s/baselines.json", s->folder);
    int status = EXIT_DONE;

    if (!path)
        return report_memory();
    if (file_exists(path))
        status = read_list(&s->set->baselines, path);
    free(path);
    return status;
}

/* open_clip gives its files a name of their own. */
static int find_model(const verify_source *s)
{
    char *path = text_print("%s/open_clip_model.safetensors", s->folder);

    if (path && !file_exists(path)) {
        free(path);
        path = text_print("%s/model.safetensors", s->folder);
    }
    return verify_list_model(s, path);
}

static int read_manifest(const verify_source *s)
{
    json_t *model = json_object_get(s->set->root, "model"), *arrays = json_object_get(s->set->root, "arrays"),
           *baselines, *item;
    const char *name;
    int status;

    if (!json_is_object(model))
        return verify_list_malformed(s, "model", "an object with \"texts\" and \"token_texts\"");
    if (!json_is_object(arrays))
        return verify_list_malformed(s, "arrays", "an object that names the arrays");
    status = find_baselines(s);
    if (status != EXIT_DONE)
        return status;
    baselines = json_object_get(s->set->baselines, "arrays");
    if (s->set->baselines && !json_is_object(baselines))
        return verify_list_malformed(s, "baselines.json", "an object with \"arrays\" that names them");
    status = verify_list_texts(s, &s->set->texts, json_object_get(model, "texts"), "model.texts");
    if (status == EXIT_DONE)
        status = verify_list_texts(s, &s->set->token_texts, json_object_get(model, "token_texts"),
                                   "model.token_texts");
    if (status == EXIT_DONE)
        status = read_making(s, model);
    if (status == EXIT_DONE)
        status = read_pictures(s, json_object_get(s->set->root, "images"));
    if (status == EXIT_DONE)
        status = verify_list_reserve(s, json_object_size(arrays) + json_object_size(baselines));
    if (status != EXIT_DONE)
        return status;
    json_object_foreach(arrays, name, item)
    {
        status = add_array(s, name, item);
        if (status != EXIT_DONE)
            return status;
    }
    status = read_baselines(s, baselines);
    if (status != EXIT_DONE)
        return status;
    return find_model(s);
}

/* The short form: one picture, one side, arrays of fixed names. */
static int read_short(const verify_source *s)
{
    static const struct {
        const char *name;
        verify_stage stage;
    } arrays[] = {
        {"tokens", VERIFY_TOKENS},           {"text", VERIFY_TEXT},       {"pixels", VERIFY_PIXELS},
        {"class_token", VERIFY_CLASS_TOKEN}, {"surgery", VERIFY_SURGERY},
    };
    json_t *root = s->set->root;
    const json_t *side = json_object_get(root, "side");
    int status;

    if (!json_is_integer(side) || json_integer_value(side) < 1 || json_integer_value(side) > LANCET_SIDE_MAX)
        return verify_list_malformed(s, "side", "a whole number from 1 to 4096");
    status = verify_list_texts(s, &s->set->texts, json_object_get(root, "texts"), "texts");
    if (status == EXIT_DONE)
        status = verify_list_texts(s, &s->set->token_texts, json_object_get(root, "texts"), "texts");
    if (status == EXIT_DONE)
        status = read_making(s, root);
    if (status == EXIT_DONE)
        status = verify_list_picture(s, "image", json_string_value(json_object_get(root, "image")));
    if (status == EXIT_DONE)
        status = verify_list_reserve(s, sizeof arrays / sizeof *arrays);
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays && status == EXIT_DONE; i++) {
        char *path = text_print("%s/%s.npy", s->folder, arrays[i].name);

        s->set->arrays[s->set->array_count++] = (verify_array){
            .name = arrays[i].name,
            .place = i,
            .path = path,
            .stage = arrays[i].stage,
            .size = {.width = (int)json_integer_value(side), .height = (int)json_integer_value(side)}};
        if (!path)
            status = report_memory();
    }
    return status == EXIT_DONE ? find_model(s) : status;
}

static int compare_sizes(const verify_size *a, const verify_size *b)
{
    const int a_values[] = {a->width, a->height, a->window, a->stride},
              b_values[] = {b->width, b->height, b->window, b->stride};

    for (size_t i = 0; i < 4; i++)
        if (a_values[i] != b_values[i])
            return a_values[i] < b_values[i] ? -1 : 1;
    return 0;
}

/* What is about one model, and then about one picture at one size, stands together, so that nothing is
 * computed twice; else as listed. */
static int compare_arrays(const void *left, const void *right)
{
    const verify_array *a = left, *b = right;
    const bool a_of_picture = a->stage >= VERIFY_PIXELS, b_of_picture = b->stage >= VERIFY_PIXELS;

    if (a->model != b->model)
        return a->model < b->model ? -1 : 1;
    if (a_of_picture && b_of_picture && a->picture != b->picture)
        return a->picture < b->picture ? -1 : 1;
    if (a_of_picture && b_of_picture && compare_sizes(&a->size, &b->size) != 0)
        return compare_sizes(&a->size, &b->size);
    if (a_of_picture != b_of_picture)
        return a_of_picture ? 1 : -1;
    return a->place < b->place ? -1 : 1;
}

/* The first list that is there; where none is, the first one's path is what a person is told. */
static int find_list(verify_source *s, int (**read)(const verify_source *))
{
    static const struct {
        const char *name;
        int (*read)(const verify_source *);
    } lists[] = {{"manifest.json", read_manifest}, {"set.json", read_short}, {"gguf.json", verify_read_gguf}};

    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        char *path = text_print("%s/%s", s->folder, lists[i].name);

        if (!path)
            return report_memory();
        if (i == 0 || file_exists(path)) {
            free(s->path);
            s->path = path;
            *read = lists[i].read;
        } else {
            free(path);
        }
        if (file_exists(s->path))
            break;
    }
    return EXIT_DONE;
}

int verify_set_open(verify_set *set, const char *folder)
{
    verify_source s = {.set = set, .folder = folder, .picture_numbers = json_object()};
    int (*read)(const verify_source *) = NULL;
    int status = s.picture_numbers ? find_list(&s, &read) : report_memory();

    if (status == EXIT_DONE)
        status = read_list(&set->root, s.path);
    if (status == EXIT_DONE)
        status = read(&s);
    if (status == EXIT_DONE && set->array_count)
        qsort(set->arrays, set->array_count, sizeof *set->arrays, compare_arrays);
    json_decref(s.picture_numbers);
    free(s.path);
    return status;
}

void verify_set_close(verify_set *set)
{
    for (size_t i = 0; i < set->array_count; i++) {
        free(set->arrays[i].own_name);
        free(set->arrays[i].path);
    }
    for (size_t i = 0; i < set->picture_count; i++)
        free(set->pictures[i].path);
    free(set->arrays);
    free(set->pictures);
    for (size_t i = 0; i < set->model_count; i++)
        free(set->model_paths[i]);
    free(set->model_paths);
    texts_close(&set->texts);
    texts_close(&set->token_texts);
    json_decref(set->root);
    json_decref(set->baselines);
    *set = (verify_set){0};
}
