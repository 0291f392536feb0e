/* mIoU and mSC of many samples, and how sure they are. SPDX-License-Identifier: Apache-2.0 */
#include "lancet/metrics.h"

#include "base/memory.h"
#include "base/status.h"
#include "eval/bootstrap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RESAMPLES_MAX 100000

/* What one sample came to at its threshold; the parts of it that do not count are NaN. */
typedef struct outcome {
    double iou, contrast, everything;
    size_t label, picture; /* picture: 0 to picture_count - 1 */
} outcome;

/* Sums of one mean of means. */
typedef struct mean_of_class {
    double sum, weight;
} mean_of_class;

typedef struct work {
    const lancet_sample *samples;
    size_t count, class_count, picture_count;
    const lancet_totals_options *options;
    outcome *outcomes;       /* [count] */
    double *curves;          /* [class_count, LANCET_THRESHOLDS]: sums of IoU */
    size_t *counted;         /* [class_count]: samples with foreground */
    int *thresholds;         /* [class_count] */
    mean_of_class *means[3]; /* [class_count] each: IoU, contrast, everything */
} work;

static lancet_status check(const work *w, lancet_error *error)
{
    const lancet_totals_options *o = w->options;

    if ((unsigned)o->threshold > LANCET_THRESHOLD_FIXED)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "threshold: expected a lancet_threshold, found %d",
                           (int)o->threshold);
    if ((unsigned)o->average > LANCET_AVERAGE_SAMPLE)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "average: expected a lancet_average, found %d",
                           (int)o->average);
    if (o->fixed < 0 || o->fixed >= LANCET_THRESHOLDS || (o->fixed && o->threshold != LANCET_THRESHOLD_FIXED))
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "fixed: expected 0 to %d, and only with a fixed threshold, found %d",
                           LANCET_THRESHOLDS - 1, o->fixed);
    if (o->resamples < -1 || o->resamples > RESAMPLES_MAX)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "resamples: expected -1 to %d, found %d",
                           RESAMPLES_MAX, o->resamples);
    for (size_t i = 0; i < w->count; i++)
        if (!w->samples[i].score || w->samples[i].label >= w->class_count)
            return lancet_fail(error, LANCET_ERROR_ARGUMENT, "sample %zu: %s", i,
                               w->samples[i].score ? "its label is none of the classes" : "has no score");
    return LANCET_OK;
}

static int compare_numbers(const void *left, const void *right)
{
    const size_t a = *(const size_t *)left, b = *(const size_t *)right;

    return a < b ? -1 : a > b;
}

/* Pictures by numbers without gaps, in rising order, so that the bootstrap does not depend on what they are
 * called.
 */
static lancet_status number_pictures(work *w, lancet_error *error)
{
    size_t *names = lancet_allocate(w->count, sizeof *names);

    if (!names)
        return lancet_fail_memory(error, "the samples' pictures");
    for (size_t i = 0; i < w->count; i++)
        names[i] = w->samples[i].picture;
    qsort(names, w->count, sizeof *names, compare_numbers);
    for (size_t i = 0; i < w->count; i++)
        if (i == 0 || names[i] != names[w->picture_count - 1])
            names[w->picture_count++] = names[i];
    for (size_t i = 0; i < w->count; i++) {
        const size_t *found =
            bsearch(&w->samples[i].picture, names, w->picture_count, sizeof *names, compare_numbers);

        w->outcomes[i].picture = (size_t)(found - names);
    }
    lancet_free(names);
    return LANCET_OK;
}

static double iou_at(const lancet_sample *sample, size_t k)
{
    return lancet_overlap_iou(&sample->score->at[k], sample->score->foreground);
}

/* The mean over the data set of what `curves` sums up, at one threshold. */
static double mean_at(const work *w, size_t k)
{
    double sum = 0;
    size_t weight = 0;

    for (size_t c = 0; c < w->class_count; c++) {
        const double of_class = w->curves[c * LANCET_THRESHOLDS + k];

        if (!w->counted[c])
            continue;
        if (w->options->average == LANCET_AVERAGE_CLASS) {
            sum += of_class / (double)w->counted[c];
            weight++;
        } else {
            sum += of_class;
            weight += w->counted[c];
        }
    }
    return weight ? 100 * sum / (double)weight : 0;
}

