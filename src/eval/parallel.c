/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/parallel.h"

#include "base/status.h"

#include <stdlib.h>

#ifdef LANCET_MPI
#define OMPI_SKIP_MPICXX 1
#include <mpi.h>

/* Open MPI, MPICH and its kin, Slurm. Without one of them nobody has started other processes, and starting
 * MPI would cost a moment for nothing. */
static bool is_started_by_mpi(void)
{
    return getenv("OMPI_COMM_WORLD_SIZE") || getenv("PMI_SIZE") || getenv("PMIX_RANK");
}

static bool is_running(void)
{
    int begun = 0, ended = 0;

    MPI_Initialized(&begun);
    MPI_Finalized(&ended);
    return begun && !ended;
}

lancet_status lancet_parallel_begin(lancet_error *error)
{
    int level;

    if (is_running() || !is_started_by_mpi())
        return LANCET_OK;
    /* Other threads decode, but only this one speaks to MPI. */
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level) != MPI_SUCCESS ||
        level < MPI_THREAD_FUNNELED)
        return lancet_fail(error, LANCET_ERROR_IO, "MPI cannot be started");
    return LANCET_OK;
}

void lancet_parallel_end(bool failed)
{
    if (!is_running())
        return;
    if (failed)
        MPI_Abort(MPI_COMM_WORLD, LANCET_ERROR_IO);
    MPI_Finalize();
}

size_t lancet_parallel_rank(void)
{
    int rank = 0;

    if (is_running())
        MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    return (size_t)rank;
}

size_t lancet_parallel_size(void)
{
    int size = 1;

    if (is_running())
        MPI_Comm_size(MPI_COMM_WORLD, &size);
    return (size_t)size;
}

void lancet_parallel_wait(void)
{
    if (is_running())
        MPI_Barrier(MPI_COMM_WORLD);
}

#else

lancet_status lancet_parallel_begin(lancet_error *error)
{
    /* Alone each process would do all the work and overwrite the others' report. */
    const char *size = getenv("OMPI_COMM_WORLD_SIZE");

    if (size && atoi(size) > 1)
        return lancet_fail(error, LANCET_ERROR_UNSUPPORTED,
                           "mpirun started %s processes, and this build is without MPI", size);
    return LANCET_OK;
}

void lancet_parallel_end(bool failed)
{
    (void)failed;
}

size_t lancet_parallel_rank(void)
{
    return 0;
}

size_t lancet_parallel_size(void)
{
    return 1;
}

void lancet_parallel_wait(void)
{
}

#endif
