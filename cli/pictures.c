/* SPDX-License-Identifier: Apache-2.0 */
#include "pictures.h"

#include "files.h"
#include "json.h"
#include "names.h"
#include "progress.h"
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One picture's part of what stdout gets: the summary, or what a person wants to see of it. */
static int print_result(const picture_work *work, const char *path, json_t *summary, int status, bool first)
{
    json_t *item;
    size_t i;

    if (!work->json) {
        if (!summary || (work->quiet && !work->print))
            return EXIT_DONE;
        if (work->print)
            work->print(work->context, summary);
        else
            json_array_foreach(json_object_get(summary, "files"), i, item)
                printf("%s\n", json_string_value(json_object_get(item, "path")));
        return EXIT_DONE;
    }
    fputs(first ? "\n" : ",\n", stdout);
    if (summary)
        return json_print(summary);
    item = json_pack("{s:{s:o}, s:i}", "picture", "path", json_words(path), "status", status);
    status = item ? json_print(item) : report_memory();
    json_decref(item);
    return status;
}

int pictures_run(const picture_work *work, const texts *pictures, int status)
{
    names given = {0};
    progress bar;

    progress_begin(&bar, "pictures", work->quiet);
    if (work->json)
        printf("{\"lancet\": \"%s\", \"pictures\": [", lancet_version());
    for (size_t i = 0; i < pictures->count; i++) {
        const char *path = pictures->items[i];
        char *name = names_give(&given, path);
        json_t *summary = NULL;
        int this;

        progress_show(&bar, i, pictures->count, path);
        this = name ? work->run(&summary, work->context, path, name) : report_memory();
        progress_clear();
        if (status == EXIT_DONE)
            status = this;
        this = print_result(work, path, summary, this, i == 0);
        if (status == EXIT_DONE)
            status = this;
        json_decref(summary);
        free(name);
    }
    if (work->json)
        printf("], \"status\": %d}\n", status);
    progress_end(&bar);
    names_close(&given);
    return status;
}

int picture_report(const char *path, const lancet_error *error)
{
    return strncmp(error->message, path, strlen(path)) == 0
               ? report_error(error)
               : report_problem(error->status, "%s: %s", path, error->message);
}

int picture_open(lancet_image **image, const char *path, bool ignore_orientation)
{
    const lancet_image_options options = {.ignore_orientation = ignore_orientation};
    lancet_error error;

    return lancet_image_open(image, path, &options, &error) == LANCET_OK ? EXIT_DONE
                                                                         : picture_report(path, &error);
}

void json_file(bool *good, json_t *files, const char *path, const char *kind)
{
    json_t *object = json_object();
    bool made = object != NULL;

    json_put(&made, object, "path", json_words(path));
    json_put(&made, object, "kind", json_words(kind));
    if (!made) {
        json_decref(object);
        *good = false;
        return;
    }
    json_add(good, files, object);
}

bool json_files_join(json_t *summary, const char *folder)
{
    json_t *item;
    bool good = true;
    size_t i;

    json_array_foreach(json_object_get(summary, "files"), i, item)
    {
        char *path = path_join(folder, json_string_value(json_object_get(item, "path")));

        json_put(&good, item, "path", json_words(path));
        good = good && path;
        free(path);
    }
    return good;
}
