/* What happens to a text before its words are looked for. Every expected value was computed with ftfy 6.3.1
 * (fix_text with fix_encoding off) and Python 3.11's html.unescape and str.lower, never with Lancet.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/files.h"

#include "clip/text/compose.h"
#include "clip/text/normalize.h"
#include "clip/text/repair.h"

/* The inputs have lengths because one of them holds a zero byte. */
typedef struct text_case {
    const char *what, *text;
    size_t length;
    const char *expected;
} text_case;

/* ftfy.fix_text */
static const text_case repairs[] = {
    {"entities with a semicolon", "&lt;b&gt; &eacute; &hellip; &NotEqualTilde;", 43,
     "<b> \303\251 \342\200\246 \342\211\202\314\270"},
    {"entities without one stay", "&amp &not that &notit;", 22, "&amp &not that &notit;"},
    {"capitals", "P&EACUTE;REZ &NTILDE; &nTILDE; BUNDESSTRA&SZLIG;E &FFILIG; &GTDOT;", 66,
     "P\303\211REZ \303\221 &nTILDE; BUNDESSTRASSE FFI &GTDOT;"},
    {"numbers", "&#39; &#x41; &#X41; &#128; &#x9f; &#0; &#xD800; &#x110000; &#99999999999;", 73,
     "' A A \342\202\254 \305\270 \357\277\275 \357\277\275 \357\277\275 \357\277\275"},
    {"numbers that are no characters vanish", "a&#1;b&#xfdd0;c&#x1fffe;d", 25, "abcd"},
    {"a number that is a semicolon stays", "&#59; &#x3b; &#12a; &#; &#x; &;", 31,
     "&#59; &#x3b; &#12a; &#; &#x; &;"},
    {"names of up to 24 characters",
     "&CounterClockwiseContourIntegral; &DoubleLongLeftRightArrow; &#x0000000000000000000041; "
     "&#x00000000000000000000041;",
     115, "&CounterClockwiseContourIntegral; \342\237\272 A A"},
    {"nested", "&amp;amp;amp;lt;", 16, "<"},
    {"HTML keeps its entities", "<b>&amp;</b>", 12, "<b>&amp;</b>"},
    {"from the line of the < on", "&amp;\012<b>&amp;\012&amp;", 20, "&\012<b>&amp;\012&amp;"},
    {"the < may come out of an entity", "&lt;&amp;amp;", 13, "<&"},
    {"terminal escapes", "a\033[31mb\033[0mc\033[1;33md\033[\331\241me\033[f\033[;", 32, "abcde[;"},
    {"an escape made by a number: the ESC is no character", "&#27;[31m", 9, "[31m"},
    {"C1 controls are Windows-1252", "a\302\205b\302\221c\302\222d\302\200e\302\201f", 16,
     "a\342\200\246b'c'd\342\202\254e\302\201f"},
    {"ligatures",
     "\357\254\200\357\254\201\357\254\202\357\254\203\357\254\204\357\254\205\357\254\206\304\262\304\263"
     "\305\211\307\204\307\205\307\206\307\207\307\210\307\211\307\212\307\213\307\214\307\261\307\262\307"
     "\263 \303\246\305\223",
     56, "fffiflffiffl\305\277tstIJij'nD\305\275D\305\276d\305\276LJLjljNJNjnjDZDzdz \303\246\305\223"},
    {"width",
     "\357\274\241\357\274\242\357\274\243\357\274\221\357\274\222\357\274\237\343\200\200\357\275\266\357"
     "\276\236\357\276\200\357\275\260\357\276\241\357\277\202\357\277\243\357\277\246\357\277\256",
     48, "ABC12? \343\202\254\343\202\277\343\203\274\352\260\200 \314\204\342\202\251\342\227\213"},
    {"quotes",
     "\342\200\230a\342\200\231 \342\200\232b\342\200\233 \342\200\234c\342\200\235 "
     "\342\200\236d\342\200\237 \312\274e \342\200\271f\342\200\272",
     43, "'a' 'b' \"c\" \"d\" 'e \342\200\271f\342\200\272"},
    {"line breaks", "a\015\012b\015c\342\200\250d\342\200\251e\015\015\012f", 18,
     "a\012b\012c\012d\012e\012\012f"},
    {"a break made of two kinds", "\015&#10;x&#13;\012", 13, "\012x\012"},
    {"control characters",
     "a\000b\001c\010d\013e\016f\037g\177h\342\201\252i\357\273\277j\357\277\271k\357\277\274l\357\277\275m"
     "\011n\014o\342\200\213p\342\200\256q",
     47, "abcdefghijkl\357\277\275m\011n\014o\342\200\213p\342\200\256q"},
    {"NFC",
     "e\314\201 a\314\210\314\201 e\314\247\314\201\314\243 \341\204\222\341\205\241\341\206\253 "
     "\340\245\230 \340\275\263 \342\204\246 \342\204\253 \315\204 \360\235\205\240",
     51,
     "\303\251 \303\244\314\201 \310\251\314\243\314\201 \355\225\234 \340\244\225\340\244\274 "
     "\340\275\261\340\275\262 \316\251 \303\205 \314\210\314\201 "
     "\360\235\205\230\360\235\205\245\360\235\205\256"},
    {"not NFKC", "\302\275 \342\205\247 \302\262 \343\217\202 \342\221\240", 17,
     "\302\275 \342\205\247 \302\262 \343\217\202 \342\221\240"},
    {"round after round", "\357\274\206amp;\357\274\203x201c; &\001amp;", 23, "\" &"},
};

