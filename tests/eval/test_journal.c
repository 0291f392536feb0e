/* Journals: what comes back after interruptions, torn ends and strangers' files.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/files.h"

#include "base/memory.h"
#include "eval/journal.h"

#include <signal.h>
#include <sys/wait.h>

#define FINGERPRINT "protocol: test, version 1\nmodel: abc\nseed: 1\n"
#define RECORDS     40

static char *folder;

static int set_up(void **state)
{
    (void)state;
    folder = folder_make();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

/* Bytes that belong to a picture alone, of any length from none on. */
static size_t make_record(uint8_t *bytes, uint64_t picture)
{
    const size_t length = (size_t)(picture * 7 % 61);

    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)(picture * 31 + i * 17);
    return length;
}

static lancet_journal *open_journal(size_t rank)
{
    lancet_journal *journal = NULL;
    lancet_error error = {.message = ""};

    if (lancet_journal_open(&journal, folder, FINGERPRINT, rank, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    return journal;
}

static void append(lancet_journal *journal, uint64_t picture)
{
    uint8_t bytes[64];
    const size_t length = make_record(bytes, picture);

    assert_int_equal(lancet_journal_append(journal, picture, bytes, length, NULL), LANCET_OK);
}

/* Every record is whole and there once, in order; returns how many there are. */
static size_t check_records(const lancet_journal *journal)
{
    lancet_records records;
    size_t count;

    assert_int_equal(lancet_journal_read(&records, journal, NULL), LANCET_OK);
    for (size_t i = 0; i < records.count; i++) {
        uint8_t bytes[64];
        const size_t length = make_record(bytes, records.items[i].picture);

        assert_true(i == 0 || records.items[i].picture > records.items[i - 1].picture);
        assert_int_equal(records.items[i].length, length);
        assert_memory_equal(records.items[i].bytes, bytes, length);
        assert_int_equal((uintptr_t)records.items[i].bytes % 8, 0);
    }
    count = records.count;
    lancet_records_close(&records);
    return count;
}

static void test_processes_share_a_folder(void **state)
{
    lancet_journal *one = open_journal(0), *two = open_journal(1);

    (void)state;
    for (uint64_t i = RECORDS; i-- > 0;)
        append(i % 2 ? two : one, i);
    append(two, 4); /* there already */
    assert_int_equal(check_records(one), RECORDS);
    assert_int_equal(check_records(two), RECORDS);
    lancet_journal_close(&one);
    lancet_journal_close(&two);
    one = open_journal(5); /* another number of processes goes on with the same folder */
    assert_int_equal(lancet_journal_count(one), RECORDS);
    for (uint64_t i = 0; i < RECORDS; i++)
        assert_true(lancet_journal_has(one, i));
    assert_false(lancet_journal_has(one, RECORDS));
    lancet_journal_close(&one);
}

static const char *own_file(void)
{
    return path_of(folder, "rank-0000.journal");
}

static char *write_ten(size_t *length)
{
    lancet_journal *journal = open_journal(0);
    char *bytes;

    for (uint64_t i = 0; i < 10; i++)
        append(journal, i);
    assert_int_equal(lancet_journal_sync(journal, NULL), LANCET_OK);
    lancet_journal_close(&journal);
    bytes = file_read(own_file(), length);
    assert_non_null(bytes);
    return bytes;
}

static void test_torn_ends_are_dropped_and_written_again(void **state)
{
    size_t length, last = 11;
    char *bytes = write_ten(&length);

    (void)state;
    for (size_t cut = length; cut-- > 0;) {
        lancet_journal *journal;
        size_t known;

        file_write(own_file(), bytes, cut);
        journal = open_journal(0);
        known = lancet_journal_count(journal);
        assert_true(known <= last); /* never more by cutting more off */
        last = known;
        for (uint64_t i = known; i < 10; i++) {
            assert_false(lancet_journal_has(journal, i));
            append(journal, i);
        }
        assert_int_equal(check_records(journal), 10);
        lancet_journal_close(&journal);
        if (known < 10) { /* the same file as without interruption */
            size_t again_length;
            char *again = file_read(own_file(), &again_length);

            assert_int_equal(again_length, length);
            assert_memory_equal(again, bytes, length);
            free(again);
        }
    }
    assert_int_equal(last, 0);
    free(bytes);
}

static void test_no_flipped_bit_becomes_a_record(void **state)
{
    size_t length;
    char *bytes = write_ten(&length);

    (void)state;
    for (size_t i = 0; i < length; i++) {
        lancet_journal *journal = NULL;

        bytes[i] ^= (char)(1 << i % 8);
        file_write(own_file(), bytes, length);
        if (lancet_journal_open(&journal, folder, FINGERPRINT, 0, NULL) == LANCET_OK)
            assert_true(check_records(journal) <= 10);
        lancet_journal_close(&journal);
        bytes[i] ^= (char)(1 << i % 8);
    }
    free(bytes);
}

static void expect_refused(const char *fingerprint, const char *says, const char *says_too)
{
    lancet_journal *journal = (lancet_journal *)1;
    lancet_error error = {.message = ""};

    assert_int_equal(lancet_journal_open(&journal, folder, fingerprint, 0, &error), LANCET_ERROR_INPUT);
    assert_null(journal);
    if (!strstr(error.message, says) || !strstr(error.message, says_too))
        fail_msg("%s", error.message);
}

static void test_strangers_are_refused_and_left_alone(void **state)
{
    size_t length, left_length;
    char *bytes = write_ten(&length), *left;

    (void)state;
    expect_refused("protocol: test, version 1\nmodel: abd\nseed: 1\n", "\"model: abd\"", "\"model: abc\"");
    expect_refused("protocol: test, version 1\nmodel: abc\nseed: 1\nmore: 2\n", "\"more: 2\"", "\"\"");
    left = file_read(own_file(), &left_length);
    assert_int_equal(left_length, length);
    assert_memory_equal(left, bytes, length);
    free(left);
    free(bytes);
    file_write_text(own_file(), "Dear diary");
    expect_refused(FINGERPRINT, "rank-0000.journal", "found something else");
    left = file_read(own_file(), NULL);
    assert_string_equal(left, "Dear diary");
    free(left);
}

static void test_one_process_a_file(void **state)
{
    lancet_journal *journal = open_journal(0), *other = NULL;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_journal_open(&other, folder, FINGERPRINT, 0, &error), LANCET_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "another process"));
    lancet_journal_close(&journal);
    journal = open_journal(0);
    lancet_journal_close(&journal);
}

