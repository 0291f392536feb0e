/* The pool of threads: every task once, whatever the number of threads. SPDX-License-Identifier: Apache-2.0
 */
#include "base/memory.h"
#include "base/threads.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define TASKS 500

struct tally {
    _Atomic int runs[TASKS];
    _Atomic int busy[LANCET_THREADS_MAX];
    _Atomic int clashes;
    int threads;
};

static void count_task(void *context, size_t index, int worker)
{
    struct tally *tally = context;

    if (worker < 0 || worker >= tally->threads || atomic_fetch_add(&tally->busy[worker], 1))
        atomic_fetch_add(&tally->clashes, 1);
    atomic_fetch_add(&tally->runs[index], 1);
    if (index % 7 == 0)
        sched_yield();
    atomic_fetch_sub(&tally->busy[worker], 1);
}

static void test_every_task_runs_once(void **state)
{
    static const int threads[] = {1, 2, 3, 8};
    static struct tally tally;

    (void)state;
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        lancet_pool *pool = NULL;
        lancet_error error;

        assert_int_equal(lancet_pool_open(&pool, threads[i], &error), LANCET_OK);
        assert_int_equal(lancet_pool_threads(pool), threads[i]);
        memset(&tally, 0, sizeof tally);
        tally.threads = threads[i];
        for (int round = 0; round < 200; round++)
            lancet_pool_run(pool, 1 + (size_t)round * 37 % TASKS, count_task, &tally);
        for (size_t task = 0; task < TASKS; task++) {
            int expected = 0;

            for (int round = 0; round < 200; round++)
                expected += task < 1 + (size_t)round * 37 % TASKS;
            assert_int_equal(tally.runs[task], expected);
        }
        assert_int_equal(tally.clashes, 0);
        lancet_pool_run(pool, 0, count_task, &tally);
        lancet_pool_close(&pool);
        assert_null(pool);
    }
    lancet_pool_close(NULL);
}

/* Workers that have gone to sleep are woken. */
static void test_work_after_a_pause(void **state)
{
    static struct tally tally;
    lancet_pool *pool = NULL;

    (void)state;
    tally.threads = 4;
    assert_int_equal(lancet_pool_open(&pool, 4, NULL), LANCET_OK);
    for (int round = 0; round < 10; round++) {
        nanosleep(&(struct timespec){.tv_nsec = 3000000}, NULL);
        lancet_pool_run(pool, TASKS, count_task, &tally);
    }
    for (size_t task = 0; task < TASKS; task++)
        assert_int_equal(tally.runs[task], 10);
    lancet_pool_close(&pool);
}

static void test_memory_failure(void **state)
{
    lancet_pool *pool = NULL;
    lancet_error error;
    uint64_t n = 1;

    (void)state;
    for (;; n++) {
        lancet_memory_fail_at(n);
        const lancet_status status = lancet_pool_open(&pool, 3, &error);
        lancet_memory_fail_at(0);
        if (status == LANCET_OK)
            break;
        assert_int_equal(status, LANCET_ERROR_MEMORY);
        assert_null(pool);
    }
    assert_true(n > 1);
    lancet_pool_close(&pool);
}

static void *note_thread(void *context)
{
    *(pthread_t *)context = pthread_self();
    return NULL;
}

static void test_helper_works_beside_the_caller(void **state)
{
    pthread_t who = pthread_self();
    lancet_helper helper;

    (void)state;
    lancet_helper_start(&helper, note_thread, &who);
    lancet_helper_join(&helper);
    assert_false(pthread_equal(who, pthread_self()));
    lancet_helper_join(&helper); /* nothing is left to wait for */
}

static void test_processors(void **state)
{
    (void)state;
    assert_in_range(lancet_processors(), 1, LANCET_THREADS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_task_runs_once), cmocka_unit_test(test_work_after_a_pause),
        cmocka_unit_test(test_memory_failure),       cmocka_unit_test(test_helper_works_beside_the_caller),
        cmocka_unit_test(test_processors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
