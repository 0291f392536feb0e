/* COCO's annotation files. SPDX-License-Identifier: Apache-2.0
 *
 * They are walked, not built as trees: the shapes of things, which are nearly all of a file, stay where they
 * are in its mapping until somebody asks for them. */
#ifndef LANCET_EVAL_COCO_FILE_H
#define LANCET_EVAL_COCO_FILE_H

#include "base/file.h"
#include "base/memory.h"
#include "eval/runs.h"

typedef struct lancet_coco_category {
    size_t id;
    char *name;
    int thing; /* 1 or 0; -1: the file does not say */
} lancet_coco_category;

typedef struct lancet_coco_image {
    size_t id, width, height;
    char *file_name;
    size_t file; /* which it is from */
} lancet_coco_image;

/** An instance; or a picture's panoptic map (category unused). */
typedef struct lancet_coco_annotation {
    size_t id, image, category;
    bool crowd;
    size_t file;
    size_t number;     /* of the annotation in its file, from 0: for messages */
    const char *shape; /* JSON of "segmentation"; NULL if it has none */
    size_t shape_length;
    char *file_name;     /* panoptic: the PNG's */
    size_t first, count; /* panoptic: its segments */
} lancet_coco_annotation;

/** A segment of a panoptic map. */
typedef struct lancet_coco_segment {
    size_t id, category;
    bool crowd;
} lancet_coco_segment;

typedef struct lancet_coco_file {
    char *path;
    lancet_mapping mapping; /* closed if the bytes are the caller's */
} lancet_coco_file;

/** Everything of one or more files. Zero-initialised is empty. */
typedef struct lancet_coco {
    bool panoptic;
    lancet_coco_file *files;
    lancet_coco_category *categories;
    lancet_coco_image *images;
    lancet_coco_annotation *annotations;
    lancet_coco_segment *segments;
    size_t file_count, category_count, image_count, annotation_count, segment_count;
    size_t file_capacity, category_capacity, image_capacity, annotation_capacity, segment_capacity;
} lancet_coco;

/** Adds what a file holds. Errors: IO, INPUT (not JSON, cut short, a part that is missing or of another kind,
 * a number out of range; the message has the file and the byte or the entry), MEMORY. */
lancet_status lancet_coco_read(lancet_coco *coco, const char *path, lancet_error *error);

/** The same from bytes that outlive `coco`. */
lancet_status lancet_coco_read_memory(lancet_coco *coco, const char *bytes, size_t length, const char *name,
                                      lancet_error *error);

void lancet_coco_close(lancet_coco *coco);

/** Appends the pixels of an annotation's shape to `runs` (not united). *steps: those that the boundaries of
 * the picture's polygons took so far, as there is a limit for all of them together. Errors: INPUT, MEMORY;
 * the message names the annotation. */
lancet_status lancet_coco_shape(const lancet_coco *coco, const lancet_coco_annotation *annotation,
                                size_t width, size_t height, lancet_runs *runs, uint64_t *steps,
                                lancet_error *error);

#endif
