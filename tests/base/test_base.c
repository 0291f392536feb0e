/* The ground floor: checked arithmetic, buffers, arenas, UTF-8, errors. SPDX-License-Identifier: Apache-2.0
 */
#include "base/arena.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_checked_arithmetic(void **state)
{
    size_t result = 7;

    (void)state;
    assert_true(lancet_multiply(&result, 6, 7));
    assert_int_equal(result, 42);
    assert_false(lancet_multiply(&result, SIZE_MAX / 2, 3));
    assert_true(lancet_add(&result, SIZE_MAX - 1, 1));
    assert_false(lancet_add(&result, SIZE_MAX, 1));
    assert_null(lancet_allocate(SIZE_MAX / 2, 3));
    assert_null(lancet_allocate(SIZE_MAX, 1));
}

static void test_allocation_is_aligned(void **state)
{
    (void)state;
    for (size_t size = 0; size < 200; size += 13) {
        unsigned char *memory = lancet_allocate_zero(size, 1);

        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % LANCET_ALIGNMENT, 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(memory[i], 0);
        lancet_free(memory);
    }
}

/* Blocks of 2 MiB and more are made in another way. */
static void test_large_allocation_is_aligned(void **state)
{
    const size_t large = (size_t)2 << 20, sizes[] = {large - 1, large, large + 1, 2 * large + 4097};

    (void)state;
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        unsigned char *memory = lancet_allocate_zero(sizes[k], 1);

        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % LANCET_ALIGNMENT, 0);
        for (size_t i = 0; i < sizes[k]; i += 4095)
            assert_int_equal(memory[i], 0);
        memset(memory, 1, sizes[k]);
        lancet_free(memory);
    }
    lancet_memory_fail_at(1);
    assert_null(lancet_allocate(large, 1));
    lancet_memory_fail_at(0);
}

static void test_allocation_fails_on_demand(void **state)
{
    void *memory;

    (void)state;
    lancet_memory_fail_at(2);
    memory = lancet_allocate(1, 1);
    assert_non_null(memory);
    assert_null(lancet_allocate(1, 1));
    lancet_free(memory);
    memory = lancet_allocate(1, 1);
    assert_non_null(memory);
    lancet_free(memory);
    assert_int_equal(lancet_memory_requests(), 3);
    lancet_memory_fail_at(0);
}

static void test_buffer_grows_and_sticks_to_its_failure(void **state)
{
    lancet_buffer buffer = {0};

    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_true(lancet_buffer_print(&buffer, "%d,", i));
    assert_int_equal(buffer.length, 10 * 2 + 90 * 3 + 900 * 4);
    assert_int_equal(buffer.bytes[buffer.length], 0);
    assert_memory_equal(buffer.bytes, "0,1,2,3,", 8);
    lancet_memory_fail_at(1);
    assert_null(lancet_buffer_extend(&buffer, 1 << 20));
    lancet_memory_fail_at(0);
    assert_true(buffer.failed);
    assert_false(lancet_buffer_append(&buffer, "x", 1));
    lancet_buffer_clear(&buffer);
    assert_true(lancet_buffer_append(&buffer, "x", 1));
    assert_string_equal(buffer.bytes, "x");
    lancet_buffer_close(&buffer);
    assert_null(buffer.bytes);
}

static void test_arena_gives_what_was_provided(void **state)
{
    lancet_arena arena = {0};
    char *first, *second;

    (void)state;
    assert_true(lancet_arena_reset(&arena, lancet_arena_need(3, 5) + lancet_arena_need(1, 64)));
    first = lancet_arena_take(&arena, 3, 5);
    second = lancet_arena_take(&arena, 1, 64);
    assert_non_null(first);
    assert_non_null(second);
    assert_int_equal(second - first, 64);
    assert_null(lancet_arena_take(&arena, 1, 1));
    assert_null(lancet_arena_take(&arena, SIZE_MAX, 2));
    assert_true(lancet_arena_reset(&arena, 1));
    assert_ptr_equal(lancet_arena_take(&arena, 1, 1), first);
    assert_int_equal(lancet_arena_need(SIZE_MAX, 2), SIZE_MAX);
    assert_false(lancet_arena_reset(&arena, SIZE_MAX));
    lancet_arena_close(&arena);
}

