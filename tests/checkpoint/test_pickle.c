/* Pickles as values: what Python's own pickler wrote, each operation's edges, and the limits.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/files.h"

#include "base/memory.h"
#include "checkpoint/pickle.h"

static lancet_pickle read_pickle(const void *bytes, size_t length)
{
    lancet_pickle pickle;
    lancet_error error;

    if (lancet_pickle_read(&pickle, bytes, length, "p", &error) != LANCET_OK)
        fail_msg("%s", error.message);
    return pickle;
}

/* A value as text, much as Python would print it, to a given depth. */
static void print_value(lancet_buffer *out, const lancet_pickle_value *value, int depth)
{
    static const char *const brackets[] = {
        [LANCET_PICKLE_TUPLE] = "()",      [LANCET_PICKLE_LIST] = "[]", [LANCET_PICKLE_SET] = "<>",
        [LANCET_PICKLE_DICTIONARY] = "{}", [LANCET_PICKLE_CALL] = "!!", [LANCET_PICKLE_PERSISTENT] = "@@"};

    if (!value || (!depth && value->kind >= LANCET_PICKLE_TUPLE)) {
        lancet_buffer_print(out, value ? "..." : "-");
        return;
    }
    switch (value->kind) {
    case LANCET_PICKLE_NONE:
        lancet_buffer_print(out, "None");
        break;
    case LANCET_PICKLE_BOOLEAN:
        lancet_buffer_print(out, value->number ? "True" : "False");
        break;
    case LANCET_PICKLE_INTEGER:
        lancet_buffer_print(out, "%lld", (long long)value->number);
        break;
    case LANCET_PICKLE_LARGE:
        lancet_buffer_print(out, "large");
        break;
    case LANCET_PICKLE_REAL:
        lancet_buffer_print(out, "real");
        break;
    case LANCET_PICKLE_TEXT:
    case LANCET_PICKLE_BYTES:
        lancet_buffer_print(out, value->kind == LANCET_PICKLE_TEXT ? "'%.*s'" : "b'%.*s'",
                            value->count > 40 ? 0 : (int)value->count, value->bytes);
        if (value->count > 40)
            lancet_buffer_print(out, "*%zu", value->count);
        break;
    case LANCET_PICKLE_NAME:
        lancet_buffer_print(out, "name%d", (int)value->role);
        break;
    default:
        lancet_buffer_print(out, "%c", brackets[value->kind][0]);
        for (size_t i = 0; i < value->count; i++) {
            lancet_buffer_print(out, i ? " " : "");
            print_value(out, value->items[i], depth - 1);
        }
        lancet_buffer_print(out, "%c", brackets[value->kind][1]);
    }
}

static void check_value(const void *bytes, size_t length, const char *expected)
{
    lancet_pickle pickle = read_pickle(bytes, length);
    lancet_buffer text = {0};

    print_value(&text, pickle.root, 5);
    assert_string_equal(text.bytes, expected);
    lancet_buffer_close(&text);
    lancet_pickle_close(&pickle);
    assert_null(pickle.root);
}

#define CHECK(bytes, expected) check_value(bytes, sizeof(bytes) - 1, expected)

/* make_archives.py has the list. Protocol 2 has no bytes and no sets: it calls for them. */
static void test_what_python_writes(void **state)
{
    char expected[2048];

    (void)state;
    for (int protocol = 2; protocol <= 5; protocol++) {
        const bool calls = protocol < 4;
        char name[32], call[32];
        size_t length;
        char *bytes;

        snprintf(name, sizeof name, "values_%d.pkl", protocol);
        snprintf(call, sizeof call, "!name%d", LANCET_PICKLE_HARMLESS);
        bytes = file_read(path_of(TESTS_FOLDER "/checkpoint/archives", name), &length);
        assert_non_null(bytes);
        snprintf(expected, sizeof expected,
                 "[None True False 0 255 256 65535 65536 -1 -2147483648 2147483648 -1099511627776 "
                 "4611686018427387904 -9223372036854775808 large large real '' 'a' ''*400 %s () (1) (1 2) "
                 "(1 2 3) (1 2 3 4) [] [1] {} {'k' 'v'} {'a' 1 2 'b'} ['x'] ['x'] (['x']) {'a' 1 'b' 2} "
                 "%s%s%s %s%s%s [[[[...]]]]]",
                 protocol == 2 ? "!name0 ('ab' 'latin1') -!" : "b'ab'", calls ? call : "<",
                 calls ? " ([1])" : "1", calls ? " -!" : ">", calls ? call : "<", calls ? " ([2])" : "2",
                 calls ? " -!" : ">");
        check_value(bytes, length, expected);
        free(bytes);
    }
}

