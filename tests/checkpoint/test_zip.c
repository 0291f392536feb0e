/* Zip archives: what is found, and that no damage goes further than a refusal. SPDX-License-Identifier:
 * Apache-2.0 */
#include "checkpoint/archive.h"

#include "checkpoint/zip.h"

static lancet_zip open_zip(const lancet_buffer *bytes)
{
    lancet_zip zip;
    lancet_error error;

    if (lancet_zip_open(&zip, (const uint8_t *)bytes->bytes, bytes->length, "a.zip", &error) != LANCET_OK)
        fail_msg("%s", error.message);
    return zip;
}

static void check_member(const lancet_zip *zip, const char *name, const char *content)
{
    const lancet_zip_member *member = lancet_zip_find(zip, name, strlen(name));

    assert_non_null(member);
    assert_int_equal(member->name_length, strlen(name));
    assert_memory_equal(member->name, name, strlen(name));
    assert_int_equal(member->length, strlen(content));
    assert_memory_equal(member->bytes, content, strlen(content));
}

static lancet_buffer make_three(int how, bool wide, const char *comment)
{
    zip_writer w = {0};

    zip_add(&w, "x/b", "second", 6, how);
    zip_add(&w, "x/a", "first", 5, how);
    zip_add(&w, "x/", "", 0, how);
    return zip_end(&w, wide, comment);
}

static void test_members_are_found(void **state)
{
    static const char *const comments[] = {"", "a comment", "PK\5\6 and more, but no end record"};

    (void)state;
    for (int how = 0; how < 16; how += 4)
        for (int wide = 0; wide < 2; wide++)
            for (size_t i = 0; i < 3; i++) {
                lancet_buffer bytes = make_three(how, wide, comments[i]);
                lancet_zip zip = open_zip(&bytes);

                assert_int_equal(zip.count, 3);
                assert_memory_equal(zip.members[0].name, "x/b", 3); /* in the directory's order */
                check_member(&zip, "x/a", "first");
                check_member(&zip, "x/b", "second");
                check_member(&zip, "x/", "");
                assert_null(lancet_zip_find(&zip, "x", 1));
                assert_null(lancet_zip_find(&zip, "x/c", 3));
                assert_null(lancet_zip_find(&zip, "x/ab", 4));
                assert_null(lancet_zip_find(&zip, "", 0));
                assert_int_equal((zip.members[0].bytes - (const uint8_t *)bytes.bytes) % 64, 0);
                for (size_t m = 0; m < 3; m++)
                    assert_null(zip.members[m].packed);
                lancet_zip_close(&zip);
                assert_null(zip.members);
                lancet_buffer_close(&bytes);
            }
}

static void test_what_is_packed_says_so(void **state)
{
    lancet_buffer deflated = make_three(ZIP_DEFLATED, true, ""),
                  encrypted = make_three(ZIP_ENCRYPTED, true, "");
    lancet_zip zip = open_zip(&deflated);

    (void)state;
    assert_string_equal(zip.members[0].packed, "compressed");
    lancet_zip_close(&zip);
    zip = open_zip(&encrypted);
    assert_string_equal(zip.members[0].packed, "encrypted");
    lancet_zip_close(&zip);
    lancet_buffer_close(&deflated);
    lancet_buffer_close(&encrypted);
}

static void test_nothing_in_it(void **state)
{
    zip_writer w = {0};
    lancet_buffer bytes = zip_end(&w, false, "");
    lancet_zip zip = open_zip(&bytes);

    (void)state;
    assert_int_equal(zip.count, 0);
    assert_null(lancet_zip_find(&zip, "a", 1));
    lancet_zip_close(&zip);
    lancet_buffer_close(&bytes);
}

/* More than the old end record can count. */
static void test_a_hundred_thousand_members(void **state)
{
    enum { COUNT = 100000 };
    zip_writer w = {0};
    lancet_buffer bytes;
    lancet_zip zip;
    char name[32];

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "x/%zu", (i * 7919) % COUNT);
        zip_add(&w, name, &i, sizeof i, 0);
    }
    bytes = zip_end(&w, true, "");
    zip = open_zip(&bytes);
    assert_int_equal(zip.count, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        size_t found;

        snprintf(name, sizeof name, "x/%zu", (i * 7919) % COUNT);
        memcpy(&found, lancet_zip_find(&zip, name, strlen(name))->bytes, sizeof found);
        assert_int_equal(found, i);
    }
    lancet_zip_close(&zip);
    lancet_buffer_close(&bytes);
}

/* On memory of exactly that size, so that a sanitizer sees every step beyond the end. */
static lancet_status open_copy(const char *bytes, size_t length, lancet_error *error)
{
    uint8_t *copy = malloc(length ? length : 1);
    lancet_zip zip;
    lancet_status status;

    memcpy(copy, bytes, length);
    status = lancet_zip_open(&zip, copy, length, "a.zip", error);
    if (status != LANCET_OK) {
        assert_null(zip.members);
        assert_int_equal(strncmp(error->message, "a.zip: ", 7), 0);
    }
    for (size_t i = 0; i < zip.count; i++) {
        const lancet_zip_member *member = &zip.members[i];

        assert_true(member->bytes >= copy && member->length <= (size_t)(copy + length - member->bytes));
    }
    lancet_zip_close(&zip);
    free(copy);
    return status;
}

static void test_every_cut_is_refused(void **state)
{
    lancet_error error;

    (void)state;
    for (int wide = 0; wide < 2; wide++) {
        lancet_buffer bytes = make_three(wide ? ZIP_WIDE : 0, wide, "");

        for (size_t length = 0; length < bytes.length; length++)
            assert_int_equal(open_copy(bytes.bytes, length, &error), LANCET_ERROR_INPUT);
        assert_int_equal(open_copy(bytes.bytes, bytes.length, &error), LANCET_OK);
        lancet_buffer_close(&bytes);
    }
}

/* Some bytes mean nothing here (times, checksums, padding); a change of any other is found out or harmless.
 */
static void test_every_changed_byte_is_survived(void **state)
{
    static const uint8_t changes[] = {0x01, 0x80, 0xFF};
    lancet_buffer bytes = make_three(ZIP_WIDE, true, "");
    size_t refused = 0;
    lancet_error error;

    (void)state;
    for (size_t i = 0; i < bytes.length; i++)
        for (size_t c = 0; c < 3; c++) {
            bytes.bytes[i] = (char)(bytes.bytes[i] ^ changes[c]);
            refused += open_copy(bytes.bytes, bytes.length, &error) != LANCET_OK;
            bytes.bytes[i] = (char)(bytes.bytes[i] ^ changes[c]);
        }
    assert_true(refused > 500);
    lancet_buffer_close(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_are_found),    cmocka_unit_test(test_what_is_packed_says_so),
        cmocka_unit_test(test_nothing_in_it),        cmocka_unit_test(test_a_hundred_thousand_members),
        cmocka_unit_test(test_every_cut_is_refused), cmocka_unit_test(test_every_changed_byte_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