static void test_without_a_folder(void **state)
{
    lancet_journal *journal = NULL;

    (void)state;
    assert_int_equal(lancet_journal_open(&journal, NULL, FINGERPRINT, 0, NULL), LANCET_OK);
    assert_int_equal(check_records(journal), 0);
    for (uint64_t i = 0; i < RECORDS; i++)
        append(journal, i);
    assert_int_equal(check_records(journal), RECORDS);
    lancet_journal_close(&journal);
}

/* Opens and reads with the n-th allocation failing; whether there was none any more that could. */
static bool survives(uint64_t n)
{
    lancet_journal *journal = NULL;
    lancet_records records = {0};
    bool past;
    lancet_status status;

    lancet_memory_fail_at(n);
    status = lancet_journal_open(&journal, folder, FINGERPRINT, 0, NULL);
    if (status == LANCET_OK)
        status = lancet_journal_read(&records, journal, NULL);
    past = lancet_memory_requests() < n;
    lancet_memory_fail_at(0);
    assert_int_equal(status, past ? LANCET_OK : LANCET_ERROR_MEMORY);
    assert_int_equal(records.count, past ? 10 : 0);
    lancet_records_close(&records);
    lancet_journal_close(&journal);
    return past;
}

static void test_memory(void **state)
{
    uint64_t n = 1;

    (void)state;
    free(write_ten(NULL));
    while (!survives(n))
        n++;
    assert_true(n > 5);
}

/* A process that appends as fast as it can, and says after each record that it did. */
static void append_until_killed(int told)
{
    lancet_journal *journal = open_journal(0);
    const uint64_t from = lancet_journal_count(journal);

    for (uint64_t i = from; i < UINT64_C(1) << 40; i++) {
        append(journal, i);
        if (write(told, &i, sizeof i) != sizeof i)
            break;
    }
    _exit(1);
}

static void test_nothing_is_lost_by_kill(void **state)
{
    uint64_t said = 0;

    (void)state;
    for (int round = 0; round < 10; round++) {
        lancet_journal *journal;
        uint64_t i = 0;
        int ends[2];
        pid_t child;

        assert_int_equal(pipe(ends), 0);
        child = fork();
        assert_true(child >= 0);
        if (child == 0)
            append_until_killed(ends[1]);
        close(ends[1]);
        for (int k = 0; k < 5 + 97 * round % 61; k++)
            assert_int_equal(read(ends[0], &i, sizeof i), sizeof i);
        kill(child, SIGKILL);
        while (read(ends[0], &i, sizeof i) == sizeof i) /* what it had said before it died */
            ;
        close(ends[0]);
        assert_int_equal(waitpid(child, NULL, 0), child);
        assert_true(i + 1 > said);
        said = i + 1;
        journal = open_journal(0);
        assert_true(lancet_journal_count(journal) >= said); /* one more may have come without a word */
        assert_true(lancet_journal_count(journal) <= said + 1);
        said = check_records(journal);
        lancet_journal_close(&journal);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_processes_share_a_folder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_torn_ends_are_dropped_and_written_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_flipped_bit_becomes_a_record, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_strangers_are_refused_and_left_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_process_a_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_a_folder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_is_lost_by_kill, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