/* The grid search: fills the totals' curve, and the thresholds of the classes where it decides them. */
static void search(work *w, lancet_totals *totals)
{
    int best = 0;

    for (size_t i = 0; i < w->count; i++) {
        if (!w->samples[i].score->foreground)
            continue;
        w->counted[w->samples[i].label]++;
        for (size_t k = 0; k < LANCET_THRESHOLDS; k++)
            w->curves[w->samples[i].label * LANCET_THRESHOLDS + k] += iou_at(&w->samples[i], k);
    }
    for (size_t k = 0; k < LANCET_THRESHOLDS; k++) {
        totals->curve[k] = mean_at(w, k);
        if (totals->curve[k] > totals->curve[best])
            best = (int)k;
    }
    if (w->options->threshold == LANCET_THRESHOLD_FIXED)
        best = w->options->fixed;
    totals->threshold =
        w->options->threshold == LANCET_THRESHOLD_BEST || w->options->threshold == LANCET_THRESHOLD_FIXED
            ? best
            : -1;
    for (size_t c = 0; c < w->class_count; c++) {
        w->thresholds[c] = totals->threshold;
        if (w->options->threshold != LANCET_THRESHOLD_PER_CLASS)
            continue;
        w->thresholds[c] = 0;
        for (int k = 1; k < LANCET_THRESHOLDS; k++)
            if (w->curves[c * LANCET_THRESHOLDS + (size_t)k] >
                w->curves[c * LANCET_THRESHOLDS + (size_t)w->thresholds[c]])
                w->thresholds[c] = k;
    }
}

static double iou_of(const work *w, const lancet_sample *sample)
{
    const lancet_map_score *score = sample->score;
    double best = 0;

    switch (w->options->threshold) {
    case LANCET_THRESHOLD_OTSU:
        return lancet_overlap_iou(&score->at_otsu, score->foreground);
    case LANCET_THRESHOLD_MEAN:
        return lancet_overlap_iou(&score->at_mean, score->foreground);
    case LANCET_THRESHOLD_PER_IMAGE:
        for (size_t k = 0; k < LANCET_THRESHOLDS; k++)
            best = fmax(best, iou_at(sample, k));
        return best;
    default:
        return iou_at(sample, (size_t)w->thresholds[sample->label]);
    }
}

static void judge(work *w)
{
    for (size_t i = 0; i < w->count; i++) {
        const lancet_map_score *score = w->samples[i].score;
        const double pixels = (double)(score->foreground + score->background);
        outcome *o = &w->outcomes[i];

        o->label = w->samples[i].label;
        o->iou = score->foreground ? iou_of(w, &w->samples[i]) : NAN;
        o->everything = score->foreground ? (double)score->foreground / pixels : NAN;
        if (!lancet_map_score_contrast(score, &o->contrast))
            o->contrast = NAN;
    }
}

static void add(mean_of_class *mean, double value, double weight)
{
    if (isnan(value) || weight == 0)
        return;
    mean->sum += weight * value;
    mean->weight += weight;
}

static double mean_of(const work *w, const mean_of_class *classes)
{
    double sum = 0, weight = 0;

    for (size_t c = 0; c < w->class_count; c++) {
        if (classes[c].weight == 0)
            continue;
        sum +=
            w->options->average == LANCET_AVERAGE_CLASS ? classes[c].sum / classes[c].weight : classes[c].sum;
        weight += w->options->average == LANCET_AVERAGE_CLASS ? 1 : classes[c].weight;
    }
    return weight > 0 ? 100 * sum / weight : NAN;
}

/* Means of the samples' outcomes, each picture counted `weights` times (NULL: once). */
static void average(work *w, const uint32_t *weights)
{
    for (size_t m = 0; m < 3; m++)
        memset(w->means[m], 0, w->class_count * sizeof *w->means[m]);
    for (size_t i = 0; i < w->count; i++) {
        const outcome *o = &w->outcomes[i];
        const double weight = weights ? weights[o->picture] : 1;

        add(&w->means[0][o->label], o->iou, weight);
        add(&w->means[1][o->label], o->contrast, weight);
        add(&w->means[2][o->label], o->everything, weight);
    }
}

