/* Streams of pictures: what is given in which order, what is kept, and what counts as done.
 * SPDX-License-Identifier: Apache-2.0 */
#include "lancet/stream.h"

#include "base/memory.h"
#include "small_set.h"

#define COUNT 9

static const char *paths[COUNT];
static lancet_error error;

static void make_pictures(void)
{
    char name[20];

    for (size_t i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "%zu.png", i);
        set_picture(name, 4 + i, 3);
        paths[i] = set_path(name);
    }
}

static lancet_stream *open_stream(const lancet_stream_options *options)
{
    lancet_stream *stream;

    if (lancet_stream_open(&stream, paths, COUNT, options, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    return stream;
}

/* Takes `limit` pictures, keeps a text of each, and says which they were: "0123..." */
static const char *work(lancet_stream *stream, size_t limit)
{
    static char seen[COUNT + 1];
    const lancet_stream_item *items;
    size_t count, done = 0;

    while (done < limit && lancet_stream_next(&items, &count, stream)) {
        assert_true(count >= 1);
        for (size_t i = 0; i < count && done < limit; i++) {
            char text[40];

            seen[done++] = (char)('0' + items[i].index);
            snprintf(text, sizeof text, "picture %zu", items[i].index);
            if (items[i].status == LANCET_OK)
                assert_int_equal(lancet_image_picture(items[i].image).width, 4 + items[i].index);
            else
                assert_non_null(strstr(items[i].error.message, paths[items[i].index]));
            assert_int_equal(lancet_stream_keep(stream, items[i].index, text, strlen(text),
                                                items[i].status != LANCET_OK, &error),
                             LANCET_OK);
        }
    }
    seen[done] = '\0';
    return seen;
}

static void check_kept(const lancet_stream *stream, size_t index, bool broken)
{
    lancet_kept kept;
    char text[40];

    snprintf(text, sizeof text, "picture %zu", index);
    assert_true(lancet_stream_kept(&kept, stream, index));
    assert_int_equal(kept.length, strlen(text));
    assert_memory_equal(kept.bytes, text, kept.length);
    assert_int_equal(kept.broken, broken);
}

/* In the order of the list, whatever the threads and however many are taken at a time. */
static void test_order(void **state)
{
    (void)state;
    make_pictures();
    for (int decoders = 1; decoders <= 4; decoders++)
        for (size_t together = 1; together <= 16; together *= 2) {
            lancet_stream *stream =
                open_stream(&(lancet_stream_options){.decoders = decoders, .together = together});
            lancet_kept kept;

            assert_int_equal(lancet_stream_share(stream), COUNT);
            assert_string_equal(work(stream, COUNT), "012345678");
            assert_int_equal(lancet_stream_finish(stream, &error), LANCET_OK);
            assert_false(lancet_stream_kept(&kept, stream, 0)); /* there is no journal */
            lancet_stream_close(&stream);
            assert_null(stream);
        }
    lancet_stream_close(NULL);
}

/* Left in the middle and taken up again: nothing twice, nothing missing. */
static void test_resume(void **state)
{
    const lancet_stream_options options = {
        .journal = set_path("journal"), .settings = "colour: red\n", .resume = true, .together = 4};
    lancet_stream *stream;
    lancet_kept kept;

    (void)state;
    make_pictures();
    stream = open_stream(&options);
    assert_string_equal(work(stream, 3), "012");
    assert_false(lancet_stream_kept(&kept, stream, 1)); /* not of an earlier run, and this one is not over */
    lancet_stream_close(&stream);
    stream = open_stream(&options);
    assert_int_equal(lancet_stream_resumed(stream), 3);
    check_kept(stream, 2, false);
    assert_string_equal(work(stream, COUNT), "345678");
    assert_int_equal(lancet_stream_finish(stream, &error), LANCET_OK);
    for (size_t i = 0; i < COUNT; i++)
        check_kept(stream, i, false);
    assert_false(lancet_stream_kept(&kept, stream, COUNT));
    lancet_stream_close(&stream);
    stream = open_stream(&options);
    assert_string_equal(work(stream, COUNT), "");
    lancet_stream_close(&stream);
    /* Without `resume` all over again. */
    stream = open_stream(&(lancet_stream_options){.journal = set_path("journal")});
    assert_string_equal(work(stream, COUNT), "012345678");
    lancet_stream_close(&stream);
}

static bool has_even_index(void *context, size_t index, const lancet_kept *kept)
{
    assert_string_equal(context, "context");
    assert_true(kept->length > 0);
    return index % 2 == 0;
}

/* Done is a picture by path, name, size and time, wherever it stands, if what came of it still holds. */
static void test_what_counts(void **state)
{
    const char *names[COUNT] = {"a", "b", "c", "d", "e", "f", "g", "h", "i"}, *swap;
    lancet_stream_options options = {.journal = set_path("journal"), .names = names, .resume = true};
    lancet_stream *stream;

    (void)state;
    make_pictures();
    stream = open_stream(&options);
    work(stream, COUNT);
    lancet_stream_close(&stream);
    names[3] = "D";
    set_picture("5.png", 9, 7); /* another size in the file */
    set_picture("5.png", 9, 3);
    swap = paths[0], paths[0] = paths[1], paths[1] = swap;
    swap = names[0], names[0] = names[1], names[1] = swap;
    stream = open_stream(&options);
    assert_int_equal(lancet_stream_resumed(stream), COUNT - 2);
    assert_string_equal(work(stream, COUNT), "35");
    lancet_stream_close(&stream);
    swap = paths[0], paths[0] = paths[1], paths[1] = swap;
    swap = names[0], names[0] = names[1], names[1] = swap;
    options.holds = has_even_index;
    options.holds_context = (char[]){"context"};
    stream = open_stream(&options);
    assert_string_equal(work(stream, COUNT), "1357");
    lancet_stream_close(&stream);
}

/* A broken picture is told as such, and tried again. */
static void test_broken(void **state)
{
    const lancet_stream_options options = {.journal = set_path("journal"), .resume = true};
    lancet_stream *stream;

    (void)state;
    make_pictures();
    set_text("4.png", "no picture");
    stream = open_stream(&options);
    work(stream, COUNT);
    assert_int_equal(lancet_stream_finish(stream, &error), LANCET_OK);
    check_kept(stream, 4, true);
    check_kept(stream, 5, false);
    lancet_stream_close(&stream);
    stream = open_stream(&options);
    assert_string_equal(work(stream, COUNT), "4");
    lancet_stream_close(&stream);
    set_picture("4.png", 8, 3);
    stream = open_stream(&options);
    assert_string_equal(work(stream, COUNT), "4");
    assert_int_equal(lancet_stream_finish(stream, &error), LANCET_OK);
    check_kept(stream, 4, false);
    lancet_stream_close(&stream);
}

static void refuse(lancet_status status, const char *says, const lancet_stream_options *options)
{
    lancet_stream *stream = (lancet_stream *)paths;

    assert_int_equal(lancet_stream_open(&stream, paths, COUNT, options, &error), status);
    assert_null(stream);
    if (!strstr(error.message, says))
        fail_msg("expected \"%s\", found \"%s\"", says, error.message);
}

static void test_refused(void **state)
{
    const lancet_stream_options options = {.journal = set_path("journal"), .settings = "colour: red\n"};
    lancet_stream *stream, *other;

    (void)state;
    make_pictures();
    assert_int_equal(lancet_stream_open(NULL, paths, COUNT, NULL, &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_stream_open(&stream, NULL, COUNT, NULL, &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_stream_open(&stream, NULL, 0, NULL, &error), LANCET_OK);
    lancet_stream_close(&stream);
    refuse(LANCET_ERROR_ARGUMENT, "decoders: expected 1 to 64, found 65",
           &(lancet_stream_options){.decoders = 65});
    refuse(LANCET_ERROR_ARGUMENT, "together: expected at most 256",
           &(lancet_stream_options){.together = 257});
    stream = open_stream(&options);
    work(stream, 1);
    refuse(LANCET_ERROR_ARGUMENT, "another process is writing it", &options);
    assert_int_equal(lancet_stream_keep(stream, COUNT, "", 0, false, &error), LANCET_ERROR_ARGUMENT);
    lancet_stream_close(&stream);
    refuse(LANCET_ERROR_INPUT, "expected the journal of this run (\"colour: blue\"), found that of another",
           &(lancet_stream_options){
               .journal = set_path("journal"), .settings = "colour: blue\n", .resume = true});
    set_text("file", "");
    refuse(LANCET_ERROR_IO, "file", &(lancet_stream_options){.journal = set_path("file")});
    other = NULL;
    paths[3] = paths[2];
    assert_int_equal(lancet_stream_open(&other, paths, COUNT, &options, &error), LANCET_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "found one twice"));
    /* Without a journal nobody minds. */
    assert_int_equal(lancet_stream_open(&other, paths, COUNT, NULL, &error), LANCET_OK);
    lancet_stream_close(&other);
}

/* The n-th allocation fails; true when there was none any more that could. The readers' own fail in threads
 * whenever they come to it, so that a picture may be what is missing. */
static bool survives(uint64_t n)
{
    const lancet_stream_options options = {.journal = set_path("journal"), .resume = true, .together = 3};
    const lancet_stream_item *items;
    lancet_stream *stream;
    size_t count, whole = 0;
    bool past;
    lancet_status status;

    lancet_memory_fail_at(n);
    status = lancet_stream_open(&stream, paths, COUNT, &options, &error);
    if (status == LANCET_OK) {
        while (lancet_stream_next(&items, &count, stream))
            for (size_t i = 0; i < count; i++)
                whole += items[i].status == LANCET_OK;
        status = lancet_stream_finish(stream, &error);
    }
    past = lancet_memory_requests() < n;
    lancet_memory_fail_at(0);
    lancet_stream_close(&stream);
    if (past)
        assert_true(status == LANCET_OK && whole == COUNT);
    else
        assert_true(status == LANCET_ERROR_MEMORY || whole < COUNT);
    return past;
}

static void test_memory(void **state)
{
    uint64_t n = 1;

    (void)state;
    make_pictures();
    while (!survives(n))
        n++;
    assert_true(n > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_order, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_resume, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_what_counts, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_broken, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, set_tear_down),
        cmocka_unit_test_setup_teardown(test_memory, set_up, set_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