static void test_operations(void **state)
{
    (void)state;
    CHECK("\x80\x2N.", "None");
    CHECK("\x80\x5N.", "None");
    CHECK("\x80\x2J\xFE\xFF\xFF\xFF.", "-2");
    CHECK("\x80\x2J\xFF\xFF\xFF\x7F.", "2147483647");
    CHECK("\x80\x2M\xFF\xFF.", "65535");
    CHECK("\x80\x2\x8A\0.", "0");
    CHECK("\x80\x2\x8A\2\xFF\0.", "255");
    CHECK("\x80\x2\x8A\1\xFF.", "-1");
    CHECK("\x80\x2\x8A\x8\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F.", "9223372036854775807");
    CHECK("\x80\x2\x8A\x9\0\0\0\0\0\0\0\x80\0.", "large");
    CHECK("\x80\x2\x8B\1\0\0\0\5.", "5");
    CHECK("\x80\x2(K\1K\2K\3t.", "(1 2 3)");
    CHECK("\x80\x2(K\1(K\2tK\3l.", "[1 (2) 3]");
    CHECK("\x80\x2(K\1K\2d.", "{1 2}");
    CHECK("\x80\x2K\1K\2\x30.", "1");      /* POP */
    CHECK("\x80\x2K\1(K\2K\3\x31.", "1");  /* POP_MARK */
    CHECK("\x80\x2K\1(\x30.", "1");        /* POP takes a mark too */
    CHECK("\x80\x2K\1\x32\x86.", "(1 1)"); /* DUP */
    CHECK("\x80\x2U\2ab.", "b'ab'");       /* a text of Python 2 */
    CHECK("\x80\x2T\2\0\0\0ab.", "b'ab'");
    CHECK("\x80\x2](t\x86.", "([] ())");
    CHECK("\x80\x2}K\1K\2s.", "{1 2}");
    CHECK("\x80\x2}(u.", "{}");
    CHECK("\x80\x2]q\0h\0a.", "[[[[[...]]]]]");
    CHECK("\x80\x2}r\7\0\0\0(K\1j\7\0\0\0u.", "{1 {1 {1 {1 {1 ...}}}}}");
    CHECK("\x80\x4\x8C\1a\x94K\1\x94h\0\x87\x94.", "('a' 1 'a')");
}

/* A number given twice is the later value's, as in Python. */
static void test_numbers_of_values(void **state)
{
    (void)state;
    CHECK("\x80\x2K\1q\0K\2q\0h\0\x87.", "(1 2 2)");
    /* MEMOIZE counts what is numbered, not how often. */
    CHECK("\x80\x2(K\1q\0K\2q\0K\3\x94h\1t.", "(1 2 3 3)");
}

static void test_calls_are_notes(void **state)
{
    char expected[128];

    (void)state;
    snprintf(expected, sizeof expected, "!name%d ('cpu') -!", LANCET_PICKLE_HARMLESS);
    CHECK("\x80\x2"
          "ctorch\ndevice\nX\3\0\0\0cpu\x85R.",
          expected);
    CHECK("\x80\x4\x8C\5torch\x8C\6device\x93X\3\0\0\0cpu\x85\x81.", expected);
    snprintf(expected, sizeof expected, "!name%d () {'a' 1}!", LANCET_PICKLE_MODULE);
    CHECK("\x80\x2"
          "c__torch__.a.b\nC\n)\x81}X\1\0\0\0aK\1sb.",
          expected);
    CHECK("\x80\x2"
          "c__torch__\nC\n)}\x92}X\1\0\0\0aK\1sb.",
          expected);
    CHECK("\x80\x2"
          "ctorch\nSize\n(K\2K\3t\x85R.",
          "(2 3)");
    CHECK("\x80\x2"
          "ccollections\nOrderedDict\n)R(K\1K\2u}K\3K\4sb.",
          "{1 2}");
    CHECK("\x80\x2"
          "ccollections\ndefaultdict\nc__builtin__\nlist\n\x85R.",
          "{}");
    CHECK("\x80\x2K\1Q.", "@1@");
}

static void test_names(void **state)
{
    static const struct {
        const char *module, *attribute;
        bool known;
    } cases[] = {{"torch", "FloatStorage", true},
                 {"torch._utils", "_rebuild_tensor_v2", true},
                 {"__torch__", "X", true},
                 {"__torch__.y.z", "X", true},
                 {"__torch__y", "X", false},
                 {"", "", false},
                 {"torch", "", false},
                 {"torch", "FloatStorageX", false},
                 {"torchX", "FloatStorage", false},
                 {"os", "system", false},
                 {"builtins", "eval", false},
                 {"builtins", "getattr", false},
                 {"torch", "load", false},
                 {"torch.storage", "_load_from_bytes", false}};
    lancet_pickle_value name;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(lancet_pickle_know(&name, cases[i].module, strlen(cases[i].module),
                                            cases[i].attribute, strlen(cases[i].attribute)),
                         cases[i].known);
}

