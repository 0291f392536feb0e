/* SPDX-License-Identifier: Apache-2.0 */
#include "many.h"

#include "files.h"

#include "lancet/eval.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const broken_names[] = {"skip", "stop", NULL};

const option many_options[7] = {
    {.name = "list",
     .kind = OPTION_TEXT,
     .offset = offsetof(many_settings, list),
     .argument = "FILE",
     .help = "pictures and folders from a file too, one a line, or with zero bytes between them as 'find "
             "-print0' has them; - is stdin. Their files go into the same folders under the output folder: "
             "photos/cat.jpg becomes DIR/photos/cat..."},
    {.name = "recursive",
     .letter = 'r',
     .kind = OPTION_FLAG,
     .offset = offsetof(many_settings, recursive),
     .help = "folders with all folders in them; the output folder gets the same ones"},
    {.name = "resume",
     .kind = OPTION_FLAG,
     .offset = offsetof(many_settings, resume),
     .help = "go on from where an earlier run with the same settings stopped: what it did is not done again, "
             "and what is printed is the same as from one run"},
    {.name = "journal",
     .kind = OPTION_TEXT,
     .offset = offsetof(many_settings, journal),
     .argument = "DIR",
     .help = "where what is done is noted, for --resume; default: .lancet-COMMAND in the folder of -o, for "
             "more than one picture"},
    {.name = "on-broken",
     .kind = OPTION_CHOICE,
     .offset = offsetof(many_settings, on_broken),
     .argument = "WHAT",
     .help = "with a picture that cannot be done: skip (default), name it and go on; stop, name it and end",
     .choices = broken_names},
    {.name = "decoders",
     .kind = OPTION_INTEGER,
     .offset = offsetof(many_settings, decoders),
     .argument = "N",
     .help = "threads that read pictures ahead while the model works; default: 2",
     .low = 1,
     .high = 64},
    {.name = "jsonl",
     .kind = OPTION_FLAG,
     .offset = offsetof(many_settings, jsonl),
     .help = "a line of JSON for each picture on stdout"},
};

void many_close(many_pictures *pictures)
{
    texts_close(&pictures->paths);
    texts_close(&pictures->names);
}

/* ---- Processes ----------------------------------------------------------------------------------------- */

int many_begin(const command *self, common_settings *common, const many_settings *settings, size_t operands,
               bool json)
{
    lancet_error error;

    if (lancet_parallel_begin(&error) != LANCET_OK)
        return report_error(&error);
    /* One of the processes speaks for all. */
    if (lancet_parallel_rank() > 0) {
        common->quiet = true;
        report_as(self->name, true);
    }
    if (!operands && !settings->list)
        return report_usage("expected a picture or a folder of pictures, found none");
    if (json && settings->jsonl)
        return report_usage("--json, --jsonl and --csv: give one");
    if (lancet_parallel_size() > 1 && settings->list && strcmp(settings->list, "-") == 0)
        return report_usage("--list -: of several processes one alone has this stdin; give a file");
    return EXIT_DONE;
}

/* There is one command in a process. */
static bool is_finished;

void many_finish(void)
{
    is_finished = true;
}

int many_end(int status)
{
    const bool failed = status != EXIT_DONE && !is_finished;
    const bool first = lancet_parallel_rank() == 0;

    lancet_parallel_end(failed);
    return first || failed ? status : EXIT_DONE;
}

/* ---- Journals ------------------------------------------------------------------------------------------ */

int many_journal(char **folder, const many_settings *settings, const char *command_name, const char *output,
                 size_t picture_count)
{
    const bool shared = lancet_parallel_size() > 1;
    /* In the current folder nobody expects one who did not ask for it. */
    const bool wanted = output && strcmp(output, ".") != 0 && picture_count > 1;
    char *name;

    *folder = NULL;
    if (settings->journal) {
        *folder = text_print("%s", settings->journal);
        return *folder ? EXIT_DONE : report_memory();
    }
    if (!output && (settings->resume || shared))
        return report_usage("%s: expected a folder to note in what is done: --journal DIR",
                            shared ? "mpirun" : "--resume");
    if (!wanted && !settings->resume && !shared)
        return EXIT_DONE;
    name = text_print(".lancet-%s", command_name);
    *folder = name ? path_join(output, name) : NULL;
    free(name);
    return *folder ? EXIT_DONE : report_memory();
}

