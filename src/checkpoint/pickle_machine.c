/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/pickle_machine.h"

#include "base/memory.h"

#include <string.h>

lancet_status lancet_pickle_fail(const lancet_pickle_machine *m, lancet_status status, const char *what)
{
    return lancet_fail(m->error, status, "%s: byte %zu: %s", m->what, m->operation, what);
}

lancet_status lancet_pickle_fail_short(const lancet_pickle_machine *m)
{
    return lancet_pickle_fail(m, LANCET_ERROR_INPUT, "ends in the middle of an operation: cut short?");
}

lancet_status lancet_pickle_fail_empty(const lancet_pickle_machine *m)
{
    return lancet_pickle_fail(m, LANCET_ERROR_INPUT, "takes a value where there is none");
}

lancet_status lancet_pickle_fail_room(const lancet_pickle_machine *m)
{
    if (m->pickle->full)
        return lancet_fail(m->error, LANCET_ERROR_UNSUPPORTED,
                           "%s: byte %zu: expected values that take at most %zu MiB, found more", m->what,
                           m->operation, LANCET_PICKLE_MEMORY_MAX >> 20);
    return lancet_fail_memory(m->error, m->what);
}

/* Room for `count` items; new ones are NULL. */
static bool reserve(lancet_pickle_values *array, size_t count)
{
    size_t capacity = array->capacity ? array->capacity : 256;
    lancet_pickle_value **moved;

    if (count <= array->capacity)
        return true;
    while (capacity < count)
        capacity *= 2;
    moved = lancet_allocate_zero(capacity, sizeof *moved);
    if (!moved)
        return false;
    if (array->count)
        memcpy(moved, array->items, array->count * sizeof *moved);
    lancet_free(array->items);
    array->items = moved;
    array->capacity = capacity;
    return true;
}

lancet_status lancet_pickle_push(lancet_pickle_machine *m, lancet_pickle_value *item)
{
    if (m->stack.count == LANCET_PICKLE_STACK_MAX)
        return lancet_fail(m->error, LANCET_ERROR_UNSUPPORTED,
                           "%s: byte %zu: expected at most %zu values on the stack, found more", m->what,
                           m->operation, LANCET_PICKLE_STACK_MAX);
    if (!reserve(&m->stack, m->stack.count + 1))
        return lancet_fail_memory(m->error, m->what);
    m->stack.items[m->stack.count++] = item;
    return LANCET_OK;
}

lancet_status lancet_pickle_push_new(lancet_pickle_machine *m, lancet_pickle_kind kind,
                                     lancet_pickle_value **made)
{
    *made = lancet_pickle_new(m->pickle, kind);
    return *made ? lancet_pickle_push(m, *made) : lancet_pickle_fail_room(m);
}

lancet_status lancet_pickle_push_mark(lancet_pickle_machine *m)
{
    if (m->mark_count == LANCET_PICKLE_MARKS_MAX)
        return lancet_fail(m->error, LANCET_ERROR_UNSUPPORTED,
                           "%s: byte %zu: expected values nested at most %d deep, found more", m->what,
                           m->operation, LANCET_PICKLE_MARKS_MAX);
    m->marks[m->mark_count++] = m->stack.count;
    return LANCET_OK;
}

size_t lancet_pickle_height(const lancet_pickle_machine *m)
{
    return m->stack.count - (m->mark_count ? m->marks[m->mark_count - 1] : 0);
}

lancet_pickle_value *lancet_pickle_top(const lancet_pickle_machine *m)
{
    return lancet_pickle_height(m) ? m->stack.items[m->stack.count - 1] : NULL;
}

lancet_pickle_value *lancet_pickle_pop(lancet_pickle_machine *m)
{
    return lancet_pickle_height(m) ? m->stack.items[--m->stack.count] : NULL;
}

lancet_pickle_value **lancet_pickle_pop_many(lancet_pickle_machine *m, size_t count)
{
    m->stack.count -= count;
    return m->stack.items + m->stack.count;
}

