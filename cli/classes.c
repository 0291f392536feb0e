/* `lancet classes`: the lists of classes that --labels takes by name. SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "common.h"
#include "json.h"

#include "lancet/classes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef struct classes_settings {
    common_settings common;
    bool values, json;
} classes_settings;

static const option classes_options[] = {
    {.name = "values",
     .kind = OPTION_FLAG,
     .offset = offsetof(classes_settings, values),
     .help =
         "in front of each name, and a tab, the value that stands for it in masks: a file for 'lancet eval "
         "--classes'"},
    {.name = "json",
     .kind = OPTION_FLAG,
     .offset = offsetof(classes_settings, json),
     .help = "the same as JSON"},
};

/* clang-format off */
static const option_group classes_groups[] = {
    {"Options", classes_options, sizeof classes_options / sizeof *classes_options, 0},
    COMMON_GROUP(classes_settings),
};
/* clang-format on */

static bool is_built_in(const char *name)
{
    const lancet_classes_about *about;

    for (size_t i = 0; (about = lancet_classes_built_in(i)); i++)
        if (strcmp(about->name, name) == 0)
            return true;
    return false;
}

int labels_read(texts *list, const char *name)
{
    lancet_classes *classes = NULL;
    lancet_error error;
    int status = EXIT_DONE;

    if (!is_built_in(name))
        return texts_read(list, name);
    if (lancet_classes_open(&classes, name, &error) != LANCET_OK)
        return report_error(&error);
    for (size_t i = 0; i < lancet_classes_count(classes) && status == EXIT_DONE; i++)
        if (!texts_add(list, lancet_classes_get(classes, i)->words[0]))
            status = report_memory();
    lancet_classes_close(&classes);
    return status;
}

/* ---- All lists ----------------------------------------------------------------------------------------- */

static size_t count_of(const char *name)
{
    lancet_classes *classes = NULL;
    const size_t count =
        lancet_classes_open(&classes, name, NULL) == LANCET_OK ? lancet_classes_count(classes) : 0;

    lancet_classes_close(&classes);
    return count;
}

static int print_lists(bool as_json)
{
    json_t *array = json_array();
    const lancet_classes_about *about;
    bool good = array != NULL;
    int status = EXIT_DONE;

    for (size_t i = 0; (about = lancet_classes_built_in(i)) && good; i++)
        if (as_json)
            json_add(&good, array,
                     json_pack("{s:o, s:o, s:o}", "name", json_words(about->name), "classes",
                               json_count(count_of(about->name)), "about", json_words(about->about)));
        else
            printf("%-20s %4zu  %s\n", about->name, count_of(about->name), about->about);
    if (!good)
        status = report_memory();
    else if (as_json)
        status = json_print(array);
    json_decref(array);
    return status;
}

/* ---- One list ------------------------------------------------------------------------------------------ */

static json_t *describe_class(const lancet_class *class)
{
    json_t *words = json_array();
    bool good = words != NULL;

    for (size_t i = 0; good && i < class->word_count; i++)
        json_add(&good, words, json_words(class->words[i]));
    return json_pack("{s:o, s:I, s:o}", "name", json_words(class->name), "value", (json_int_t) class->value,
                     "words", words);
}

static int print_list(const char *name, const classes_settings *settings)
{
    json_t *array = json_array();
    lancet_classes *classes = NULL;
    lancet_error error;
    bool good = array != NULL;
    int status = EXIT_DONE;

    if (lancet_classes_open(&classes, name, &error) != LANCET_OK) {
        json_decref(array);
        return report_error(&error);
    }
    for (size_t i = 0; i < lancet_classes_count(classes) && good; i++) {
        const lancet_class *class = lancet_classes_get(classes, i);

        if (settings->json) {
            json_add(&good, array, describe_class(class));
            continue;
        }
        if (settings->values)
            printf("%" PRIu32 "\t", class->value);
        for (size_t w = 0; w < class->word_count; w++)
            printf("%s%s", w ? ", " : "", class->words[w]);
        putchar('\n');
    }
    if (!good)
        status = report_memory();
    else if (settings->json)
        status = json_print(array);
    lancet_classes_close(&classes);
    json_decref(array);
    return status;
}

static int run(const command *self, int argc, char **argv)
{
    classes_settings settings = {0};
    texts operands = {0};
    int status;

    if (!options_parse(self, &settings, &operands, argc, argv, &status))
        goto done;
    report_as(self->name, settings.common.quiet);
    if (operands.count > 1)
        status = report_usage("expected one list, found %zu", operands.count);
    else if (!operands.count && settings.values)
        status = report_usage("--values: expected a list, found none");
    else
        status = operands.count ? print_list(operands.items[0], &settings) : print_lists(settings.json);
done:
    texts_close(&operands);
    return status;
}

const command classes_command = {
    .name = "classes",
    .summary = "List the classes of published data sets, which --labels takes by name.",
    .usage = "lancet classes [LIST] [options]",
    .about =
        "Without LIST, all of them. With one, its classes, one a line, as the field puts them into prompts; "
        "a file of such a form can be given too, to see how it is read.\n"
        "\n"
        "--labels LIST of explain, segment, recognise, compare and text looks for these classes. A file of "
        "the same name is meant by ./LIST.",
    .examples = "  lancet classes\n"
                "  lancet classes cityscapes19\n"
                "  lancet segment street.jpg --labels cityscapes19 --crops 4x2 -o out\n"
                "  lancet classes voc20 | sed 's/^person$/person, man, woman/' > people.txt\n",
    .groups = classes_groups,
    .group_count = sizeof classes_groups / sizeof *classes_groups,
    .run = run,
};
