/* Data sets: pictures with ground truth, in the layouts that the field publishes. Part of liblancet-eval.
 *
 * A data set is opened from its folder. Lists and annotations are read and checked then; masks are read when
 * a truth is asked for, by any number of threads at a time. docs/datasets.md describes the layouts.
 *
 * Nothing in a folder is trusted: names that lead out of it are refused, sizes are bounded, and a file that
 * is missing, damaged or contradicts another is an error that names it, or is left out and listed, never
 * counted as something it is not.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_DATASET_H
#define LANCET_DATASET_H

#include "lancet/classes.h"
#include "lancet/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum lancet_layout {
    LANCET_LAYOUT_AUTO = 0,      /**< what the folder's contents show; see lancet_dataset_about */
    LANCET_LAYOUT_VOC,           /**< PASCAL VOC: JPEGImages, SegmentationClass, ImageSets/Segmentation */
    LANCET_LAYOUT_CONTEXT,       /**< PASCAL Context: JPEGImages, SegmentationClassContext */
    LANCET_LAYOUT_COCO,          /**< COCO instances: annotations/instances_*.json; things overlap */
    LANCET_LAYOUT_COCO_PANOPTIC, /**< COCO panoptic: panoptic_*.json and PNG of segment ids */
    LANCET_LAYOUT_COCO_STUFF,    /**< COCO-Stuff's label maps: stuffthingmaps */
    LANCET_LAYOUT_CITYSCAPES,    /**< leftImg8bit, gtFine (NAME_gtFine_labelIds.png), or all in one folder */
    LANCET_LAYOUT_ADE20K,        /**< images/validation, annotations/validation */
    LANCET_LAYOUT_IMAGENET_S,    /**< validation, validation-segmentation; a folder a WordNet id */
    LANCET_LAYOUT_NUS_WIDE,      /**< ImageList, TrainTestLabels: labels of whole pictures, no masks */
    LANCET_LAYOUT_FOLDER,        /**< images, masks, classes.txt or a list that the options name */
    LANCET_LAYOUT_COUNT          /**< how many there are; not a layout */
} lancet_layout;

/** "voc", "coco-panoptic", ...; "auto"; NULL for a number that is no layout. */
LANCET_API const char *lancet_layout_name(lancet_layout layout);

/** *layout = the one of that name. Errors: ARGUMENT (the message lists the names). */
LANCET_API lancet_status lancet_layout_find(lancet_layout *layout, const char *name, lancet_error *error);

/** What to do about pictures whose files or entries are missing or wrong. */
typedef enum lancet_broken {
    LANCET_BROKEN_REFUSE = 0, /**< fail, naming the first */
    LANCET_BROKEN_SKIP        /**< leave those pictures out, and list them (lancet_dataset_skipped) */
} lancet_broken;

/** All zero is the default. Folders are relative to the data set's, unless they begin with a slash. */
typedef struct lancet_dataset_options {
    lancet_layout layout;
    /** part of the data set: "val", "train", ...; NULL: the validation part, or the only one there is. COCO:
     * a part of the annotation files' names. FOLDER: folders of that name in images and masks, or SPLIT.txt
     * with a picture's id a line; NULL: all pictures */
    const char *split;
    /** a list that lancet_classes_open takes, also of a file in the data set's folder; NULL: classes.txt if
     * VOC or FOLDER has one, the file's own categories for COCO, else the layout's list */
    const char *classes;
    const char *pictures;    /**< folder of the pictures; NULL: the layout's */
    const char *masks;       /**< folder of the masks; NULL: the layout's */
    const char *annotations; /**< COCO: a JSON file, or a folder of them; NULL: annotations */
    lancet_broken on_broken;
} lancet_dataset_options;

typedef struct lancet_dataset lancet_dataset;

/** Opens the data set in `folder`.
 *
 * options: NULL is the default; not kept. On success *dataset is the caller's (lancet_dataset_close), on
 * failure NULL. Errors: ARGUMENT (a NULL, an option out of range, a folder that shows no layout or more than
 * its names tell), IO, INPUT (a broken list, annotation or picture; with SKIP only what leaves nothing to go
 * on with), UNSUPPORTED, MEMORY. */
LANCET_API lancet_status lancet_dataset_open(lancet_dataset **dataset, const char *folder,
                                             const lancet_dataset_options *options, lancet_error *error);

/** Frees *dataset and sets it to NULL; NULL and a pointer to NULL are fine. Truths live on. */
LANCET_API void lancet_dataset_close(lancet_dataset **dataset);