lancet_status lancet_pickle_pop_to_mark(lancet_pickle_machine *m, lancet_pickle_value ***items, size_t *count)
{
    if (!m->mark_count)
        return lancet_pickle_fail(m, LANCET_ERROR_INPUT, "takes values up to a mark where there is none");
    *count = lancet_pickle_height(m);
    *items = lancet_pickle_pop_many(m, *count);
    m->mark_count--;
    return LANCET_OK;
}

lancet_status lancet_pickle_memorize(lancet_pickle_machine *m, uint64_t number)
{
    lancet_pickle_value *item = lancet_pickle_top(m);

    if (!item)
        return lancet_pickle_fail_empty(m);
    /* Numbers are given in turn, so that one beyond the pickle's own length is a lie. */
    if (number >= LANCET_PICKLE_MEMO_MAX || number >= m->length)
        return lancet_pickle_fail(m, LANCET_ERROR_INPUT, "numbers more values than there are");
    if (!reserve(&m->memo, (size_t)number + 1))
        return lancet_fail_memory(m->error, m->what);
    if (m->memo.count <= number)
        m->memo.count = (size_t)number + 1;
    m->memoized += !m->memo.items[number];
    m->memo.items[number] = item;
    return LANCET_OK;
}

lancet_pickle_value *lancet_pickle_recall(const lancet_pickle_machine *m, uint64_t number)
{
    return number < m->memo.count ? m->memo.items[number] : NULL;
}

const uint8_t *lancet_pickle_take(lancet_pickle_machine *m, uint64_t count)
{
    const uint8_t *from = m->bytes + m->at;

    if (count > m->length - m->at)
        return NULL;
    m->at += (size_t)count;
    return from;
}

bool lancet_pickle_take_number(lancet_pickle_machine *m, int size, uint64_t *number)
{
    const uint8_t *from = lancet_pickle_take(m, (uint64_t)size);

    *number = 0;
    while (from && size-- > 0)
        *number = *number << 8 | from[size];
    return from;
}

static lancet_status step(lancet_pickle_machine *m)
{
    const lancet_pickle_operation *operation;

    m->operation = m->at;
    if (m->at == m->length)
        return lancet_pickle_fail(m, LANCET_ERROR_INPUT, "ends without a stop: cut short?");
    operation = &lancet_pickle_operations[m->bytes[m->at++]];
    if (!operation->name)
        return lancet_fail(m->error, LANCET_ERROR_INPUT, "%s: byte %zu: expected an operation, found 0x%02X",
                           m->what, m->operation, m->bytes[m->operation]);
    if (!operation->run)
        return lancet_fail(m->error, LANCET_ERROR_UNSUPPORTED,
                           "%s: byte %zu: the operation %s is not one that PyTorch uses", m->what,
                           m->operation, operation->name);
    return operation->run(m, operation->detail);
}

lancet_status lancet_pickle_read(lancet_pickle *pickle, const uint8_t *bytes, size_t length, const char *what,
                                 lancet_error *error)
{
    lancet_pickle_machine m = {
        .pickle = pickle, .bytes = bytes, .length = length, .at = 2, .what = what, .error = error};
    lancet_status status = LANCET_OK;

    *pickle = (lancet_pickle){0};
    if (length > LANCET_PICKLE_LENGTH_MAX)
        return lancet_fail(error, LANCET_ERROR_UNSUPPORTED,
                           "%s: expected at most %zu bytes of a pickle, found %zu", what,
                           LANCET_PICKLE_LENGTH_MAX, length);
    if (length < 2 || bytes[0] != 0x80)
        return lancet_fail(error, LANCET_ERROR_INPUT, "%s: expected a pickle of protocol 2 to 5", what);
    if (bytes[1] < 2 || bytes[1] > 5)
        return lancet_fail(error, LANCET_ERROR_UNSUPPORTED,
                           "%s: expected a pickle of protocol 2 to 5, found %d", what, bytes[1]);
    if (!reserve(&m.stack, 1)) /* so that there is always a place to point at */
        status = lancet_fail_memory(error, what);
    while (status == LANCET_OK && !m.stopped)
        status = step(&m);
    lancet_free(m.stack.items);
    lancet_free(m.memo.items);
    if (status != LANCET_OK)
        lancet_pickle_close(pickle);
    return status;
}
