/* `lancet eval`: which methods, and the classes as labels. SPDX-License-Identifier: Apache-2.0 */
#include "eval.h"

#include "progress.h"

#include <stdlib.h>
#include <string.h>

/* The paper's tables, as far as their methods run forward only; both readings of Table 4's networks. */
static const char *const tables[] = {
    [1] = "clip,surgery",
    [2] = "clip,rclip,surgery",
    [3] = "clip,architecture,surgery",
    [4] = "clip,last,multi,multi-dual,multi-dual-own,multi-dual-ffn,multi-dual-ffn-own,surgery",
    [5] = "maskclip,architecture",
    [6] = "clip,surgery",
};

static const char *default_methods(lancet_protocol protocol)
{
    return protocol == LANCET_PROTOCOL_SEGMENTATION  ? "architecture"
           : protocol == LANCET_PROTOCOL_MULTI_LABEL ? "clip,surgery"
           : protocol == LANCET_PROTOCOL_AFFINITY    ? "clip"
           : protocol == LANCET_PROTOCOL_POINTS || protocol == LANCET_PROTOCOL_FSR ||
                   protocol == LANCET_PROTOCOL_LABEL_L1
               ? "clip,surgery"
               : "surgery";
}

/* The paper's way of segmenting: 512 x 512 pixels, Cityscapes' wide pictures in eight crops of that. */
static void set_segmentation(lancet_variant *v, const eval_settings *settings, const lancet_dataset *dataset)
{
    const bool wide = lancet_dataset_describe(dataset)->layout == LANCET_LAYOUT_CITYSCAPES;

    if (!settings->picture.side && !settings->picture.size.width && !settings->picture.short_side)
        v->features.side = 512;
    v->crop_columns = settings->crops.width ? settings->crops.width : wide ? 4 : 0;
    v->crop_rows = settings->crops.width ? settings->crops.height : wide ? 2 : 0;
}

/* Adds a row; its name is taken over. */
static int add(eval_variants *variants, const eval_settings *settings, const lancet_method *method,
               const lancet_model *model, lancet_protocol protocol, const lancet_dataset *dataset, char *name)
{
    lancet_variant *v = &variants->items[variants->count];

    if (!texts_take(&variants->names, name))
        return report_memory();
    if (variants->count == LANCET_VARIANTS_MAX)
        return report_usage("expected at most %d methods", LANCET_VARIANTS_MAX);
    memset(v, 0, sizeof *v);
    v->name = variants->names.items[variants->count++];
    v->features = feature_options(&settings->picture, model);
    v->maps.form = (lancet_surgery_form)settings->form;
    v->maps.order = (lancet_map_order)settings->order;
    v->maps.tau = (float)settings->tau;
    lancet_method_apply(method, &v->features, &v->maps);
    /* Blocks and the redundant feature are for methods that have them. */
    if (v->features.path == LANCET_PATH_PLAIN)
        v->features.surgery_last = v->features.surgery_start = 0;
    if (v->maps.redundant == LANCET_REDUNDANT_AUTO)
        v->maps.redundant = settings->redundant                  ? (lancet_redundant)settings->redundant
                            : protocol == LANCET_PROTOCOL_POINTS ? LANCET_REDUNDANT_EMPTY
                                                                 : LANCET_REDUNDANT_LABELS;
    if (protocol == LANCET_PROTOCOL_SEGMENTATION)
        set_segmentation(v, settings, dataset);
    return EXIT_DONE;
}

static const lancet_method *find(const char *name, const lancet_model *model)
{
    const bool resnet = strcmp(lancet_model_describe(model)->family, "ModifiedResNet") == 0;
    int path = LANCET_PATH_SURGERY, redundant = LANCET_REDUNDANT_AUTO;
    bool reversed;

    if (!method_choose(name, &path, &redundant, &reversed))
        return NULL;
    if (resnet && !lancet_method_find(name)->resnet) {
        report_usage("--methods: %s changes a vision transformer's blocks, and this model has none", name);
        return NULL;
    }
    return lancet_method_find(name);
}

static int add_list(eval_variants *variants, const eval_settings *settings, const char *names,
                    const lancet_model *model, lancet_protocol protocol, const lancet_dataset *dataset)
{
    char *list = text_print("%s", names), *rest = NULL;
    int status = list ? EXIT_DONE : report_memory();

    for (char *name = list ? strtok_r(list, ",", &rest) : NULL; name && status == EXIT_DONE;
         name = strtok_r(NULL, ",", &rest)) {
        const lancet_method *method;

        name += strspn(name, " ");
        name[strcspn(name, " ")] = '\0';
        method = find(name, model);
        status = method ? add(variants, settings, method, model, protocol, dataset, text_print("%s", name))
                        : LANCET_ERROR_ARGUMENT;
    }
    free(list);
    return status == EXIT_DONE && !variants->count ? report_usage("--methods: expected names, found none")
                                                   : status;
}

