/* The JSON reader, against another one. SPDX-License-Identifier: Apache-2.0 */
#include "support/files.h"

#include "checkpoint/json.h"
#include "checkpoint/show.h"

#include <jansson.h>
#include <locale.h>
#include <math.h>

static lancet_json start(const char *text, size_t length)
{
    return (lancet_json){.bytes = text, .length = length};
}

static bool accepts(const char *text, size_t length)
{
    lancet_json json = start(text, length);

    return lancet_json_skip(&json) && lancet_json_end(&json);
}

/* Walks our text beside jansson's tree of it. */
static void check_same(lancet_json *json, const json_t *tree)
{
    char text[256];
    size_t length = 0;

    switch (lancet_json_peek(json)) {
    case LANCET_JSON_OBJECT: {
        size_t members = 0;

        assert_true(json_is_object(tree) && lancet_json_enter(json, LANCET_JSON_OBJECT));
        for (bool first = true; lancet_json_key(json, &first, text, sizeof text, &length); members++) {
            const json_t *member = json_object_get(tree, text);

            assert_non_null(member);
            check_same(json, member);
        }
        assert_int_equal(members, json_object_size(tree));
        break;
    }
    case LANCET_JSON_ARRAY: {
        size_t items = 0;

        assert_true(json_is_array(tree) && lancet_json_enter(json, LANCET_JSON_ARRAY));
        for (bool first = true; lancet_json_item(json, &first); items++)
            check_same(json, json_array_get(tree, items));
        assert_int_equal(items, json_array_size(tree));
        break;
    }
    case LANCET_JSON_STRING:
        assert_true(json_is_string(tree) && lancet_json_string(json, text, sizeof text, &length));
        assert_int_equal(length, json_string_length(tree));
        assert_string_equal(text, json_string_value(tree));
        break;
    case LANCET_JSON_NUMBER: {
        lancet_json again = *json;
        const double expected = json_number_value(tree);
        double number = 0;
        size_t size;

        assert_true(json_is_number(tree) && lancet_json_number(json, &number));
        assert_true(number == expected || fabs(number - expected) <= 4e-16 * fabs(expected));
        /* A whole number of 0 or more is a size as well; "-0" has a sign and is none. */
        if (lancet_json_size(&again, &size))
            assert_int_equal(size, json_integer_value(tree));
        else
            assert_true(json_is_real(tree) || expected <= 0);
        break;
    }
    case LANCET_JSON_BOOLEAN: {
        bool value = false;

        assert_true(json_is_boolean(tree) && lancet_json_boolean(json, &value));
        assert_int_equal(value, json_is_true(tree));
        break;
    }
    default:
        assert_true(json_is_null(tree) && lancet_json_skip(json));
    }
}

/* jansson refuses numbers that overflow; we leave that to those who read them. */
static void check_agreement(const char *text, size_t length)
{
    json_error_t error;
    json_t *tree = json_loadb(text, length, JSON_DECODE_ANY, &error);
    const bool ours = accepts(text, length);

    if (!tree && json_error_code(&error) == json_error_numeric_overflow)
        return;
    if (ours != (tree != NULL))
        fail_msg("we %s, jansson %s (%s): %.*s", ours ? "accept" : "refuse", tree ? "accepts" : "refuses",
                 error.text, (int)length, text);
    json_decref(tree);
    tree = json_loadb(text, length, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    if (tree) {
        lancet_json json = start(text, length);

        check_same(&json, tree);
        assert_true(lancet_json_end(&json));
    }
    json_decref(tree);
}

static const char *const seeds[] = {
    "{}",
    "[]",
    "\"\"",
    "0",
    "-0",
    "true",
    "false",
    "null",
    " { } ",
    "[1,2,3]",
    "[1 , [ 2 , { } ] ]",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]},\"__metadata__\":{\"k\":\"v\"}}",
    "{\"layer_norm_eps\": 1e-05, \"a\": -12.5E+3, \"b\": 0.48145466, \"c\": 123456789012345678, \"d\": 1e22}",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC\\ud83d\\ude00\"",
    "\"na\xC3\xAFve \xE2\x82\xAC \xF0\x9F\x98\x80\"",
    "{\"mean\":[0.5,0.25,0.125],\"nested\":[[[[[[[[]]]]]]]],\"x\":null,\"y\":true,\"z\":false}",
    "[0.1,2.2250738585072014e-308,1.7976931348623157e308,5e-324,9007199254740993]",
};

static void test_agrees_with_jansson(void **state)
{
    static const char alphabet[] =
        "{}[]\",:\\/0123456789eE+-.tfnulrsabd \t\n\x01\x7f\x80\xC3\xA9\xED\xA0\xF4";
    uint64_t random = 20260101;

    (void)state;
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        check_agreement(seeds[i], strlen(seeds[i]));
        assert_true(accepts(seeds[i], strlen(seeds[i])));
        for (size_t cut = 0; cut < strlen(seeds[i]); cut++)
            check_agreement(seeds[i], cut);
    }
    /* One to four bytes changed, put in or taken out. */
    for (int round = 0; round < 100000; round++) {
        char text[256];
        size_t length;

#define RANDOM(n) ((random = random * 6364136223846793005u + 1442695040888963407u) >> 33) % (n)
        const char *seed = seeds[RANDOM(sizeof seeds / sizeof *seeds)];
        length = strlen(seed);
        memcpy(text, seed, length);
        for (size_t edits = 1 + RANDOM(4); edits-- > 0 && length;) {
            const size_t at = RANDOM(length), kind = RANDOM(3);

            if (kind == 1) {
                memmove(text + at + 1, text + at, length - at);
                length++;
            } else if (kind == 2) {
                memmove(text + at, text + at + 1, length - at - 1);
                length--;
                continue;
            }
            text[at] = alphabet[RANDOM(sizeof alphabet - 1)];
        }
        check_agreement(text, length);
    }
}

