/* Which kernels this processor runs. SPDX-License-Identifier: Apache-2.0 */
#include "tensor/kernels.h"

#include "lancet/lancet.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

const lancet_kernels *lancet_kernels_named(const char *name)
{
    if (strcmp(name, "scalar") == 0)
        return &lancet_kernels_scalar;
#if defined(__x86_64__)
    __builtin_cpu_init();
    /* Every processor with AVX2 converts halves (F16C) as well; clang has no name to ask for that. */
    if (strcmp(name, "avx2") == 0 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return &lancet_kernels_avx2;
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                        __builtin_cpu_supports("fma");

    if (strcmp(name, "avx512") == 0 && avx512)
        return &lancet_kernels_avx512;
    if (strcmp(name, "avx512-bf16") == 0 && avx512 && __builtin_cpu_supports("avx512bf16") &&
        __builtin_cpu_supports("avx512vnni"))
        return &lancet_kernels_avx512_bf16;
#endif
    return NULL;
}

static const lancet_kernels *chosen;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void choose(void)
{
    static const char *const names[] = {"avx512-bf16", "avx512", "avx2", "scalar"};
    const size_t count = sizeof names / sizeof *names;
    const char *wish = getenv("LANCET_CPU");
    size_t first = 0;

    for (size_t i = 0; wish && i < count; i++)
        if (strcmp(wish, names[i]) == 0)
            first = i;
    for (size_t i = first; i < count && !chosen; i++)
        chosen = lancet_kernels_named(names[i]);
}

const lancet_kernels *lancet_kernels_get(void)
{
    pthread_once(&once, choose);
    return chosen;
}

const char *lancet_instruction_set(void)
{
    return lancet_kernels_get()->name;
}