/* "depth=1..10" */
static int add_sweep(eval_variants *variants, const eval_settings *settings, const char *names,
                     const lancet_model *model, lancet_protocol protocol, const lancet_dataset *dataset)
{
    const bool depth = strncmp(settings->sweep, "depth=", 6) == 0;
    const char *at = strchr(settings->sweep, '=');
    const lancet_method *method = find(names, model);
    char *middle = NULL, *end = NULL;
    int status = EXIT_DONE;
    long from = 0, to = 0;

    if (!method)
        return LANCET_ERROR_ARGUMENT;
    if (at && (depth || strncmp(settings->sweep, "tau=", 4) == 0)) {
        from = strtol(at + 1, &middle, 10);
        if (strncmp(middle, "..", 2) == 0)
            to = strtol(middle + 2, &end, 10);
    }
    if (!end || *end || from < 1 || to < from || to > 1000 || to - from >= LANCET_VARIANTS_MAX)
        return report_usage(
            "--sweep: expected depth=A..B or tau=A..B, whole numbers, as depth=1..10, found '%s'",
            settings->sweep);
    if (depth && (settings->picture.surgery_last || settings->picture.surgery_start))
        return report_usage(
            "--sweep depth says where surgery starts; --surgery-start and --surgery-last do as well");
    for (long value = from; value <= to && status == EXIT_DONE; value++) {
        status = add(variants, settings, method, model, protocol, dataset,
                     text_print("%s, %s %ld", method->name, depth ? "depth" : "tau", value));
        if (status == EXIT_DONE && depth)
            variants->items[variants->count - 1].features.surgery_start = (int)value;
        else if (status == EXIT_DONE)
            variants->items[variants->count - 1].maps.tau = (float)value;
    }
    return status;
}

int eval_choose_variants(eval_variants *variants, const eval_settings *settings, lancet_protocol protocol,
                         const lancet_model *model, const lancet_dataset *dataset)
{
    const char *names = settings->methods ? settings->methods
                        : settings->table ? tables[settings->table]
                                          : default_methods(protocol);

    if (settings->methods && settings->table)
        return report_usage("--table says which methods; --methods does as well");
    if (settings->sweep && settings->table)
        return report_usage("--sweep is of one method, --table of several");
    return settings->sweep ? add_sweep(variants, settings, names, model, protocol, dataset)
                           : add_list(variants, settings, names, model, protocol, dataset);
}

/* ---- Labels -------------------------------------------------------------------------------------------- */

static int open_bank(lancet_labels **labels, const char *path, const lancet_dataset *dataset)
{
    const size_t count = lancet_dataset_class_count(dataset);
    lancet_error error;

    if (lancet_labels_open(labels, path, &error) != LANCET_OK)
        return report_error(&error);
    if (lancet_labels_count(*labels) != count)
        return report_problem(LANCET_ERROR_INPUT, "%s: expected the data set's %zu classes, found %zu labels",
                              path, count, lancet_labels_count(*labels));
    for (size_t i = 0; i < count; i++)
        if (strcmp(lancet_labels_text(*labels, i), lancet_dataset_class(dataset, i)->words[0]) != 0)
            return report_problem(LANCET_ERROR_INPUT, "%s: label %zu: expected '%s', found '%s'", path, i + 1,
                                  lancet_dataset_class(dataset, i)->words[0], lancet_labels_text(*labels, i));
    return EXIT_DONE;
}

static int encode(lancet_labels **labels, lancet_session *session, const eval_settings *settings,
                  lancet_protocol protocol, const texts *words)
{
    const bool empty = settings->redundant == LANCET_REDUNDANT_EMPTY || protocol == LANCET_PROTOCOL_POINTS ||
                       protocol == LANCET_PROTOCOL_LABEL_L1;
    lancet_label_options options = {.redundant = empty ? LANCET_REDUNDANT_EMPTY : LANCET_REDUNDANT_AUTO,
                                    .progress = progress_of_work};
    lancet_templates *templates = NULL;
    lancet_error error;
    progress bar;
    int status = EXIT_DONE;

    if (lancet_templates_open(&templates, settings->templates ? settings->templates : "85", &error) !=
        LANCET_OK)
        return report_error(&error);
    progress_begin(&bar, "sentences", settings->common.quiet);
    options.templates = templates;
    options.progress_context = &bar;
    if (lancet_labels_encode(labels, session, texts_view(words), words->count, &options, &error) != LANCET_OK)
        status = report_error(&error);
    progress_end(&bar);
    lancet_templates_close(&templates);
    if (status == EXIT_DONE)
        report_lost(*labels);
    return status;
}

int eval_get_labels(lancet_labels **labels, lancet_session *session, const eval_settings *settings,
                    lancet_protocol protocol, const lancet_dataset *dataset)
{
    texts words = {0};
    int status = EXIT_DONE;

    if (settings->labels && settings->templates)
        return report_usage("--templates: the bank %s has its own", settings->labels);
    if (settings->labels)
        return open_bank(labels, settings->labels, dataset);
    for (size_t i = 0; i < lancet_dataset_class_count(dataset) && status == EXIT_DONE; i++)
        if (!texts_add(&words, lancet_dataset_class(dataset, i)->words[0]))
            status = report_memory();
    if (status == EXIT_DONE)
        status = encode(labels, session, settings, protocol, &words);
    texts_close(&words);
    return status;
}