/* Options that change what is shown or how fast, and no result; the model and the labels are described by
 * what is in them. */
static bool is_free(const char *name)
{
    static const char *const names[] = {"threads",   "quiet",  "output",   "model",  "vocabulary",
                                        "json",      "jsonl",  "csv",      "list",   "recursive",
                                        "on-broken", "resume", "decoders", "journal"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static void put_option(FILE *out, const option *o, const void *value)
{
    const option_triple *triple = value;
    const option_size *size = value;
    const texts *list = value;

    fprintf(out, "--%s:", o->name);
    switch (o->kind) {
    case OPTION_FLAG:
        fprintf(out, " %d", *(const bool *)value);
        break;
    case OPTION_TEXT:
        fprintf(out, " %s", *(char *const *)value ? *(char *const *)value : "");
        break;
    case OPTION_TEXTS:
        for (size_t i = 0; i < list->count; i++)
            fprintf(out, "%s %s", i ? ";" : "", list->items[i]);
        break;
    case OPTION_INTEGER:
    case OPTION_CHOICE:
        fprintf(out, " %d", *(const int *)value);
        break;
    case OPTION_REAL:
        fprintf(out, " %.17g", *(const double *)value);
        break;
    case OPTION_SET:
        fprintf(out, " %u", *(const unsigned *)value);
        break;
    case OPTION_TRIPLE:
        if (triple->given)
            fprintf(out, " %.9g,%.9g,%.9g", (double)triple->values[0], (double)triple->values[1],
                    (double)triple->values[2]);
        break;
    case OPTION_SIZE:
        fprintf(out, " %dx%d", size->width, size->height);
        break;
    }
    fputc('\n', out);
}

/* FNV-1a: nobody attacks, and the words are in the text beside it. */
static uint64_t hash_labels(const lancet_labels *labels)
{
    const size_t length = lancet_labels_width(labels) * sizeof(float);
    const float *parts[] = {lancet_labels_features(labels), lancet_labels_empty(labels, false),
                            lancet_labels_empty(labels, true)};
    uint64_t hash = 0xCBF29CE484222325;

    for (size_t p = 0; p < 3; p++) {
        const unsigned char *bytes = (const unsigned char *)parts[p];

        for (size_t i = 0; bytes && i < (p ? 1 : lancet_labels_count(labels)) * length; i++)
            hash = (hash ^ bytes[i]) * 0x100000001B3;
    }
    return hash;
}

char *many_describe(const command *self, const void *settings, const lancet_model *model,
                    const lancet_labels *labels)
{
    const lancet_model_description *about = lancet_model_describe(model);
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    bool good = out != NULL;

    if (!out)
        return NULL;
    fprintf(out, "command: %s\ncomputed by: lancet %s, %s\nmodel: hash %s\n", self->name, lancet_version(),
            lancet_instruction_set(), about->hash);
    if (labels)
        fprintf(out, "labels: %zu, hash %016llx\n", lancet_labels_count(labels),
                (unsigned long long)hash_labels(labels));
    for (size_t g = 0; g < self->group_count; g++) {
        const option_group *group = &self->groups[g];

        for (size_t i = 0; i < group->count; i++)
            if (!is_free(group->options[i].name))
                put_option(out, &group->options[i],
                           (const char *)settings + group->offset + group->options[i].offset);
    }
    good = !ferror(out);
    if (fclose(out) != 0 || !good) {
        free(text);
        return NULL;
    }
    return text;
}
