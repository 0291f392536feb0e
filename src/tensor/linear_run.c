/* Running linear layers. SPDX-License-Identifier: Apache-2.0 */
#include "tensor/linear_internal.h"

#include "base/memory.h"

/* A block of rows is to stay in the last-level cache while panel after panel is multiplied by it. */
#define BLOCK_BYTES ((size_t)6 << 20)

/* Panels that are multiplied by one tile of rows after the other. */
#define GROUP_BYTES ((size_t)300 << 10)

/* Fewer rows than this a task, and reading a panel of weights costs more than it saves. */
#define BLOCK_ROWS 28

/* Tasks for each worker, if rows allow: so many that none waits long for the last one. */
#define TASKS_OF_WORKER 4

/* Rows that one task narrows. */
#define NARROW_ROWS 8

/* Bytes that grow; what was there is lost. */
struct growing {
    void *bytes;
    size_t size;
};

struct lancet_linear_scratch {
    lancet_pool *pool;
    size_t workers;
    struct growing *panels; /* [workers]: a panel as floats */
    struct growing narrow;  /* the rows of all jobs as units, their scales and offsets */
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool grow(struct growing *growing, size_t size)
{
    if (size <= growing->size)
        return true;
    lancet_free(growing->bytes);
    growing->bytes = lancet_allocate(size, 1);
    growing->size = growing->bytes ? size : 0;
    return growing->bytes;
}

lancet_status lancet_linear_scratch_open(lancet_linear_scratch **result, lancet_pool *pool,
                                         lancet_error *error)
{
    lancet_linear_scratch *scratch = lancet_allocate_zero(1, sizeof *scratch);
    lancet_status status = LANCET_OK;

    *result = NULL;
    if (!scratch)
        return lancet_fail_memory(error, "a session");
    scratch->pool = pool;
    scratch->workers = (size_t)lancet_pool_threads(pool);
    scratch->panels = lancet_allocate_zero(scratch->workers, sizeof *scratch->panels);
    if (!scratch->panels)
        status = lancet_fail_memory(error, "a session");
    if (status == LANCET_OK) {
        *result = scratch;
        scratch = NULL;
    }
    lancet_linear_scratch_close(&scratch);
    return status;
}

void lancet_linear_scratch_close(lancet_linear_scratch **result)
{
    lancet_linear_scratch *scratch = result ? *result : NULL;

    if (!scratch)
        return;
    for (size_t i = 0; scratch->panels && i < scratch->workers; i++)
        lancet_free(scratch->panels[i].bytes);
    lancet_free(scratch->panels);
    lancet_free(scratch->narrow.bytes);
    lancet_free(scratch);
    *result = NULL;
}

/* One job's operands, and how it is cut into tasks: block after block, in each panel after panel. */
struct plan {
    const lancet_linear_job *job;
    lancet_packed_product product; /* of all rows */
    size_t blocks, first_task;
    size_t group, groups; /* panels of a task, and tasks of a block */
    bool spread;          /* has each lane its own blocks, or its part of the panels? */
    size_t first_narrow;  /* tasks of narrowing before this job's; */
    bool narrows;         /* has it any, or are its rows copied by another job, or not at all? */
};

struct run {
    lancet_linear_scratch *scratch;
    const lancet_kernels *kernels;
    struct plan plans[LANCET_LINEAR_JOBS];
    size_t count;
    size_t lanes, lane_tasks;
};

/* ---- Narrowing ----------------------------------------------------------------------------------------- */

static void narrow_rows(void *context, size_t task, int worker)
{
    const struct run *run = context;
    size_t p = run->count - 1;

    (void)worker;
    while (!run->plans[p].narrows || task < run->plans[p].first_narrow)
        p--;
    const lancet_linear_job *job = run->plans[p].job;
    const lancet_packed_product *product = &run->plans[p].product;
    const size_t first = (task - run->plans[p].first_narrow) * NARROW_ROWS;

    for (size_t i = first; i < job->rows && i < first + NARROW_ROWS; i++)
        run->kernels->packed_row(product->kind, (uint32_t *)product->in + i * product->in_stride,
                                 (float *)product->row_scales + i, (int32_t *)product->offsets + i,
                                 job->in + i * job->in_stride, job->linear->in);
}

/* Do two jobs read the same rows as the same kind of numbers? */
static bool same_rows(const lancet_linear_job *a, const lancet_linear_job *b)
{
    return a->in == b->in && a->in_stride == b->in_stride && a->rows == b->rows &&
           a->linear->kind == b->linear->kind && a->linear->in == b->linear->in;
}

/* Floats are multiplied where they lie, unless most rows of a tile would share the same few lines of the
 * first-level cache. */
static bool is_narrowed(const lancet_linear_job *job)
{
    return job->linear->kind != LANCET_PACKED_FLOAT ||
           (job->rows > 8 && job->in_stride * sizeof(float) % 2048 == 0);
}

/* Gives each job's narrowed rows their place, after `base`; returns the bytes taken. */
static size_t place_rows(struct run *run, char *base)
{
    size_t at = 0, tasks = 0;

    for (size_t p = 0; p < run->count; p++) {
        struct plan *plan = &run->plans[p];
        const lancet_linear_job *job = plan->job;
        const size_t stride = lancet_linear_stride(job->linear->units);
        const size_t scales = lancet_linear_stride(job->rows);
        size_t other = 0;

        if (!is_narrowed(job))
            continue;
        while (!same_rows(run->plans[other].job, job))
            other++;
        plan->narrows = other == p;
        plan->product.in_stride = stride;
        if (!plan->narrows) {
            plan->product.in = run->plans[other].product.in;
            plan->product.row_scales = run->plans[other].product.row_scales;
            plan->product.offsets = run->plans[other].product.offsets;
            continue;
        }
        if (base) {
            plan->product.row_scales = (float *)(base + at);
            plan->product.offsets = (int32_t *)(base + at) + scales;
            plan->product.in = base + at + 8 * scales;
        }
        at += 4 * (2 * scales + job->rows * stride);
        plan->first_narrow = tasks;
        tasks += (job->rows + NARROW_ROWS - 1) / NARROW_ROWS;
    }
    if (base && tasks)
        lancet_pool_run(run->scratch->pool, tasks, narrow_rows, run);
    return at;
}

/* ---- Multiplying --------------------------------------------------------------------------------------- */

static void run_task(void *context, size_t task, int worker)
{
    const struct run *run = context;
    const size_t lane = task / run->lane_tasks, local = task % run->lane_tasks;
    size_t p = run->count - 1;

    while (local < run->plans[p].first_task)
        p--;
    const struct plan *plan = &run->plans[p];
    const lancet_linear *linear = plan->job->linear;
    const size_t at = local - plan->first_task;
    const size_t block =
        plan->spread ? lane * plan->blocks / run->lanes + at / plan->groups : at % plan->blocks;
    const size_t group = plan->spread ? at % plan->groups : at / plan->blocks * run->lanes + lane;
    const size_t index = group * plan->group;

    if (group >= plan->groups)
        return;
    const size_t row = block * plan->job->rows / plan->blocks, first = index * run->kernels->panel;
    const size_t end = smaller((group + 1) * plan->group, linear->panels);
    const size_t next = (group + (plan->spread ? 1 : run->lanes)) * plan->group; /* this lane's next task */
    lancet_packed_product part = plan->product;

    part.rows = (block + 1) * plan->job->rows / plan->blocks - row;
    part.columns = smaller(linear->out, end * run->kernels->panel) - first;
    part.in = (const uint32_t *)part.in + row * part.in_stride;
    part.out += row * part.out_stride + first;
    part.add = part.add ? part.add + row * part.add_stride + first : NULL;
    part.bias = part.bias ? part.bias + first : NULL;
    part.matrix = lancet_linear_panel(linear, index);
    if (linear->kind == LANCET_PACKED_WHOLE) {
        part.column_scales += first;
        part.row_scales += row;
        part.offsets += row;
    }
    if (next < linear->panels) {
        const size_t last = smaller(next + plan->group, linear->panels) - 1;

        part.ahead = lancet_linear_panel(linear, next);
        part.ahead_bytes =
            ((last - next) * run->kernels->panel + lancet_linear_width(linear, last)) * linear->stored * 4;
    }
    if (linear->store != LANCET_STORE_UNITS) {
        float *panel = run->scratch->panels[worker].bytes;
        const size_t numbers = lancet_linear_width(linear, index) * linear->units;

        if (linear->store == LANCET_STORE_HALVES)
            run->kernels->from_half(panel, part.matrix, numbers);
        else
            run->kernels->from_bfloat(panel, part.matrix, numbers);
        part.matrix = panel;
    }
    run->kernels->packed_product(&part);
}

/* As many panels as stay in the second-level cache beside a tile's rows, which come from further away. With
 * floats, which are multiplied slower than they come, this was measured to gain nothing. */
static size_t choose_group(const lancet_linear *linear, size_t workers)
{
    const size_t bytes = linear->units * lancet_kernels_get()->panel * 4;
    const size_t most = linear->panels / (workers > 1 ? workers * TASKS_OF_WORKER : 1);
    const size_t group = linear->kind == LANCET_PACKED_FLOAT || linear->store != LANCET_STORE_UNITS
                             ? 1
                             : smaller(GROUP_BYTES / bytes, most);

    return group ? group : 1;
}

static struct plan make_plan(const lancet_linear_job *job, size_t workers)
{
    const lancet_linear *linear = job->linear;
    const size_t group = choose_group(linear, workers);
    const bool add = job->after == LANCET_AFTER_ADD;

