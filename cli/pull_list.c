/* `lancet pull --list`: which models have a name. SPDX-License-Identifier: Apache-2.0 */
#include "pull.h"

#include "files.h"
#include "json.h"

#include <stdio.h>
#include <stdlib.h>

/* 79 columns. */
#define COLUMNS "%-41s %8s  %-4s  %-8s  "

static json_t *describe(const model_source *source, const char *fetched)
{
    const model_file *weights = source->weights;
    json_t *object = json_object(), *names = json_array();
    bool good = object && names;

    json_put(&good, object, "name", json_words(source->name));
    json_put(&good, object, "url", json_words(source->home));
    for (size_t i = 0; i < sizeof source->weights / sizeof *weights && weights[i].name; i++)
        json_add(&good, names, json_words(weights[i].name));
    json_put(&good, object, "weights", json_incref(names));
    json_put(&good, object, "config", json_words(source->config));
    json_put(&good, object, "sha256", json_words(weights->sha256));
    json_put(&good, object, "bytes", weights->size ? json_integer(weights->size) : json_null());
    json_put(&good, object, "bytes_about", json_integer(models_size(source)));
    json_put(&good, object, "activation", json_words(source->activation));
    json_put(&good, object, "owner", json_words(source->owner));
    json_put(&good, object, "licence", json_words(source->licence));
    json_put(&good, object, "path", json_words(fetched));
    json_decref(names);
    if (!good) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static void print_row(const model_source *source, const char *fetched)
{
    char size[16], text[20];

    models_print_size(size, models_size(source));
    snprintf(text, sizeof text, "%s%s", source->weights[0].size ? "" : "~", size);
    printf(COLUMNS "%s, %s\n", source->name, text, fetched ? "yes" : "-",
           source->weights[0].sha256 ? "known" : "server's", source->owner, source->licence);
}

int pull_list(const pull_settings *settings)
{
    json_t *models = json_array();
    char *data = data_folder();
    bool good = models != NULL;
    int status = data ? EXIT_DONE : report_memory();

    if (!settings->json)
        printf(COLUMNS "%s\n", "NAME", "WEIGHTS", "HERE", "SHA-256", "FROM");
    for (const model_source *source = model_sources; source->name && status == EXIT_DONE; source++) {
        char *folder = models_folder(source, settings->to), *fetched = NULL;

        status = folder ? models_fetched(&fetched, source, folder) : report_memory();
        if (status == EXIT_DONE && settings->json)
            json_add(&good, models, describe(source, fetched));
        else if (status == EXIT_DONE)
            print_row(source, fetched);
        free(fetched);
        free(folder);
    }
    if (status == EXIT_DONE && !good)
        status = report_memory();
    if (status == EXIT_DONE && settings->json)
        status = json_print(models);
    else if (status == EXIT_DONE)
        printf("\n~: about\n"
               "HERE: in %s%s\n"
               "SHA-256: known beforehand, or the one that the server gives with the file\n",
               settings->to ? settings->to : data, settings->to ? "" : "/models");
    json_decref(models);
    free(data);
    return status;
}
