/* Evaluation: a protocol of the paper run over a data set, with a report of figures at the end. Part of
 * liblancet-eval.
 *
 * Every picture gives a record of plain numbers, all figures are computed from the records of all pictures in
 * the order of the data set: the report's bytes do not depend on threads, processes or interruptions.
 * docs/evaluation.md defines the protocols.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_EVAL_H
#define LANCET_EVAL_H

#include "lancet/dataset.h"
#include "lancet/error.h"
#include "lancet/features.h"
#include "lancet/labels.h"
#include "lancet/maps.h"
#include "lancet/metrics.h"
#include "lancet/session.h"

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What is measured. A protocol's version is raised when the same input would give other figures. */
typedef enum lancet_protocol {
    LANCET_PROTOCOL_EXPLAINABILITY = 0, /**< mIoU of each present label's map, and mSC (Eq. 12) */
    LANCET_PROTOCOL_SEGMENTATION,       /**< mIoU of label maps, from the confusion matrix */
    LANCET_PROTOCOL_MULTI_LABEL,        /**< mAP of whole pictures' labels */
    LANCET_PROTOCOL_POINTS,             /**< how many points lie right (Fig. 10) */
    LANCET_PROTOCOL_FSR,                /**< mFSR of attention, raw and consistent (Eq. 4, Fig. 4) */
    LANCET_PROTOCOL_AFFINITY, /**< cosine of each block's branches with the labels (Eq. 5, Fig. 5) */
    LANCET_PROTOCOL_LABEL_L1, /**< distance to the empty string's map (Fig. 6) */
    LANCET_PROTOCOL_COUNT     /**< how many there are; not a protocol */
} lancet_protocol;

/** "explainability", "multi-label", ...; NULL for a number that is none. */
LANCET_API const char *lancet_protocol_name(lancet_protocol protocol);

/** One sentence; NULL for a number that is none. */
LANCET_API const char *lancet_protocol_summary(lancet_protocol protocol);

/** 1, 2, ...; 0 for a number that is none. */
LANCET_API int lancet_protocol_version(lancet_protocol protocol);

/** *protocol = the one of that name. Errors: ARGUMENT (the message lists the names). */
LANCET_API lancet_status lancet_protocol_find(lancet_protocol *protocol, const char *name,
                                              lancet_error *error);

/** One row of the tables: a way of making maps. Several share what they have in common for each picture. */
typedef struct lancet_variant {
    const char *name; /**< "surgery", "surgery, tau 3" */
    lancet_feature_options features;
    lancet_map_options maps;
    int crop_columns,
        crop_rows; /**< segmentation: as in lancet_segment_task; default (0): the whole picture */
} lancet_variant;

/** The most variants of one evaluation. */
#define LANCET_VARIANTS_MAX 64

/** Zero is the default but for `variants`. */
typedef struct lancet_evaluation {
    lancet_protocol protocol;
    const lancet_variant *variants; /**< [variant_count], at least one */
    size_t variant_count;
    lancet_totals_options totals; /**< explainability: threshold; all: average, bootstrap */
    const char *journal;          /**< folder in which what was measured is kept: an evaluation that was
                                       interrupted goes on from there, and one of more pictures or of other
                                       totals uses what is there already. NULL: nothing is kept */
    size_t limit;                 /**< only that many pictures, the first; default (0): all */
    lancet_broken on_broken;      /**< pictures that cannot be read; SKIP: they are listed in the report */
    bool no_sheet; /**< explainability: true leaves out the picture of the best and the worst samples */
    int decoders;  /**< threads that read pictures ahead, 1 to 64; default (0): 2 */
    /** called now and then; false stops with ARGUMENT "stopped". NULL: not called. What an interrupted run
     * had measured counts as done from the start: `resumed` of `total` */
    bool (*progress)(void *context, size_t done, size_t resumed, size_t total);
    void *progress_context;
} lancet_evaluation;

/** Settings, tables and curves. */
typedef struct lancet_report lancet_report;

/** Evaluates. labels: one for each class of the data set, in its order, with the empty string's features
 * where a variant needs them.
 *
 * Under MPI (lancet_parallel_begin) each process measures its share and process 0 reports.
 * On success *report is the caller's (lancet_report_close), NULL in processes other than the first. On
 * failure it is NULL. Errors: ARGUMENT (a NULL, an option out of range, labels that do not fit, a data set
 * without what the protocol needs), INPUT (a broken picture with REFUSE; the journal of another evaluation),
 * IO, MEMORY, and what lancet_features_encode and lancet_maps_compute say. */
LANCET_API lancet_status lancet_evaluate(lancet_report **report, lancet_session *session,
                                         const lancet_labels *labels, lancet_dataset *dataset,
                                         const lancet_evaluation *evaluation, lancet_error *error);

LANCET_API void lancet_report_close(lancet_report **report);

typedef enum lancet_report_form {
    LANCET_REPORT_MARKDOWN = 0, /**< everything, rounded, for people */
    LANCET_REPORT_JSON          /**< everything, exactly */
} lancet_report_form;

/** The report as text. On success *text is the caller's (lancet_report_text_close), on failure NULL.
 * Errors: ARGUMENT, MEMORY. */
LANCET_API lancet_status lancet_report_text(char **text, const lancet_report *report, lancet_report_form form,
                                            lancet_error *error);

LANCET_API void lancet_report_text_close(char **text);

/** Writes report.md, report.json, a CSV file for each table, an SVG file for each plot and samples.png, if
 * there is one, into `folder`, which is there; each as a whole or not at all. Errors: ARGUMENT, IO, MEMORY.
 */
LANCET_API lancet_status lancet_report_write(const lancet_report *report, const char *folder,
                                             lancet_error *error);

/* ---- Processes ---- */

/** Joins the processes that mpirun started; without mpirun, or in a build without MPI, this process is alone.
 * Before any other call, once; lancet_parallel_end at the end. Errors: IO. */
LANCET_API lancet_status lancet_parallel_begin(lancet_error *error);

/** failed: also ends the others, who would wait for this process. */
LANCET_API void lancet_parallel_end(bool failed);

LANCET_API size_t lancet_parallel_rank(void); /**< of this process, from 0 */
LANCET_API size_t lancet_parallel_size(void); /**< how many there are */

#ifdef __cplusplus
}
#endif
#endif