static void test_find(void **state)
{
    static const char bytes[] = "\x80\x2}(X\1\0\0\0aK\1X\1\0\0\0bK\2X\1\0\0\0aK\3K\4K\5U\1cK\6u.";
    lancet_pickle pickle = read_pickle(bytes, sizeof bytes - 1);

    (void)state;
    assert_int_equal(lancet_pickle_find(pickle.root, "a")->number, 3); /* the later one, as in Python */
    assert_int_equal(lancet_pickle_find(pickle.root, "b")->number, 2);
    assert_null(lancet_pickle_find(pickle.root, "c")); /* bytes are no text */
    assert_null(lancet_pickle_find(pickle.root, ""));
    lancet_pickle_close(&pickle);
}

/* On memory of exactly that size, so that a sanitizer sees every step beyond the end. */
static lancet_status read_copy(const char *bytes, size_t length, lancet_error *error)
{
    uint8_t *copy = malloc(length ? length : 1);
    lancet_pickle pickle;
    lancet_status status;

    memcpy(copy, bytes, length);
    status = lancet_pickle_read(&pickle, copy, length, "p", error);
    if (status != LANCET_OK) {
        assert_null(pickle.root);
        assert_null(pickle.memory);
        assert_int_equal(strncmp(error->message, "p: ", 3), 0);
    }
    lancet_pickle_close(&pickle);
    free(copy);
    return status;
}

static void test_every_cut_is_refused(void **state)
{
    lancet_error error;
    size_t length;

    (void)state;
    for (int protocol = 2; protocol <= 5; protocol++) {
        char name[32], *bytes;

        snprintf(name, sizeof name, "values_%d.pkl", protocol);
        bytes = file_read(path_of(TESTS_FOLDER "/checkpoint/archives", name), &length);
        assert_non_null(bytes);
        for (size_t cut = 0; cut < length; cut++)
            assert_int_equal(read_copy(bytes, cut, &error), LANCET_ERROR_INPUT);
        /* Any byte changed to any other: an error, or another value, but never more than that. */
        for (size_t i = 0; i < length; i++)
            for (int change = 1; change < 256; change += 6) {
                bytes[i] = (char)(bytes[i] ^ change);
                read_copy(bytes, length, &error);
                bytes[i] = (char)(bytes[i] ^ change);
            }
        free(bytes);
    }
}

/* What a few megabytes can ask for ends at a limit. `piece` is repeated. */
static void check_bomb(const char *start, const char *piece, size_t piece_length, const char *says)
{
    const size_t length = (size_t)20 << 20, first = strlen(start);
    char *bytes = malloc(length);
    lancet_pickle pickle;
    lancet_error error;

    memcpy(bytes, start, first);
    for (size_t i = first; i < length; i++)
        bytes[i] = piece[(i - first) % piece_length];
    assert_int_equal(lancet_pickle_read(&pickle, (const uint8_t *)bytes, length, "p", &error),
                     LANCET_ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.message, says));
    assert_null(pickle.memory);
    free(bytes);
}

static void test_bombs(void **state)
{
    lancet_pickle pickle;
    lancet_error error;

    (void)state;
    check_bomb("\x80\x2", "N", 1, "at most 1048576 values on the stack");
    check_bomb("\x80\x2]", "Na", 2, "values that take at most 256 MiB");
    check_bomb("\x80\x2)", "\x85", 1, "values that take at most 256 MiB");
    check_bomb("\x80\x2]q", "2", 1, "at most 1048576 values on the stack"); /* numbered '2', then DUP */
    check_bomb("\x80\x2N", "N0", 2, "values that take at most 256 MiB");
    check_bomb("\x80\x2", "(", 1, "nested at most 1000 deep");
    assert_int_equal(
        lancet_pickle_read(&pickle, (const uint8_t *)"", LANCET_PICKLE_LENGTH_MAX + 1, "p", &error),
        LANCET_ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "expected at most 33554432 bytes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_python_writes),
        cmocka_unit_test(test_operations),
        cmocka_unit_test(test_numbers_of_values),
        cmocka_unit_test(test_calls_are_notes),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_every_cut_is_refused),
        cmocka_unit_test(test_bombs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
