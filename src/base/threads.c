/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* sched_getaffinity */
#include "base/threads.h"

#include "base/memory.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

/* A forward pass is a few hundred short regions with microseconds between them: a worker that slept after
 * each would be woken by a system call every time. About 50 us of looking costs less. */
#define SPINS_BEFORE_SLEEP 2000

/* Tasks lie in a few lanes, and are claimed from a lane's 64-bit word, `round` in the high half and the next
 * index in the low half. A worker that comes late sees another round or CLOSED and touches nothing, so the
 * caller need not wait for it. */
#define CLOSED UINT32_MAX

/* More lanes than this would take longer to open and close than they save. */
#define LANES_MAX 8

struct lane {
    _Alignas(64) _Atomic uint64_t claim; /* a line of its own: its workers write it */
    _Atomic uint32_t end;
};

struct lancet_pool {
    int threads;
    pthread_t *handles; /* [threads - 1] */
    int started;
    _Atomic uint64_t state; /* round, and 0 or CLOSED: what workers without work look at */
    struct lane lanes[LANES_MAX];
    int lane_count;
    _Alignas(64) _Atomic uint32_t done;
    _Atomic(void (*)(void *, size_t, int)) task;
    _Atomic(void *) context;
    _Atomic bool stop;
    _Atomic int sleepers;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
};

struct start {
    lancet_pool *pool;
    int worker;
};

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

int lancet_processors(void)
{
    cpu_set_t set;
    int count = 1;

    if (sched_getaffinity(0, sizeof set, &set) == 0)
        count = CPU_COUNT(&set);
    return count < 1 ? 1 : count > LANCET_THREADS_MAX ? LANCET_THREADS_MAX : count;
}

/* Claims and runs a lane's tasks until none is left. */
static void work_lane(lancet_pool *pool, struct lane *lane, int worker)
{
    uint64_t claim = atomic_load_explicit(&lane->claim, memory_order_acquire);

    for (;;) {
        const uint32_t index = (uint32_t)claim;

        if (index == CLOSED || index >= atomic_load_explicit(&lane->end, memory_order_relaxed))
            return;
        void (*task)(void *, size_t, int) = atomic_load_explicit(&pool->task, memory_order_relaxed);
        void *context = atomic_load_explicit(&pool->context, memory_order_relaxed);

        if (!atomic_compare_exchange_weak_explicit(&lane->claim, &claim, claim + 1, memory_order_acq_rel,
                                                   memory_order_acquire))
            continue;
        task(context, index, worker);
        atomic_fetch_add_explicit(&pool->done, 1, memory_order_release);
        claim = atomic_load_explicit(&lane->claim, memory_order_acquire);
    }
}

/* Its own lane's tasks first, then what others have left. */
static void work(lancet_pool *pool, int worker)
{
    for (int i = 0; i < pool->lane_count; i++)
        work_lane(pool, &pool->lanes[(worker + i) % pool->lane_count], worker);
}

static bool nothing_new(lancet_pool *pool, uint32_t seen)
{
    /* Sequentially consistent: a worker about to sleep counts itself, then looks; the caller publishes, then
     * counts. */
    const uint64_t state = atomic_load(&pool->state);

    return ((uint32_t)(state >> 32) == seen || (uint32_t)state == CLOSED) &&
           !atomic_load_explicit(&pool->stop, memory_order_relaxed);
}

static void *worker_main(void *argument)
{
    struct start start = *(struct start *)argument;
    lancet_pool *pool = start.pool;
    uint32_t seen = 0;

    lancet_free(argument);
    for (;;) {
        for (int spin = 0; spin < SPINS_BEFORE_SLEEP && nothing_new(pool, seen); spin++)
            relax();
        if (nothing_new(pool, seen)) {
            pthread_mutex_lock(&pool->mutex);
            atomic_fetch_add(&pool->sleepers, 1);
            while (nothing_new(pool, seen))
                pthread_cond_wait(&pool->wake, &pool->mutex);
            atomic_fetch_sub(&pool->sleepers, 1);
            pthread_mutex_unlock(&pool->mutex);
        }
        if (atomic_load(&pool->stop))
            return NULL;
        seen = (uint32_t)(atomic_load_explicit(&pool->state, memory_order_acquire) >> 32);
        work(pool, start.worker);
    }
}

