/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/loader.h"

#include "base/memory.h"
#include "base/status.h"

#include <pthread.h>
#include <string.h>

/* Large pictures are not all held at once, or a list of panoramas would take many times its largest. */
#define BYTES_MAX ((size_t)512 << 20)

typedef struct slot {
    bool ready;
    size_t bytes;
    lancet_loaded loaded;
} slot;

/* Pictures begun, loaded and handed out are counted from 0; number n passes through slot n % slot_count. */
struct lancet_loader {
    lancet_load *load;
    void *context;
    size_t *pictures;
    size_t count, begun, given;
    size_t bytes; /* of those that are ready */
    slot *slots;
    size_t slot_count;
    bool stopped;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t *threads;
    int thread_count;
};

/* Masks were made of the pixels as they are stored, so EXIF's orientation is not obeyed. */
void lancet_load_truth(void *context, lancet_loaded *loaded)
{
    const lancet_image_options options = {.ignore_orientation = true};
    lancet_dataset *dataset = context;
    const char *path = lancet_dataset_picture_path(dataset, loaded->picture);

    loaded->status = lancet_dataset_truth(&loaded->truth, dataset, loaded->picture, &loaded->error);
    if (loaded->status == LANCET_OK)
        loaded->status = lancet_image_open(&loaded->image, path, &options, &loaded->error);
    if (loaded->status == LANCET_OK && loaded->truth->labels) {
        const lancet_picture pixels = lancet_image_picture(loaded->image);

        if (pixels.width != loaded->truth->width || pixels.height != loaded->truth->height)
            loaded->status =
                lancet_fail(&loaded->error, LANCET_ERROR_INPUT,
                            "%s: expected the mask's %zu x %zu pixels, found %zu x %zu", path,
                            loaded->truth->width, loaded->truth->height, pixels.width, pixels.height);
    }
}

static size_t bytes_of(const lancet_loaded *loaded)
{
    const lancet_picture pixels = lancet_image_picture(loaded->image);

    return pixels.width * pixels.height * 3;
}

/* Whether the next picture has to wait: for a slot, or for memory while somebody has yet to take some. */
static bool is_full(const lancet_loader *loader)
{
    return loader->begun - loader->given >= loader->slot_count ||
           (loader->bytes > BYTES_MAX && loader->begun > loader->given);
}

static void *work(void *context)
{
    lancet_loader *loader = context;

    pthread_mutex_lock(&loader->lock);
    for (;;) {
        lancet_loaded loaded;
        size_t number;
        slot *s;

        while (!loader->stopped && loader->begun < loader->count && is_full(loader))
            pthread_cond_wait(&loader->changed, &loader->lock);
        if (loader->stopped || loader->begun == loader->count)
            break;
        number = loader->begun++;
        pthread_mutex_unlock(&loader->lock);
        memset(&loaded, 0, sizeof loaded);
        loaded.picture = loader->pictures[number];
        loader->load(loader->context, &loaded);
        pthread_mutex_lock(&loader->lock);
        s = &loader->slots[number % loader->slot_count];
        s->loaded = loaded;
        s->bytes = bytes_of(&loaded);
        loader->bytes += s->bytes;
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

lancet_status lancet_loader_open(lancet_loader **loader, lancet_load *load, void *context,
                                 const size_t *pictures, size_t count, int threads, size_t ahead,
                                 lancet_error *error)
{
    lancet_loader *made = lancet_allocate_zero(1, sizeof *made);
    lancet_status status;

    *loader = NULL;
    if (!made)
        return lancet_fail_memory(error, "reading ahead");
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->changed, NULL);
    made->load = load;
    made->context = context;
    made->count = count;
    made->slot_count = (size_t)threads + ahead;
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
    loader->bytes -= s->bytes;
    loader->given++;
    pthread_cond_broadcast(&loader->changed);
    pthread_mutex_unlock(&loader->lock);
    return true;
}

bool lancet_loader_ready(lancet_loader *loader)
{
    bool ready;

    if (loader->given == loader->count)
        return true;
    pthread_mutex_lock(&loader->lock);
    ready = loader->slots[loader->given % loader->slot_count].ready;
    pthread_mutex_unlock(&loader->lock);
    return ready;
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
