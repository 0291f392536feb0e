/* Data sets from the inside: what readers fill in. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_EVAL_DATASET_H
#define LANCET_EVAL_DATASET_H

#include "base/memory.h"
#include "base/status.h"
#include "eval/class_lists.h"
#include "eval/truth.h"
#include "lancet/dataset.h"

#include <pthread.h>

/** More pictures are refused. */
#define LANCET_PICTURES_MAX ((size_t)1 << 24)

typedef struct lancet_dataset_entry {
    char *id;
    char *picture;        /* file */
    char *mask;           /* file; NULL where there is none */
    size_t width, height; /* that the annotations say; 0: they do not */
    size_t first, count;  /* the reader's own: annotations of this picture */
    char *trouble;        /* why it is left out; NULL: it is not */
} lancet_dataset_entry;

typedef struct lancet_dataset_reader lancet_dataset_reader;

struct lancet_dataset {
    lancet_dataset_about about;
    const lancet_dataset_reader *reader;
    void *state; /* the reader's own */
    lancet_classes *classes;
    lancet_dataset_entry *entries;
    size_t count, capacity;
    lancet_broken on_broken;
    char *texts[4]; /* what `about` points to: evidence, split, classes, annotations */
    char **skipped; /* [skipped_count] at opening */
    size_t skipped_count, skipped_capacity;
    pthread_mutex_t mutex; /* of the entries' troubles once the data set is open */
    bool has_mutex;
};

/** What a reader is asked to open. Strings are never NULL but for those of the options. */
typedef struct lancet_dataset_source {
    const char *folder;
    const lancet_dataset_options *options;
} lancet_dataset_source;

struct lancet_dataset_reader {
    lancet_layout layout;
    const char *name;
    /** Appends to `evidence` what in the folder shows this layout, or nothing. Errors: MEMORY. */
    lancet_status (*recognise)(const lancet_dataset_source *source, lancet_buffer *evidence,
                               lancet_error *error);
    /** Fills in entries, classes and state. */
    lancet_status (*open)(lancet_dataset *dataset, const lancet_dataset_source *source, lancet_error *error);
    /** Fills in the truth of an entry; width, height and labels or present. Messages need not name the entry.
     */
    lancet_status (*truth)(lancet_truth_work *work, const lancet_dataset *dataset,
                           const lancet_dataset_entry *entry, lancet_error *error);
    void (*close)(void *state); /* NULL: nothing of its own */
};

extern const lancet_dataset_reader lancet_reader_voc, lancet_reader_context, lancet_reader_coco,
    lancet_reader_coco_panoptic, lancet_reader_coco_stuff, lancet_reader_cityscapes, lancet_reader_ade20k,
    lancet_reader_imagenet_s, lancet_reader_nus_wide, lancet_reader_folder;

/* ---- For readers ---- */

/** Which of the data set's texts. */
enum { LANCET_TEXT_EVIDENCE, LANCET_TEXT_SPLIT, LANCET_TEXT_CLASSES, LANCET_TEXT_ANNOTATIONS };

/** Keeps a copy of `text`; puts ", " and it behind what is there already. Errors: MEMORY. */
lancet_status lancet_dataset_say(lancet_dataset *dataset, int which, const char *text, lancet_error *error);

/** A new entry at the end, all zero but for the copy of `id`; NULL with the error set (INPUT: too many,
 * MEMORY).
 */
lancet_dataset_entry *lancet_dataset_add(lancet_dataset *dataset, const char *id, size_t length,
                                         lancet_status *status, lancet_error *error);

/** Something of an entry is broken: with REFUSE fails with the message, with SKIP notes it as the entry's
 * trouble (the first stays) and returns LANCET_OK, or MEMORY. `entry` NULL: of something that belongs to no
 * entry. */
lancet_status lancet_dataset_trouble(lancet_dataset *dataset, lancet_dataset_entry *entry,
                                     lancet_error *error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/** The options' class list if there is one, else `fallback`. Errors: as lancet_classes_open. */
lancet_status lancet_dataset_use_classes(lancet_dataset *dataset, const lancet_dataset_source *source,
                                         const char *fallback, lancet_error *error);

/** Troubles every entry whose picture or mask is not there, or whose id was there before. */
lancet_status lancet_dataset_check_files(lancet_dataset *dataset, lancet_error *error);

/** Fails with ARGUMENT unless there is such a picture. */
lancet_status lancet_dataset_check_index(const lancet_dataset *dataset, size_t index, lancet_error *error);

/** Fails unless the entry's picture has that size as it is stored. */
lancet_status lancet_dataset_check_size(const lancet_dataset_entry *entry, size_t width, size_t height,
                                        const char *whose, lancet_error *error);

/** The truth of an entry whose mask is a label map. */
lancet_status lancet_dataset_truth_labels(lancet_truth_work *work, const lancet_dataset *dataset,
                                          const lancet_dataset_entry *entry, lancet_error *error);

#endif
