/* SPDX-License-Identifier: Apache-2.0 */
#include "clip/session.h"

#include "base/memory.h"

lancet_status lancet_session_open(lancet_session **result, const lancet_model *model,
                                  const lancet_session_options *options, lancet_error *error)
{
    const int threads = options && options->threads ? options->threads : lancet_processors();
    lancet_session *session = NULL;
    lancet_status status;

    if (!result || !model)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_session_open: %s is NULL",
                           result ? "model" : "session");
    *result = NULL;
    if (threads < 1 || threads > LANCET_THREADS_MAX)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "threads: expected 1 to %d, found %d",
                           LANCET_THREADS_MAX, threads);
    session = lancet_allocate_zero(1, sizeof *session);
    if (!session)
        return lancet_fail_memory(error, "a session");
    session->model = model;
    session->scratch = lancet_allocate_zero((size_t)threads, sizeof *session->scratch);
    status = session->scratch ? LANCET_OK : lancet_fail_memory(error, "a session");
    if (status == LANCET_OK)
        status = lancet_pool_open(&session->pool, threads, error);
    if (status == LANCET_OK)
        status = lancet_linear_scratch_open(&session->linears, session->pool, error);
    if (status == LANCET_OK) {
        *result = session;
        session = NULL;
    }
    lancet_session_close(&session);
    return status;
}

void lancet_session_close(lancet_session **result)
{
    lancet_session *session = result ? *result : NULL;

    if (!session)
        return;
    lancet_linear_scratch_close(&session->linears);
    lancet_pool_close(&session->pool);
    lancet_arena_close(&session->arena);
    lancet_free(session->scratch);
    lancet_free(session);
    *result = NULL;
}

int lancet_session_threads(const lancet_session *session)
{
    return session ? lancet_pool_threads(session->pool) : 0;
}

const lancet_model *lancet_session_model(const lancet_session *session)
{
    return session ? session->model : NULL;
}