    return (struct plan){.job = job,
                         .product = {.kind = linear->kind,
                                     .in = job->in,
                                     .column_scales = linear->scales,
                                     .bias = linear->bias,
                                     .add = add ? job->out : NULL,
                                     .out = job->out,
                                     .in_stride = job->in_stride,
                                     .add_stride = job->out_stride,
                                     .out_stride = job->out_stride,
                                     .depth = linear->units,
                                     .after = add ? LANCET_AFTER_NOTHING : job->after},
                         .blocks = 1 + job->rows * linear->units * 4 / BLOCK_BYTES,
                         .group = group,
                         .groups = (linear->panels + group - 1) / group};
}

/* Each lane of the pool gets its own rows, the same of all layers, so that they stay in its processor's
 * caches; where rows are few, or panels would be widened by each lane, its own panels. Returns the number of
 * tasks. */
static size_t cut(struct run *run)
{
    const size_t workers = run->scratch->workers;
    size_t panels = 0;

    run->lanes = (size_t)lancet_pool_lanes(run->scratch->pool);
    run->lane_tasks = 0;
    for (size_t p = 0; p < run->count; p++)
        panels += run->plans[p].groups;
    for (size_t p = 0; p < run->count; p++) {
        struct plan *plan = &run->plans[p];
        const size_t most = 1 + plan->job->rows / BLOCK_ROWS;
        const size_t blocks = workers > 1 ? (workers * TASKS_OF_WORKER + panels - 1) / panels : 1;

        if (plan->blocks < blocks)
            plan->blocks = blocks < most ? blocks : most;
        plan->spread =
            plan->job->linear->store == LANCET_STORE_UNITS && plan->job->rows >= run->lanes * BLOCK_ROWS;
        if (plan->spread)
            plan->blocks = (plan->blocks + run->lanes - 1) / run->lanes * run->lanes;
        plan->first_task = run->lane_tasks;
        run->lane_tasks += plan->spread ? plan->blocks / run->lanes * plan->groups
                                        : (plan->groups + run->lanes - 1) / run->lanes * plan->blocks;
    }
    return run->lane_tasks * run->lanes;
}

lancet_status lancet_linear_run(lancet_linear_scratch *scratch, const lancet_linear_job *jobs, size_t count,
                                lancet_error *error)
{
    struct run run = {.scratch = scratch, .kernels = lancet_kernels_get()};
    size_t panel = 0, bytes, tasks;
    bool fits = true;

    for (size_t i = 0; i < count && i < LANCET_LINEAR_JOBS; i++) {
        const lancet_linear *linear = jobs[i].linear;
        const size_t size = linear->units * run.kernels->panel * sizeof(float);

        if (!jobs[i].rows)
            continue;
        run.plans[run.count++] = make_plan(&jobs[i], scratch->workers);
        if (linear->store != LANCET_STORE_UNITS && size > panel)
            panel = size;
    }
    for (size_t i = 0; i < scratch->workers; i++)
        fits = grow(&scratch->panels[i], panel) && fits;
    bytes = place_rows(&run, NULL);
    if (!fits || !grow(&scratch->narrow, bytes))
        return lancet_fail_memory(error, "a linear layer's numbers");
    if (bytes)
        place_rows(&run, scratch->narrow.bytes);
    tasks = cut(&run);
    if (tasks)
        lancet_pool_run(scratch->pool, tasks, run_task, &run);
    return LANCET_OK;
}
