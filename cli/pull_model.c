/* Fetching what belongs to one model. SPDX-License-Identifier: Apache-2.0 */
#include "pull.h"

#include "fetch/http.h"
#include "files.h"
#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Configurations have a few kilobytes. */
#define CONFIG_MAX ((int64_t)1 << 20)

static const char *const check_names[] = {"length", "sha256 as the server gave it", "sha256 as published"};

typedef struct pull {
    const model_source *source;
    const pull_settings *settings;
    fetch_settings fetching;
    const char *folder;
    json_t *files; /* what was done, for the JSON output */
} pull;

/* How sure it is that the file is the right one. */
static const char *say_check(const fetch_file *file, const fetch_result *result)
{
    switch (result->check) {
    case FETCH_PUBLISHED:
        return "its SHA-256 is the published one";
    case FETCH_ANNOUNCED:
        return "its SHA-256 is the one the server gives; none is known beforehand";
    case FETCH_LENGTH:
        break;
    }
    if (file->is_json)
        return "no SHA-256 is known, it reads as JSON";
    return result->present ? "not checked: no SHA-256 is known beforehand"
                           : "no SHA-256 is known, only its length was checked";
}

static int report_file(pull *p, const fetch_file *file, const fetch_result *result, bool weights,
                       double seconds)
{
    const common_settings *common = &p->settings->common;
    json_t *object;
    char size[16];

    models_print_size(size, result->size);
    if (result->present && weights)
        report_note("%s is there already (%s)", path_name(file->path), say_check(file, result));
    else if (!result->present)
        report_note("%s: %s in %.1f s; %s", path_name(file->path), size, seconds, say_check(file, result));
    if (!p->settings->json) {
        if (!common->quiet)
            printf("%s\n", file->path);
        fflush(stdout);
        return EXIT_DONE;
    }
    object = json_pack("{s:o, s:s, s:I, s:I, s:s, s:s}", "path", json_words(file->path), "url", file->url,
                       "bytes", (json_int_t)result->size, "fetched", (json_int_t)result->fetched, "sha256",
                       result->sha256, "checked", check_names[result->check]);
    return object && json_array_append_new(p->files, object) == 0 ? EXIT_DONE : report_memory();
}

/* One file of the model, from its home or the mirror. */
static int pull_file(pull *p, const char *home, const model_file *wanted, fetch_file file, bool *absent)
{
    const char *base = p->settings->base_url;
    /* A mirror has what is here: a folder for each model. */
    char *url = base ? text_print("%s/%s/%s", base, p->source->name, wanted->name)
                     : text_print("%s%s", home, wanted->name);
    char *path = path_join(p->folder, wanted->name);
    struct timespec begun, ended;
    fetch_result result;
    int status;

    file.url = url;
    file.path = path;
    file.sha256 = wanted->sha256;
    file.size = wanted->size;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    status = url && path ? fetch(&result, &file, &p->fetching) : report_memory();
    clock_gettime(CLOCK_MONOTONIC, &ended);
    *absent = status == EXIT_DONE && result.absent;
    if (status == EXIT_DONE && !result.absent)
        status = report_file(p, &file, &result, wanted != &vocabulary_file && !file.is_json,
                             (double)(ended.tv_sec - begun.tv_sec) +
                                 (double)(ended.tv_nsec - begun.tv_nsec) * 1e-9);
    free(url);
    free(path);
    return status;
}

/* Says what begins, unless the weights are there. */
static int announce(const pull *p)
{
    const model_source *source = p->source;
    char *there = NULL, size[16];
    int status = EXIT_DONE;

    if (!p->settings->force)
        status = models_fetched(&there, source, p->folder);
    models_print_size(size, models_size(source));
    if (status == EXIT_DONE && !there)
        report_note("fetching %s (%s, by %s, licence %s) into %s", source->name, size, source->owner,
                    source->licence, p->folder);
    free(there);
    return status;
}

/* The first of the files that the weights may be in; one that is here already is the one. */
static int pull_weights(pull *p)
{
    const model_file *weights = p->source->weights;
    const size_t most = sizeof p->source->weights / sizeof *weights;
    const fetch_file file = {.size_max = (int64_t)p->settings->max_size_mb * 1000000};
    size_t count = 0, first = 0;
    bool absent = true;
    int status = EXIT_DONE;
    char *there = NULL;

    while (count < most && weights[count].name)
        count++;
    if (!p->settings->force)
        status = models_fetched(&there, p->source, p->folder);
    for (size_t i = 0; there && i < count; i++)
        if (strcmp(path_name(there), weights[i].name) == 0)
            first = i;
    free(there);
    for (size_t i = first; i < count && status == EXIT_DONE && absent; i++) {
        fetch_file this = file;

        this.may_be_absent = i + 1 < count;
        status = pull_file(p, p->source->home, &weights[i], this, &absent);
    }
    return status;
}

int pull_model(json_t *report, const model_source *source, const pull_settings *settings,
               bool (*stopped)(void))
{
    char *folder = models_folder(source, settings->to);
    pull p = {.source = source,
              .settings = settings,
              .folder = folder,
              .files = json_array(),
              .fetching = {.timeout_s = settings->timeout_s,
                           .retries = settings->retries,
                           .quiet = settings->common.quiet,
                           .force = settings->force,
                           .stopped = stopped}};
    const fetch_file config = {.size_max = CONFIG_MAX, .is_json = true};
    const fetch_file vocabulary = {.size_max = vocabulary_file.size};
    bool absent, good = true;
    int status = folder && p.files ? folder_make(folder) : report_memory();

    if (status == EXIT_DONE)
        status = announce(&p);
    /* The small ones first: what is wrong with the network shows before gigabytes have come. */
    if (status == EXIT_DONE && source->config)
        status = pull_file(&p, source->home, &(model_file){.name = source->config}, config, &absent);
    if (status == EXIT_DONE)
        status = pull_file(&p, vocabulary_home, &vocabulary_file, vocabulary, &absent);
    if (status == EXIT_DONE)
        status = pull_weights(&p);
    if (folder)
        rmdir(folder); /* if nothing came */
    json_put(&good, report, "name", json_words(source->name));
    json_put(&good, report, "folder", json_words(folder));
    json_put(&good, report, "files", json_incref(p.files));
    json_put(&good, report, "status", json_integer(status));
    if (status == EXIT_DONE && !good)
        status = report_memory();
    json_decref(p.files);
    free(folder);
    return status;
}
