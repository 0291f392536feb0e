/* COCO's annotation files as a data set. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_EVAL_COCO_SET_H
#define LANCET_EVAL_COCO_SET_H

#include "eval/coco_file.h"
#include "eval/dataset.h"

/** What in the folder shows annotations whose files have `kind` ("instances", "panoptic") in their names. */
lancet_status lancet_coco_recognise(const char *kind, const lancet_dataset_source *source,
                                    lancet_buffer *evidence, lancet_error *error);

/** Finds the files, reads and unites them: the data set's state is then a lancet_coco, its classes are there,
 * and its entries have `first` and `count` of the state's annotations. Their files are not checked yet. A
 * picture or annotation that several files have counts once. Errors: ARGUMENT, IO, INPUT, MEMORY. */
lancet_status lancet_coco_open(lancet_dataset *dataset, const lancet_dataset_source *source, const char *kind,
                               lancet_error *error);

/** A reader's close. */
void lancet_coco_close_state(void *state);

/** Makes the entries and links the annotations to them. `folders` [file_count]: of each file's pictures. */
lancet_status lancet_coco_link(lancet_dataset *dataset, lancet_coco *coco, char *const *folders,
                               lancet_error *error);

/** The classes that the options name, or the files' own categories by rising id. */
lancet_status lancet_coco_classes(lancet_dataset *dataset, const lancet_coco *coco,
                                  const lancet_dataset_source *source, lancet_error *error);

#endif
