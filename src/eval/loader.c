/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/loader.h"

#include "base/memory.h"
#include "base/status.h"

#include <pthread.h>
#include <string.h>

typedef struct slot {
    bool ready;
    lancet_loaded loaded;
} slot;

/* Pictures begun, loaded and handed out are counted from 0; number n passes through slot n % slot_count. */
struct lancet_loader {
    lancet_dataset *dataset;
    size_t *pictures;
    size_t count, begun, given;
    slot *slots;
    size_t slot_count;
    bool stopped;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t *threads;
    int thread_count;
};

/* Masks were made of the pixels as they are stored, so EXIF's orientation is not obeyed. */
static void load(lancet_loaded *loaded, lancet_dataset *dataset, size_t picture)
{
    const lancet_image_options options = {.ignore_orientation = true};

    memset(loaded, 0, sizeof *loaded);
    loaded->picture = picture;
    loaded->status = lancet_dataset_truth(&loaded->truth, dataset, picture, &loaded->error);
    if (loaded->status == LANCET_OK)
        loaded->status = lancet_image_open(&loaded->image, lancet_dataset_picture_path(dataset, picture),
                                           &options, &loaded->error);
    if (loaded->status == LANCET_OK && loaded->truth->labels) {
        const lancet_picture pixels = lancet_image_picture(loaded->image);

        if (pixels.width != loaded->truth->width || pixels.height != loaded->truth->height)
            loaded->status = lancet_fail(&loaded->error, LANCET_ERROR_INPUT,
                                         "%s: expected the mask's %zu x %zu pixels, found %zu x %zu",
                                         lancet_dataset_picture_path(dataset, picture), loaded->truth->width,
                                         loaded->truth->height, pixels.width, pixels.height);
    }
}

static void *work(void *context)
{
    lancet_loader *loader = context;

    pthread_mutex_lock(&loader->lock);
    for (;;) {
        lancet_loaded loaded;
        size_t number;
        slot *s;

        while (!loader->stopped && loader->begun < loader->count &&
               loader->begun - loader->given >= loader->slot_count)
            pthread_cond_wait(&loader->changed, &loader->lock);
        if (loader->stopped || loader->begun == loader->count)
            break;
        number = loader->begun++;
        pthread_mutex_unlock(&loader->lock);
        load(&loaded, loader->dataset, loader->pictures[number]);
        pthread_mutex_lock(&loader->lock);
        s = &loader->slots[number % loader->slot_count];
        s->loaded = loaded;
        s->ready = true;
        pthread_cond_broadcast(&loader->changed);
    }
    pthread_mutex_unlock(&loader->lock);
    return NULL;
}

static lancet_status start(lancet_loader *loader, int threads, lancet_error *error)
{
    for (; loader->thread_count < threads; loader->thread_count++)
        if (pthread_create(&loader->threads[loader->thread_count], NULL, work, loader) != 0)
            /* Fewer than wished do the same work. */
            return loader->thread_count ? LANCET_OK
                                        : lancet_fail(error, LANCET_ERROR_IO, "a thread cannot be started");
    return LANCET_OK;
}

lancet_status lancet_loader_open(lancet_loader **loader, lancet_dataset *dataset, const size_t *pictures,
                                 size_t count, int threads, lancet_error *error)
{
    lancet_loader *made = lancet_allocate_zero(1, sizeof *made);
    lancet_status status;

    *loader = NULL;
    if (!made)
        return lancet_fail_memory(error, "reading ahead");
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->changed, NULL);
    made->dataset = dataset;
    made->count = count;
    made->slot_count = (size_t)threads + 2;
    made->pictures = lancet_allocate(count, sizeof *made->pictures);
    made->slots = lancet_allocate_zero(made->slot_count, sizeof *made->slots);
    made->threads = lancet_allocate_zero((size_t)threads, sizeof *made->threads);
    if (made->pictures && made->slots && made->threads) {
        if (count)
            memcpy(made->pictures, pictures, count * sizeof *pictures);
        status = start(made, threads, error);
    } else {
        status = lancet_fail_memory(error, "reading ahead");
    }
    if (status == LANCET_OK)
        *loader = made;
    else
        lancet_loader_close(&made);
    return status;
}

bool lancet_loader_next(lancet_loaded *loaded, lancet_loader *loader)
{
    slot *s;

    if (loader->given == loader->count)
        return false;
    s = &loader->slots[loader->given % loader->slot_count];
    pthread_mutex_lock(&loader->lock);
    while (!s->ready)
        pthread_cond_wait(&loader->changed, &loader->lock);
    *loaded = s->loaded;
    s->ready = false;
    loader->given++;
    pthread_cond_broadcast(&loader->changed);
    pthread_mutex_unlock(&loader->lock);
    return true;
}

void lancet_loaded_close(lancet_loaded *loaded)
{
    lancet_image_close(&loaded->image);
    lancet_truth_close(&loaded->truth);
}

void lancet_loader_close(lancet_loader **loader)
{
    lancet_loader *l = loader ? *loader : NULL;

    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    l->stopped = true;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
    for (int i = 0; i < l->thread_count; i++)
        pthread_join(l->threads[i], NULL);
    for (size_t i = 0; l->slots && i < l->slot_count; i++)
        if (l->slots[i].ready)
            lancet_loaded_close(&l->slots[i].loaded);
    pthread_cond_destroy(&l->changed);
    pthread_mutex_destroy(&l->lock);
    lancet_free(l->pictures);
    lancet_free(l->slots);
    lancet_free(l->threads);
    lancet_free(l);
    *loader = NULL;
}
