/* Decoding ahead: threads of their own read pictures and their ground truth while the model is at work.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_EVAL_LOADER_H
#define LANCET_EVAL_LOADER_H

#include "lancet/dataset.h"
#include "lancet/image.h"

/** One picture with its truth, or why there is none. */
typedef struct lancet_loaded {
    size_t picture; /**< index in the data set */
    lancet_image *image;
    lancet_truth *truth;
    lancet_status status;
    lancet_error error; /**< names the file */
} lancet_loaded;

typedef struct lancet_loader lancet_loader;

/** Begins to load `pictures` [count], which are copied, with `threads` threads (at least 1). At most
 * threads + 2 pictures are in memory at a time, however many there are. Errors: MEMORY, IO. */
lancet_status lancet_loader_open(lancet_loader **loader, lancet_dataset *dataset, const size_t *pictures,
                                 size_t count, int threads, lancet_error *error);

/** The next one in order; waits for it. False behind the last one. lancet_loaded_close it. */
bool lancet_loader_next(lancet_loaded *loaded, lancet_loader *loader);

void lancet_loaded_close(lancet_loaded *loaded);

/** Ends the threads, also with pictures left to load. */
void lancet_loader_close(lancet_loader **loader);

#endif