/* fix_text, html.unescape twice, white space, lower */
static const text_case wholes[] = {
    {"white space collapses and is trimmed",
     " \011 a\302\240\341\232\200 b\342\200\250\343\200\200c\013d\342\200\213e \012", 26,
     "a b cd\342\200\213e"},
    {"entities of HTML, twice", "<&amp;eacute;&ampamp;lt;&notit;&ltdot;&nbsp;&#x1c;x&zwj;", 56,
     "<\303\251&lt;\302\254it;\342\213\226 x\342\200\215"},
    {"names that are prefixes", "< &ampx &gtx &copycat &unknown; &am", 35,
     "< &x >x \302\251cat &unknown; &am"},
    {"lower case",
     "\303\200\303\211\304\260I\304\261\341\272\236\307\205\320\220\324\261\341\202\240\341\216\240\360\220"
     "\220\200\342\205\240\342\222\266",
     34,
     "\303\240\303\251i\314\207i\304\261\303\237d\305\276\320\260\325\241\342\264\200\352\255\260\360\220\220"
     "\250\342\205\260\342\223\220"},
    {"final sigma",
     "\316\221\316\243 \316\243\316\221\316\243. \316\243 a\314\201\316\243 \316\221\316\243\316\221 "
     "\316\221.\316\243 \316\221\316\243.\316\221 1\316\243 \342\205\240\316\243",
     52,
     "\316\261\317\202 \317\203\316\261\317\202. \317\203 \303\241\317\202 \316\261\317\203\316\261 "
     "\316\261.\317\202 \316\261\317\203.\316\261 1\317\203 \342\205\260\317\202"},
    {"curly quotes of HTML stay", "<\342\200\231&rsquo;", 11, "<'\342\200\231"},
};

static void check(const char *what, const lancet_buffer *found, const char *expected)
{
    if (strcmp(found->bytes, expected) != 0)
        fail_msg("%s: expected \"%s\", found \"%s\"", what, expected, found->bytes);
}

static void test_repairs(void **state)
{
    lancet_points in = {0}, out = {0}, work = {0}, spare = {0};
    lancet_buffer found = {0};

    (void)state;
    for (size_t i = 0; i < sizeof repairs / sizeof *repairs; i++) {
        in.count = out.count = 0;
        lancet_buffer_clear(&found);
        assert_true(lancet_points_decode(&in, repairs[i].text, repairs[i].length));
        assert_int_equal(lancet_repair(&out, &in, &work, &spare, NULL), LANCET_OK);
        assert_true(lancet_points_encode(&found, &out));
        check(repairs[i].what, &found, repairs[i].expected);
    }
    lancet_points_close(&in);
    lancet_points_close(&out);
    lancet_points_close(&work);
    lancet_points_close(&spare);
    lancet_buffer_close(&found);
}

static void test_whole(void **state)
{
    lancet_normalizer normalizer = {0};
    lancet_buffer found = {0};

    (void)state;
    for (size_t i = 0; i < sizeof wholes / sizeof *wholes; i++) {
        assert_int_equal(lancet_normalize(&found, &normalizer, wholes[i].text, wholes[i].length, NULL),
                         LANCET_OK);
        check(wholes[i].what, &found, wholes[i].expected);
    }
    lancet_normalizer_close(&normalizer);
    lancet_buffer_close(&found);
}

