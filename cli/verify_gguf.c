/* A list of GGUF files of one model, each in other data types and so with other numbers.
 * SPDX-License-Identifier: Apache-2.0 */
#include "verify_list.h"

#include "files.h"

#include <string.h>

#define FILES_MAX 1000

/* One array of a file, if the list has it: "q8_0/surgery" in the table. */
static int add_array(const verify_source *s, const char *type, const json_t *entry, const char *what,
                     verify_stage stage, int side)
{
    verify_set *set = s->set;
    const char *file = json_string_value(json_object_get(entry, what));
    verify_array array = {.stage = stage,
                          .place = set->array_count,
                          .model = set->model_count - 1,
                          .picture = set->picture_count - 1,
                          .size = {.width = side, .height = side}};

    if (!json_object_get(entry, what))
        return EXIT_DONE;
    if (!file || !verify_list_is_inside(file))
        return verify_list_malformed(s, type, "the names of arrays inside the folder");
    array.own_name = text_print("%s/%s", type, what);
    array.path = text_print("%s/%s", s->folder, file);
    array.name = array.own_name;
    set->arrays[set->array_count++] = array;
    return array.own_name && array.path ? EXIT_DONE : report_memory();
}

static int add_file(const verify_source *s, const char *type, const json_t *entry)
{
    const char *file = json_string_value(json_object_get(entry, "file"));
    const json_t *side = json_object_get(entry, "side");
    int status;

    if (!file || !verify_list_is_inside(file))
        return verify_list_malformed(s, type, "\"file\", a name inside the folder");
    status = verify_list_model(s, text_print("%s/%s", s->folder, file));
    if (status == EXIT_DONE)
        status = add_array(s, type, entry, "text", VERIFY_TEXT, 0);
    if (status != EXIT_DONE || !json_object_get(entry, "surgery"))
        return status;
    if (!json_is_integer(side) || json_integer_value(side) < 1 || json_integer_value(side) > LANCET_SIDE_MAX)
        return verify_list_malformed(s, type, "\"side\", a whole number from 1 to 4096");
    status = verify_list_picture(s, type, json_string_value(json_object_get(entry, "image")));
    if (status == EXIT_DONE)
        status = add_array(s, type, entry, "surgery", VERIFY_SURGERY, (int)json_integer_value(side));
    return status;
}

int verify_read_gguf(const verify_source *s)
{
    json_t *files = json_object_get(s->set->root, "files"), *entry;
    const char *type;
    int status = verify_list_texts(s, &s->set->texts, json_object_get(s->set->root, "texts"), "texts");

    if (status != EXIT_DONE)
        return status;
    if (!json_is_object(files) || json_object_size(files) > FILES_MAX)
        return verify_list_malformed(s, "files", "an object of at most 1000 files");
    status = verify_list_reserve(s, 2 * json_object_size(files));
    json_object_foreach(files, type, entry)
    {
        if (status != EXIT_DONE)
            break;
        status = add_file(s, type, entry);
    }
    return status;
}