/* The cases of the Unicode standard's table 3-7 (well-formed byte sequences), and one step beyond each. */
static void test_utf8(void **state)
{
    static const struct {
        const char *bytes;
        size_t length, good;
    } cases[] = {
        {"abc", 3, 3},
        {"", 0, 0},
        {"\xC2\x80\xDF\xBF", 4, 4},
        {"\xC1\xBF", 2, 0}, /* overlong */
        {"\xE0\xA0\x80\xED\x9F\xBF", 6, 6},
        {"\xE0\x9F\xBF", 3, 0}, /* overlong */
        {"\xED\xA0\x80", 3, 0}, /* surrogate */
        {"a\xED\xBF\xBF", 4, 1},
        {"\xEE\x80\x80\xEF\xBF\xBF", 6, 6},
        {"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", 8, 8},
        {"\xF0\x8F\xBF\xBF", 4, 0}, /* overlong */
        {"\xF4\x90\x80\x80", 4, 0}, /* above U+10FFFF */
        {"\xF5\x80\x80\x80", 4, 0},
        {"ab\x80", 3, 2},     /* a lone tail */
        {"ab\xE2\x82", 4, 2}, /* cut short */
        {"\xFF", 1, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(lancet_utf8_check(cases[i].bytes, cases[i].length), cases[i].good);
    for (uint32_t point = 0; point <= 0x10FFFF; point++) {
        char bytes[4];
        uint32_t again;
        size_t length;

        if (point >= 0xD800 && point < 0xE000)
            continue;
        length = lancet_utf8_write(bytes, point);
        assert_int_equal(lancet_utf8_read(&again, bytes, length), length);
        assert_int_equal(again, point);
    }
}

static void test_messages_are_cut_at_characters(void **state)
{
    char text[LANCET_ERROR_MESSAGE_SIZE * 2];
    lancet_error error;

    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        memset(text, 'x', shift);
        for (size_t i = shift; i + 3 < sizeof text; i += 3)
            memcpy(text + i, "\xE2\x82\xAC", 4);
        assert_int_equal(lancet_fail(&error, LANCET_ERROR_INPUT, "%s", text), LANCET_ERROR_INPUT);
        assert_int_equal(lancet_utf8_check(error.message, strlen(error.message)), strlen(error.message));
        assert_true(strlen(error.message) > LANCET_ERROR_MESSAGE_SIZE - 5);
    }
    assert_int_equal(lancet_fail(NULL, LANCET_ERROR_IO, "nobody listens"), LANCET_ERROR_IO);
    lancet_fail(&error, LANCET_ERROR_INPUT, "inner");
    assert_int_equal(lancet_fail_within(&error, LANCET_ERROR_INPUT, "outer"), LANCET_ERROR_INPUT);
    assert_string_equal(error.message, "outer: inner");
}

static void test_every_status_has_a_name(void **state)
{
    (void)state;
    assert_string_equal(lancet_status_name(LANCET_OK), "ok");
    for (int status = -1; status < 10; status++)
        assert_true(strlen(lancet_status_name((lancet_status)status)) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checked_arithmetic),
        cmocka_unit_test(test_allocation_is_aligned),
        cmocka_unit_test(test_large_allocation_is_aligned),
        cmocka_unit_test(test_allocation_fails_on_demand),
        cmocka_unit_test(test_buffer_grows_and_sticks_to_its_failure),
        cmocka_unit_test(test_arena_gives_what_was_provided),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_messages_are_cut_at_characters),
        cmocka_unit_test(test_every_status_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