static lancet_status bootstrap(work *w, lancet_totals *totals, lancet_error *error)
{
    const size_t resamples = lancet_bootstrap_resamples(w->options);
    uint32_t *weights = lancet_allocate(w->picture_count, sizeof *weights);
    double *values = lancet_allocate(2 * resamples, sizeof *values);
    uint64_t state = w->options->seed;
    size_t counts[2] = {0, 0};

    if (!weights || !values) {
        lancet_free(weights);
        lancet_free(values);
        return lancet_fail_memory(error, "the bootstrap");
    }
    for (size_t r = 0; r < resamples; r++) {
        lancet_bootstrap_draw(weights, w->picture_count, &state);
        average(w, weights);
        for (size_t m = 0; m < 2; m++) {
            const double value = mean_of(w, w->means[m]);

            if (!isnan(value)) /* all drawn pictures may lack a background */
                values[m * resamples + counts[m]++] = value;
        }
    }
    lancet_bootstrap_interval(&totals->miou, values, counts[0]);
    lancet_bootstrap_interval(&totals->msc, values + resamples, counts[1]);
    lancet_free(weights);
    lancet_free(values);
    return LANCET_OK;
}

static void fill_classes(const work *w, lancet_class_total *classes)
{
    for (size_t c = 0; c < w->class_count; c++) {
        const mean_of_class *iou = &w->means[0][c], *contrast = &w->means[1][c], *all = &w->means[2][c];

        classes[c] = (lancet_class_total){
            .samples = (size_t)iou->weight,
            .contrast_samples = (size_t)contrast->weight,
            .iou = iou->weight > 0 ? 100 * iou->sum / iou->weight : NAN,
            .contrast = contrast->weight > 0 ? 100 * contrast->sum / contrast->weight : NAN,
            .foreground_share = all->weight > 0 ? 100 * all->sum / all->weight : NAN,
            .threshold = w->thresholds[c],
        };
    }
}

/* Everything that does not need the bootstrap. */
static lancet_status settle(work *w, lancet_totals *totals, lancet_class_total *classes, lancet_error *error)
{
    size_t samples = 0;

    search(w, totals);
    judge(w);
    average(w, NULL);
    for (size_t c = 0; c < w->class_count; c++) {
        samples += w->counted[c];
        totals->classes += w->counted[c] > 0;
    }
    if (!samples)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "expected a sample with foreground, found none in %zu", w->count);
    totals->samples = samples;
    totals->pictures = w->picture_count;
    totals->miou.value = mean_of(w, w->means[0]);
    totals->msc.value = mean_of(w, w->means[1]);
    totals->everything = mean_of(w, w->means[2]);
    if (classes)
        fill_classes(w, classes);
    return LANCET_OK;
}

static lancet_status prepare(work *w, lancet_error *error)
{
    w->outcomes = lancet_allocate_zero(w->count, sizeof *w->outcomes);
    w->curves = lancet_allocate_zero(w->class_count, LANCET_THRESHOLDS * sizeof *w->curves);
    w->counted = lancet_allocate_zero(w->class_count, sizeof *w->counted);
    w->thresholds = lancet_allocate_zero(w->class_count, sizeof *w->thresholds);
    for (size_t m = 0; m < 3; m++)
        w->means[m] = lancet_allocate_zero(w->class_count, sizeof *w->means[m]);
    if (!w->outcomes || !w->curves || !w->counted || !w->thresholds || !w->means[0] || !w->means[1] ||
        !w->means[2])
        return lancet_fail_memory(error, "the totals");
    return number_pictures(w, error);
}

lancet_status lancet_totals_compute(lancet_totals *totals, lancet_class_total *classes,
                                    const lancet_sample *samples, size_t count, size_t class_count,
                                    const lancet_totals_options *options, lancet_error *error)
{
    static const lancet_totals_options defaults;
    work w = {.samples = samples,
              .count = count,
              .class_count = class_count,
              .options = options ? options : &defaults};
    lancet_status status;

    if (!totals || (!samples && count))
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_totals_compute: %s is NULL",
                           totals ? "samples" : "totals");
    memset(totals, 0, sizeof *totals);
    status = check(&w, error);
    if (status != LANCET_OK)
        return status;
    status = prepare(&w, error);
    if (status == LANCET_OK)
        status = settle(&w, totals, classes, error);
    if (status == LANCET_OK && w.options->resamples >= 0)
        status = bootstrap(&w, totals, error);
    lancet_free(w.outcomes);
    lancet_free(w.curves);
    lancet_free(w.counted);
    lancet_free(w.thresholds);
    for (size_t m = 0; m < 3; m++)
        lancet_free(w.means[m]);
    return status;
}
