/* Decoding ahead: threads of their own read pictures, and their ground truth, while the model is at work.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_EVAL_LOADER_H
#define LANCET_EVAL_LOADER_H

#include "lancet/dataset.h"
#include "lancet/image.h"

/** One picture with its truth, or why there is none. */
typedef struct lancet_loaded {
    size_t picture; /**< index in the data set or list */
    lancet_image *image;
    lancet_truth *truth; /**< NULL for pictures of a list */
    lancet_status status;
    lancet_error error; /**< names the file */
} lancet_loaded;

typedef struct lancet_loader lancet_loader;

/** What the threads do: fills in all but `picture` of *loaded, which is zero otherwise. */
typedef void lancet_load(void *context, lancet_loaded *loaded);

/** Begins to load `pictures` [count], which are copied, with `threads` threads (at least 1). At most
 * threads + `ahead` pictures are in memory at a time, however many there are, and no further one is begun
 * while those take more than 512 MiB. Errors: MEMORY, IO. */
lancet_status lancet_loader_open(lancet_loader **loader, lancet_load *load, void *context,
                                 const size_t *pictures, size_t count, int threads, size_t ahead,
                                 lancet_error *error);

/** Loads a data set's picture with its truth; context is the lancet_dataset. */
void lancet_load_truth(void *dataset, lancet_loaded *loaded);

/** The next one in order; waits for it. False behind the last one. lancet_loaded_close it. */
bool lancet_loader_next(lancet_loaded *loaded, lancet_loader *loader);

/** Whether lancet_loader_next would not have to wait: the next one is there, or there is none. */
bool lancet_loader_ready(lancet_loader *loader);

void lancet_loaded_close(lancet_loaded *loaded);

/** Ends the threads, also with pictures left to load. */
void lancet_loader_close(lancet_loader **loader);

#endif