/* The short way of plain ASCII gives what the long way does: a zero byte, which vanishes, sends a text the
 * long way. */
static void test_short_way(void **state)
{
    lancet_normalizer normalizer = {0};
    lancet_buffer quick = {0}, slow = {0};
    uint32_t random = 1;

    (void)state;
    for (int round = 0; round < 5000; round++) {
        char text[48];
        const size_t length = (size_t)round % 40;

        for (size_t i = 0; i < length; i++) {
            static const char odd[] = " \t\n\f\r\x0B\x1B&;#a[";

            random = random * 1664525u + 1013904223u;
            text[i] = (char)(random >> 31 ? (uint32_t)odd[(random >> 16) % (sizeof odd - 1)]
                                          : 0x20 + (random >> 16) % 0x5F);
        }
        text[length] = '\0';
        assert_int_equal(lancet_normalize(&quick, &normalizer, text, length, NULL), LANCET_OK);
        assert_int_equal(lancet_normalize(&slow, &normalizer, text, length + 1, NULL), LANCET_OK);
        assert_string_equal(quick.bytes, slow.bytes);
    }
    lancet_normalizer_close(&normalizer);
    lancet_buffer_close(&quick);
    lancet_buffer_close(&slow);
}

/* A long run of marks is ordered by counting, a short one by insertion; both stably. */
static void test_long_runs(void **state)
{
    lancet_points text = {0}, spare = {0};
    const size_t count = 300;

    (void)state;
    assert_true(lancet_points_push(&text, 'x'));
    for (size_t i = 0; i < count; i++) { /* classes 230, 220, 202, and a second of 230 */
        static const uint32_t marks[] = {0x301, 0x323, 0x327, 0x302};

        assert_true(lancet_points_push(&text, marks[i % 4]));
    }
    assert_true(lancet_compose(&text, &spare));
    assert_int_equal(text.count, 1 + count);
    assert_int_equal(text.points[0], 'x');
    for (size_t i = 0; i < count; i++) {
        const uint32_t expected = i < 75 ? 0x327 : i < 150 ? 0x323 : i % 2 == 0 ? 0x301 : 0x302;

        assert_int_equal(text.points[1 + i], expected);
    }
    lancet_points_close(&text);
    lancet_points_close(&spare);
}

static void test_not_utf8(void **state)
{
    static const struct {
        const char *text;
        const char *where;
    } wrong[] = {{"a\xFFz", "byte 1 (0xFF)"},           {"caf\xC3", "byte 3 (0xC3)"},
                 {"\xC0\xAF", "byte 0 (0xC0)"},         {"ok \xED\xA0\x80", "byte 3 (0xED)"},
                 {"\xF4\x90\x80\x80", "byte 0 (0xF4)"}, {"\xE2\x82", "byte 0 (0xE2)"}};
    lancet_normalizer normalizer = {0};
    lancet_buffer found = {0};
    lancet_error error;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(lancet_normalize(&found, &normalizer, wrong[i].text, strlen(wrong[i].text), &error),
                         LANCET_ERROR_ARGUMENT);
        assert_int_equal(error.status, LANCET_ERROR_ARGUMENT);
        assert_non_null(strstr(error.message, wrong[i].where));
    }
    lancet_normalizer_close(&normalizer);
    lancet_buffer_close(&found);
}

/* Ever deeper references would take the square of their number; they are refused, ordinary nesting is not. */
static void test_nesting(void **state)
{
    lancet_normalizer normalizer = {0};
    lancet_buffer found = {0}, text = {0};
    lancet_error error;

    (void)state;
    lancet_buffer_append(&text, "&", 1);
    for (int i = 0; i < 500; i++)
        lancet_buffer_append(&text, "amp;", 4);
    assert_int_equal(lancet_normalize(&found, &normalizer, text.bytes, text.length, &error), LANCET_OK);
    assert_string_equal(found.bytes, "&");
    for (int i = 0; i < 20000; i++)
        lancet_buffer_append(&text, "amp;", 4);
    assert_int_equal(lancet_normalize(&found, &normalizer, text.bytes, text.length, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "nested too deep"));
    lancet_normalizer_close(&normalizer);
    lancet_buffer_close(&found);
    lancet_buffer_close(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_repairs),   cmocka_unit_test(test_whole),    cmocka_unit_test(test_short_way),
        cmocka_unit_test(test_long_runs), cmocka_unit_test(test_not_utf8), cmocka_unit_test(test_nesting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