static void test_numbers(void **state)
{
    static const struct {
        const char *text;
        double value;
    } numbers[] = {{"1e-05", 1e-05},
                   {"0.48145466", 0.48145466},
                   {"-0.0", -0.0},
                   {"123456789012345678901234567890", 123456789012345678901234567890.0},
                   {"0.000000000000000000000000000001234567890123456789012", 1.234567890123456789012e-30},
                   {"1e999", INFINITY},
                   {"-1e99999999999999999999", -INFINITY},
                   {"1e-99999999999999999999", 0}};
    const char *locales[] = {"C", "de_DE.UTF-8"};

    (void)state;
    for (size_t l = 0; l < 2; l++) {
        setlocale(LC_ALL, locales[l]); /* where it is not installed, this tests the same twice */
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
            lancet_json json = start(numbers[i].text, strlen(numbers[i].text));
            double value = 7;

            assert_true(lancet_json_number(&json, &value) && lancet_json_end(&json));
            assert_true(value == numbers[i].value ||
                        fabs(value - numbers[i].value) <= 4e-16 * fabs(numbers[i].value));
        }
    }
    setlocale(LC_ALL, "C");
}

/* Decimals of every length that double holds are the nearest double: polygons are rounded where a last bit
 * off would show. */
static void test_short_numbers_are_exact(void **state)
{
    uint64_t random = 3;

    (void)state;
    for (size_t i = 0; i < 200000; i++) {
        char text[64];
        lancet_json json;
        double value = 7;

        random = random * 6364136223846793005u + 1442695040888963407u;
        if (i % 3 == 0)
            snprintf(text, sizeof text, "%u.%u", (unsigned)(random >> 52), (unsigned)(random >> 40) % 100);
        else
            snprintf(text, sizeof text, "%s%.*g", i % 2 ? "-" : "", (int)(1 + i % 15),
                     (double)(random >> 11) / (double)(1 << (i % 20)));
        json = start(text, strlen(text));
        assert_true(lancet_json_number(&json, &value) && lancet_json_end(&json));
        if (value != strtod(text, NULL))
            fail_msg("%s: expected %.17g, found %.17g", text, strtod(text, NULL), value);
    }
}

static void test_sizes(void **state)
{
    static const char *const wrong[] = {"-1", "1.0", "1e2",  "18446744073709551616", "99999999999999999999",
                                        "x",  "",    "\"1\""};
    lancet_json json = start("18446744073709551615", 20);
    size_t value = 7;

    (void)state;
    assert_true(lancet_json_size(&json, &value));
    assert_true(value == SIZE_MAX);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        json = start(wrong[i], strlen(wrong[i]));
        assert_false(lancet_json_size(&json, &value));
        assert_non_null(json.problem);
        assert_false(lancet_json_skip(&json)); /* and stays so */
    }
}

static void test_strings_are_cut_at_a_character(void **state)
{
    static const char text[] = "\"ab\xC3\xA9"
                               "c\"";
    char out[8];
    size_t length = 0;

    (void)state;
    for (size_t size = 1; size <= 6; size++) {
        lancet_json json = start(text, sizeof text - 1);

        assert_true(lancet_json_string(&json, out, size, &length));
        assert_int_equal(length, 5);
        assert_string_equal(out, size == 6   ? "ab\xC3\xA9"
                                               "c"
                                 : size == 5 ? "ab\xC3\xA9"
                                 : size >= 3 ? "ab"
                                 : size == 2 ? "a"
                                             : "");
    }
}

static void test_showing(void **state)
{
    char shown[9];

    (void)state;
    assert_string_equal(lancet_show(shown, sizeof shown, "12345678"), "12345678");
    assert_string_equal(lancet_show(shown, sizeof shown, "123456789"), "12345...");
    assert_string_equal(lancet_show(shown, sizeof shown, "1234\xC3\xA9xyz"), "1234...");
    assert_string_equal(lancet_show(shown, sizeof shown, "a\tb\x1b"), "a?b?");
    assert_string_equal(lancet_show(shown, sizeof shown, ""), "");
}

static void test_depth(void **state)
{
    char text[2 * LANCET_JSON_DEPTH_MAX + 2];

    (void)state;
    for (size_t depth = LANCET_JSON_DEPTH_MAX; depth <= LANCET_JSON_DEPTH_MAX + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        assert_int_equal(accepts(text, 2 * depth), depth == LANCET_JSON_DEPTH_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees_with_jansson),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_short_numbers_are_exact),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_strings_are_cut_at_a_character),
        cmocka_unit_test(test_showing),
        cmocka_unit_test(test_depth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