/** What was opened. Strings live as long as the data set. */
typedef struct lancet_dataset_about {
    lancet_layout layout; /**< never AUTO */
    const char *evidence; /**< what the layout was recognised by; "" if the options said it */
    const char *split;    /**< "" if there are no parts */
    const char *classes;  /**< the list's name, or "categories of the annotations" */
    const char
        *annotations; /**< the list or annotation files that the pictures are from; "" for whole folders */
    bool has_masks;   /**< false: labels of whole pictures alone */
    bool overlapping; /**< things may cover each other: lancet_truth_mask says more than `labels` */
} lancet_dataset_about;

LANCET_API const lancet_dataset_about *lancet_dataset_describe(const lancet_dataset *dataset);

/** Pictures, those that opening skipped left out. They stand in the order of the list, or of their ids. */
LANCET_API size_t lancet_dataset_count(const lancet_dataset *dataset);

/** The picture's name without folder and ending, "2007_000033"; with the folder where there are several.
 * Lives as long as the data set; NULL for an index that is none. */
LANCET_API const char *lancet_dataset_picture_id(const lancet_dataset *dataset, size_t index);

/** The picture's file. To be decoded as it is stored (lancet_image_options.ignore_orientation), for so were
 * the masks made. */
LANCET_API const char *lancet_dataset_picture_path(const lancet_dataset *dataset, size_t index);

LANCET_API const lancet_classes *lancet_dataset_classes(const lancet_dataset *dataset);

/** The same as lancet_classes_count and _get of its classes. */
LANCET_API size_t lancet_dataset_class_count(const lancet_dataset *dataset);
LANCET_API const lancet_class *lancet_dataset_class(const lancet_dataset *dataset, size_t index);

/* ---- Ground truth ---- */

/** What is where in one picture. Immutable; made by lancet_dataset_truth alone. */
typedef struct lancet_truth {
    size_t width, height; /**< of mask and picture alike; 0 without masks */
    /** [height, width]: a class index, LANCET_LABEL_NONE or LANCET_LABEL_IGNORE. Where things overlap the
     * smaller one is on top. NULL without masks */
    const uint16_t *labels;
    const uint16_t *present; /**< [present_count] indices of classes that are in the picture, rising */
    size_t present_count;
} lancet_truth;

/** The truth of a picture; any number of threads may ask at the same time. On success *truth is the caller's
 * (lancet_truth_close), on failure NULL.
 * Errors: ARGUMENT, IO, INPUT (a mask that is missing, damaged, of another size than the picture, with a
 * value that no class has; run lengths or polygons that are wrong), UNSUPPORTED, MEMORY. With SKIP any but
 * ARGUMENT and MEMORY is also noted among the skipped, and the caller leaves the picture out. */
LANCET_API lancet_status lancet_dataset_truth(lancet_truth **truth, lancet_dataset *dataset, size_t index,
                                              lancet_error *error);

LANCET_API void lancet_truth_close(lancet_truth **truth);

/** Whether the class is in the picture. */
LANCET_API bool lancet_truth_has(const lancet_truth *truth, size_t class_index);

/** mask [height, width] = LANCET_TRUTH_ON, _OFF or _UNKNOWN (lancet/metrics.h) for one class: ON where any of
 * its things is, also below others; UNKNOWN where labels say IGNORE, and within crowds of this class. Errors:
 * ARGUMENT (a NULL, a truth without masks, an index that is no class's). */
LANCET_API lancet_status lancet_truth_mask(const lancet_truth *truth, size_t class_index, uint8_t *mask,
                                           lancet_error *error);

/* ---- What was left out ---- */

/** Notes that picture `index` is left out, and why: for what the data set cannot see, such as a picture whose
 * pixels do not decode. The first reason stays. Threads may note at the same time. Errors: ARGUMENT, MEMORY.
 */
LANCET_API lancet_status lancet_dataset_skip(lancet_dataset *dataset, size_t index, const char *reason,
                                             lancet_error *error);

/** How many entries were left out: at opening (first, in the order of the list), and since (by index). */
LANCET_API size_t lancet_dataset_skipped_count(lancet_dataset *dataset);

/** Why: a sentence that names the file. Lives as long as the data set; NULL for an index that is none. */
LANCET_API const char *lancet_dataset_skipped(lancet_dataset *dataset, size_t index);

#ifdef __cplusplus
}
#endif
#endif