lancet_status lancet_pool_open(lancet_pool **result, int threads, lancet_error *error)
{
    lancet_status status = LANCET_OK;
    lancet_pool *pool = lancet_allocate_zero(1, sizeof *pool);

    *result = NULL;
    if (!pool)
        return lancet_fail_memory(error, "a pool of threads");
    pool->threads = threads;
    pool->lane_count = threads < LANES_MAX ? threads : LANES_MAX;
    atomic_store(&pool->state, CLOSED);
    for (int i = 0; i < LANES_MAX; i++)
        atomic_store(&pool->lanes[i].claim, CLOSED);
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pool->handles = lancet_allocate_zero((size_t)threads, sizeof *pool->handles);
    if (!pool->handles) {
        status = lancet_fail_memory(error, "a pool of threads");
        goto done;
    }
    for (int worker = 1; worker < threads; worker++) {
        struct start *start = lancet_allocate(1, sizeof *start);
        int refused;

        if (!start) {
            status = lancet_fail_memory(error, "a pool of threads");
            goto done;
        }
        *start = (struct start){pool, worker};
        refused = pthread_create(&pool->handles[worker - 1], NULL, worker_main, start);
        if (refused) {
            lancet_free(start);
            status = lancet_fail(error, LANCET_ERROR_IO, "thread %d of %d cannot be started: %s", worker + 1,
                                 threads, strerror(refused));
            goto done;
        }
        pool->started++;
    }
    *result = pool;
    pool = NULL;
done:
    lancet_pool_close(&pool);
    return status;
}

static void wake_all(lancet_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
}

void lancet_pool_close(lancet_pool **result)
{
    lancet_pool *pool = result ? *result : NULL;

    if (!pool)
        return;
    atomic_store(&pool->stop, true);
    wake_all(pool);
    for (int i = 0; i < pool->started; i++)
        pthread_join(pool->handles[i], NULL);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->mutex);
    lancet_free(pool->handles);
    lancet_free(pool);
    *result = NULL;
}

int lancet_pool_threads(const lancet_pool *pool)
{
    return pool->threads;
}

int lancet_pool_lanes(const lancet_pool *pool)
{
    return pool->lane_count;
}

static void run_round(lancet_pool *pool, uint32_t count, void (*task)(void *, size_t, int), void *context)
{
    const uint64_t round = (atomic_load_explicit(&pool->state, memory_order_relaxed) >> 32) + 1;
    const uint64_t lanes = (uint64_t)pool->lane_count;
    int spins = 0;

    /* The words are CLOSED here, so nobody claims while the fields change. */
    atomic_store_explicit(&pool->done, 0, memory_order_relaxed);
    atomic_store_explicit(&pool->task, task, memory_order_relaxed);
    atomic_store_explicit(&pool->context, context, memory_order_relaxed);
    for (uint64_t i = 0; i < lanes; i++) {
        atomic_store_explicit(&pool->lanes[i].end, (uint32_t)((i + 1) * count / lanes), memory_order_relaxed);
        atomic_store_explicit(&pool->lanes[i].claim, round << 32 | i * count / lanes, memory_order_release);
    }
    atomic_store(&pool->state, round << 32);
    if (atomic_load(&pool->sleepers) > 0)
        wake_all(pool);
    work(pool, 0);
    while (atomic_load_explicit(&pool->done, memory_order_acquire) < count) {
        if (++spins < SPINS_BEFORE_SLEEP)
            relax();
        else
            sched_yield(); /* the system has taken the other worker's processor: let it run */
    }
    for (uint64_t i = 0; i < lanes; i++)
        atomic_store_explicit(&pool->lanes[i].claim, round << 32 | CLOSED, memory_order_release);
    atomic_store_explicit(&pool->state, round << 32 | CLOSED, memory_order_release);
}

void lancet_pool_run(lancet_pool *pool, size_t count, void (*task)(void *context, size_t index, int worker),
                     void *context)
{
    if (pool->threads == 1 || count == 1) {
        for (size_t i = 0; i < count; i++)
            task(context, i, 0);
        return;
    }
    if (count == 0 || count >= CLOSED) /* no caller splits work into four thousand million tasks */
        return;
    run_round(pool, (uint32_t)count, task, context);
}

void lancet_helper_start(lancet_helper *helper, void *(*run)(void *context), void *context)
{
    helper->started = pthread_create(&helper->thread, NULL, run, context) == 0;
    if (!helper->started)
        run(context);
}

void lancet_helper_join(lancet_helper *helper)
{
    if (helper->started)
        pthread_join(helper->thread, NULL);
    helper->started = false;
}
