/* `lancet methods`: what --method takes. SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "common.h"
#include "json.h"

#include <stdio.h>

typedef struct methods_settings {
    common_settings common;
    bool json;
} methods_settings;

static const option methods_options[] = {
    {.name = "json",
     .kind = OPTION_FLAG,
     .offset = offsetof(methods_settings, json),
     .help = "the list as JSON"},
};

/* clang-format off */
static const option_group methods_groups[] = {
    {"Options", methods_options, sizeof methods_options / sizeof *methods_options, 0},
    COMMON_GROUP(methods_settings),
};
/* clang-format on */

static int print_json(void)
{
    json_t *array = json_array();
    bool good = array != NULL;
    int status;

    for (size_t i = 0; i < lancet_method_count(); i++) {
        const lancet_method *method = lancet_method_at(i);
        json_t *object = json_object();

        good = good && object;
        json_put(&good, object, "name", json_words(method->name));
        json_put(&good, object, "title", json_words(method->title));
        json_put(&good, object, "summary", json_words(method->summary));
        json_put(&good, object, "redundant", json_words(redundant_names[method->redundant]));
        json_put(&good, object, "reversed", json_boolean(method->reversed));
        json_put(&good, object, "resnet", json_boolean(method->resnet));
        json_add(&good, array, object);
    }
    status = good ? json_print(array) : report_memory();
    json_decref(array);
    return status;
}

static int run(const command *self, int argc, char **argv)
{
    methods_settings settings = {0};
    texts operands = {0};
    int status;

    if (!options_parse(self, &settings, &operands, argc, argv, &status))
        goto done;
    report_as(self->name, settings.common.quiet);
    if (operands.count) {
        status = report_usage("expected no operands, found '%s'", operands.items[0]);
        goto done;
    }
    if (settings.json) {
        status = print_json();
        goto done;
    }
    for (size_t i = 0; i < lancet_method_count(); i++) {
        const lancet_method *method = lancet_method_at(i);

        printf("%-19s %s%s\n", method->name, method->summary, method->resnet ? "" : " ViT only.");
    }
done:
    texts_close(&operands);
    return status;
}

const command methods_command = {
    .name = "methods",
    .summary = "List the methods that --method takes.",
    .usage = "lancet methods [options]",
    .about =
        "CLIP Surgery, what it is compared with in the paper and since, and the rows of the paper's Table 4.",
    .examples = "  lancet methods\n"
                "  lancet methods --json\n",
    .groups = methods_groups,
    .group_count = sizeof methods_groups / sizeof *methods_groups,
    .run = run,
};
