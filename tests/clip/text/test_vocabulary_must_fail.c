/* Vocabulary files that must be refused, each with a sentence that says what is wrong.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clip/text/vocabularies.h"

#include <zlib.h>

static char *folder;

/* Opening `name` in the test's folder has to fail with `status`, a message that names the file, and every
 * word of `words` (up to NULL) in it. */
static void refuse(const char *name, lancet_status status, const char *const *words)
{
    lancet_vocabulary *vocabulary;
    lancet_error error = {LANCET_OK, "nothing said"};
    const char *path = path_of(folder, name);

    if (lancet_vocabulary_open(&vocabulary, path, &error) != status)
        fail_msg("%s: expected %s, found %s: %s", path, lancet_status_name(status),
                 lancet_status_name(error.status), error.message);
    assert_null(vocabulary);
    assert_int_equal(error.status, status);
    assert_int_equal(lancet_vocabulary_open(&vocabulary, path, NULL), status);
    if (!strstr(error.message, folder))
        fail_msg("expected the file's name in \"%s\"", error.message);
    for (; *words; words++) {
        if (!strstr(error.message, *words))
            fail_msg("expected \"%s\" in \"%s\"", *words, error.message);
    }
}

#define WORDS(...)                                                                                           \
    (const char *const[])                                                                                    \
    {                                                                                                        \
        __VA_ARGS__, NULL                                                                                    \
    }

static int make(void **state)
{
    (void)state;
    folder = folder_make();
    return 0;
}

static int clean(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

/* ---- Files ----------------------------------------------------------------------------------- */

static void test_no_file(void **state)
{
    (void)state;
    refuse("missing.txt", LANCET_ERROR_IO, WORDS("missing.txt"));
    refuse(".", LANCET_ERROR_IO, WORDS("found none"));
    file_write_text(path_of(folder, "empty.txt"), "");
    refuse("empty.txt", LANCET_ERROR_INPUT, WORDS("found no merges"));
    file_write_text(path_of(folder, "blank.txt"), "\n\n\n");
    refuse("blank.txt", LANCET_ERROR_INPUT, WORDS("found no merges"));
    assert_int_equal(truncate(path_of(folder, "empty.txt"), 33 << 20), 0);
    refuse("empty.txt", LANCET_ERROR_INPUT, WORDS("at most 33554432 bytes, found 34603008"));
}

static char *zip(const char *bytes, size_t length, size_t *zipped_length)
{
    const char *path = path_of(folder, "zipped.gz");
    gzFile file = gzopen(path, "wb");
    size_t done = 0;

    while (done < length) {
        const unsigned part = length - done > 1 << 20 ? 1 << 20 : (unsigned)(length - done);

        assert_int_equal(gzwrite(file, bytes + done, part), (int)part);
        done += part;
    }
    assert_int_equal(gzclose(file), Z_OK);
    return file_read(path, zipped_length);
}

static void test_gzip(void **state)
{
    size_t length, zipped_length, bomb_length = 40 << 20;
    char *text = file_read(TEXT_DATA "/merges.txt", &length), *bomb = calloc(1, bomb_length);
    char *zipped = zip(text, length, &zipped_length);
    char *longer = malloc(zipped_length + 5);

    (void)state;
    file_write(path_of(folder, "cut.gz"), zipped, zipped_length / 2);
    refuse("cut.gz", LANCET_ERROR_INPUT, WORDS("cut short"));
    file_write(path_of(folder, "cut.gz"), zipped, zipped_length - 1); /* in the middle of the check sum */
    refuse("cut.gz", LANCET_ERROR_INPUT, WORDS("cut short"));
    file_write(path_of(folder, "cut.gz"), zipped, 5);
    refuse("cut.gz", LANCET_ERROR_INPUT, WORDS("cut short"));
    memcpy(longer, zipped, zipped_length);
    memcpy(longer + zipped_length, "extra", 5);
    file_write(path_of(folder, "longer.gz"), longer, zipped_length + 5);
    refuse("longer.gz", LANCET_ERROR_INPUT, WORDS("found 5 more bytes"));
    longer[zipped_length / 2] ^= 0x55;
    file_write(path_of(folder, "damaged.gz"), longer, zipped_length);
    refuse("damaged.gz", LANCET_ERROR_INPUT, WORDS("damaged"));
    memcpy(longer, zipped, zipped_length);
    longer[zipped_length - 8] ^= 1; /* the check sum */
    file_write(path_of(folder, "damaged.gz"), longer, zipped_length);
    refuse("damaged.gz", LANCET_ERROR_INPUT, WORDS("damaged", "check"));
    free(zipped);
    zipped = zip(bomb, bomb_length, &zipped_length);
    assert_true(zipped_length < 64 << 10);
    file_write(path_of(folder, "bomb.gz"), zipped, zipped_length);
    refuse("bomb.gz", LANCET_ERROR_INPUT, WORDS("when unpacked, found more"));
    free(zipped);
    zipped = zip("", 0, &zipped_length);
    file_write(path_of(folder, "nothing.gz"), zipped, zipped_length);
    refuse("nothing.gz", LANCET_ERROR_INPUT, WORDS("found no merges"));
    free(zipped);
    free(longer);
    free(bomb);
    free(text);
}

/* ---- Texts of merges ------------------------------------------------------------------------- */

static void test_merges(void **state)
{
    static const struct {
        const char *text, *first, *second;
    } wrong[] = {
        {"i n\nt\n", "line 2", "two symbols with one space"},
        {"#version: 0.2\ni n\nt h e\n", "line 3", "found \"t h e\""},
        {"i  n\n", "line 1", "two symbols with one space"},
        {" n\n", "line 1", "two symbols with one space"},
        {"n \n", "line 1", "two symbols with one space"},
        {"i n\n\nt h\n", "line 2 is empty", "more lines behind it"},
        {"i n\nt \xFFh\n", "expected UTF-8", "0xFF at offset 6"},
        {"i n\nth e\n", "line 2: the symbol \"th\"", "neither a byte's nor made by a merge before it"},
        {"t he\nh e\n", "line 1: the symbol \"he\"", "before it"},
        {"i n\nt h\ni n\n", "line 3: makes \"in\"", "which is token 512 already"},
        {"i n\nn g\nin g\ni ng\n", "line 4: makes \"ing\"", "vocab.json"},
        {"\xE4\xB8\xAD \xE6\x96\x87\n", "the symbol \"\xE4\xB8\xAD\"",
         "neither"}, /* not in the byte alphabet */
        {"i n\nt h\x1B[31m\n", "th", "found"},
        {"\"bpe_simple_vocab_16e6.txt#version: 0.2\ni n\nt h\n", "cut short", "48894 merges"},
        {"<!DOCTYPE html>\n<html>\n", "line 1", "the symbol \"<!DOCTYPE\""},
        {"version https://git-lfs.github.com/spec/v1\n", "line 1", "two symbols|the symbol"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        file_write_text(path_of(folder, "merges.txt"), wrong[i].text);
        if (strcmp(wrong[i].first, "th") == 0) /* a message never passes a terminal's escapes on */
            refuse("merges.txt", LANCET_ERROR_INPUT, WORDS("line 2: the symbol \"h?[31m\""));
        else if (strchr(wrong[i].second, '|'))
            refuse("merges.txt", LANCET_ERROR_INPUT, WORDS(wrong[i].first));
        else
            refuse("merges.txt", LANCET_ERROR_INPUT, WORDS(wrong[i].first, wrong[i].second));
    }
}

/* ---- vocab.json ------------------------------------------------------------------------------ */

/* Writes vocab.json with one token set to `id` (taken over; NULL: the token is removed), and the sound
 * merges. */
static void write_tokens(const char *token, json_t *id)
{
    json_t *tokens = vocabulary_tokens();
    char *merges = file_read(TEXT_DATA "/merges.txt", NULL);

    if (id)
        json_object_set_new(tokens, token, id);
    else
        json_object_del(tokens, token);
    json_write(path_of(folder, "vocab.json"), tokens);
    file_write_text(path_of(folder, "merges.txt"), merges);
    free(merges);
}

static void test_json(void **state)
{
    static const struct {
        const char *text, *word;
    } wrong[] = {
        {"{", "line 1"},
        {"{\"a\": 0", "not JSON"},
        {"{\"a\": 0, \"a\": 1}", "duplicate"},
        {"{\"\xFF\": 0}", "unable to decode byte 0xff"},
        {"{\"a\\u0000b\": 0}", "not JSON"},
        {"{\"\\ud800\": 0}", "not JSON"},
        {"{}", "found none"},
        {"{\"a\": 0} trailing", "not JSON"},
        {"{\"a\": 0.5}", "no whole number"},
        {"{\"a\": \"0\"}", "token \"a\": expected an id"},
        {"{\"a\": null}", "token \"a\": expected an id"},
        {"{\"a\": {\"b\": 1}}", "token \"a\": expected an id"},
        {"{\"a\": 99999999999999999999}", "not JSON"},
        {"{\"\": 0}", "token 0 is empty"},
        {"{\"a\": 1}", "from 0 to 0 (as many as there are tokens), found 1"},
    };

    (void)state;
    file_write_text(path_of(folder, "vocab.json"), "{\"a\": 0}");
    unlink(path_of(folder, "merges.txt"));
    refuse("vocab.json", LANCET_ERROR_INPUT, WORDS("expected its merges.txt beside it"));
    file_write_text(path_of(folder, "merges.txt"), "i n\n");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        file_write_text(path_of(folder, "vocab.json"), wrong[i].text);
        refuse("vocab.json", LANCET_ERROR_INPUT, WORDS("vocab.json", wrong[i].word));
    }
}

/* Brackets without end must not use up the stack. */
static void test_deep_json(void **state)
{
    const size_t length = 1 << 20;
    char *text = malloc(length);

    (void)state;
    memset(text, '[', length);
    memcpy(text, "{\"a\":", 5);
    file_write(path_of(folder, "vocab.json"), text, length);
    refuse("vocab.json", LANCET_ERROR_INPUT, WORDS("depth"));
    free(text);
}

static void test_ids(void **state)
{
    (void)state;
    write_tokens("cat</w>", json_integer(-1));
    refuse("vocab.json", LANCET_ERROR_INPUT,
           WORDS("token \"cat</w>\": expected an id from 0 to 1030", "found -1"));
    write_tokens("cat</w>", json_integer(5000000000));
    refuse("vocab.json", LANCET_ERROR_INPUT, WORDS("found 5000000000"));
    write_tokens("cat</w>", json_integer(600));
    refuse("merges.txt", LANCET_ERROR_INPUT, WORDS("vocab.json", "cat</w>", "the same id 600"));
    write_tokens("cat</w>", NULL); /* a gap in the ids */
    refuse("vocab.json", LANCET_ERROR_INPUT, WORDS("from 0 to 1029", "found 1030"));
}

/* Takes tokens out and closes the gaps that they leave. */
static void write_without(const char *token, const char *other)
{
    json_t *tokens = vocabulary_tokens(), *fewer = json_object(), *id;
    char *merges = file_read(TEXT_DATA "/merges.txt", NULL);
    const char *key;

    json_object_foreach(tokens, key, id)
    { /* in the order of the file, which is that of the ids */
        if (strcmp(key, token) != 0 && strcmp(key, other) != 0)
            json_object_set_new(fewer, key, json_integer((json_int_t)json_object_size(fewer)));
    }
    json_decref(tokens);
    json_write(path_of(folder, "vocab.json"), fewer);
    file_write_text(path_of(folder, "merges.txt"), merges);
    free(merges);
}

static void test_missing_tokens(void **state)
{
    (void)state;
    write_without("<|endoftext|>", "");
    refuse("vocab.json", LANCET_ERROR_INPUT, WORDS("the token \"<|endoftext|>\" is missing"));
    write_without("<|startoftext|>", "");
    refuse("vocab.json", LANCET_ERROR_INPUT, WORDS("the token \"<|startoftext|>\" is missing"));
    write_without("\u0143", "");
    refuse("vocab.json", LANCET_ERROR_INPUT, WORDS("byte 0xAD is missing"));
    write_without("~</w>", "");
    refuse("vocab.json", LANCET_ERROR_INPUT, WORDS("\"~</w>\" of byte 0x7E is missing"));
    write_without("cat</w>", "");
    refuse("vocab.json", LANCET_ERROR_INPUT,
           WORDS("merges.txt: line", "makes \"cat</w>\"", "not among the tokens"));
    write_without("ca", "");
    refuse("vocab.json", LANCET_ERROR_INPUT, WORDS("merges.txt: line", "\"ca\"", "not among the tokens"));
}

static void test_same_merge(void **state)
{
    (void)state;
    write_tokens("cat</w>", json_integer(865));
    file_write_text(path_of(folder, "merges.txt"), "c a\nca t</w>\nc a\n");
    refuse("vocab.json", LANCET_ERROR_INPUT, WORDS("merges 1 and 3 are the same pair"));
}

/* ---- tokenizer.json -------------------------------------------------------------------------- */

/* Writes tokenizer.json with model.`key` (or, with `root`, `key` itself) set to `value`; NULL removes it. */
static void write_tokenizer(bool root, const char *key, json_t *value)
{
    json_t *tokenizer = vocabulary_tokenizer(false);
    json_t *object = root ? tokenizer : json_object_get(tokenizer, "model");

    if (value)
        json_object_set_new(object, key, value);
    else
        json_object_del(object, key);
    json_write(path_of(folder, "tokenizer.json"), tokenizer);
}

static void test_tokenizer(void **state)
{
    (void)state;
    write_tokenizer(false, "type", json_string("Unigram"));
    refuse("tokenizer.json", LANCET_ERROR_UNSUPPORTED,
           WORDS("CLIP's kind (BPE), found one of the kind Unigram"));
    write_tokenizer(false, "end_of_word_suffix", NULL);
    refuse("tokenizer.json", LANCET_ERROR_UNSUPPORTED, WORDS("suffix \"</w>\", found none"));
    write_tokenizer(false, "end_of_word_suffix", json_string("@@"));
    refuse("tokenizer.json", LANCET_ERROR_UNSUPPORTED, WORDS("found \"@@\""));
    write_tokenizer(false, "vocab", json_array());
    refuse("tokenizer.json", LANCET_ERROR_INPUT, WORDS("model.vocab"));
    write_tokenizer(false, "merges", NULL);
    refuse("tokenizer.json", LANCET_ERROR_INPUT, WORDS("model.merges"));
    write_tokenizer(false, "merges", json_pack("[s,i]", "c a", 5));
    refuse("tokenizer.json", LANCET_ERROR_INPUT, WORDS("merge 2: expected two symbols"));
    write_tokenizer(false, "merges", json_pack("[s]", "ca"));
    refuse("tokenizer.json", LANCET_ERROR_INPUT, WORDS("merge 1: expected two symbols"));
    write_tokenizer(false, "merges", json_pack("[[s,s,s]]", "c", "a", "t"));
    refuse("tokenizer.json", LANCET_ERROR_INPUT, WORDS("merge 1: expected two symbols"));
    write_tokenizer(false, "merges", json_pack("[[s,s]]", "c", ""));
    refuse("tokenizer.json", LANCET_ERROR_INPUT, WORDS("merge 1: expected two symbols"));
    write_tokenizer(false, "merges", json_pack("[s]", "c xq"));
    refuse("tokenizer.json", LANCET_ERROR_INPUT, WORDS("merge 1: the symbol \"xq\""));
    write_tokenizer(true, "added_tokens", json_pack("[{s:i}]", "id", 3));
    refuse("tokenizer.json", LANCET_ERROR_INPUT, WORDS("added_tokens[0]"));
    write_tokenizer(true, "added_tokens", json_pack("[{s:i,s:s}]", "id", 3, "content", "cat</w>"));
    refuse("tokenizer.json", LANCET_ERROR_INPUT, WORDS("\"cat</w>\" has one id in model.vocab and another"));
    write_tokenizer(true, "added_tokens", json_pack("[{s:i,s:s}]", "id", 3, "content", "<pad>"));
    refuse("tokenizer.json", LANCET_ERROR_INPUT, WORDS("\"<pad>\" have the same id 3"));
    write_tokenizer(true, "added_tokens", json_pack("[{s:s}]", "content", "<pad>"));
    refuse("tokenizer.json", LANCET_ERROR_INPUT, WORDS("\"<pad>\": expected an id"));
    write_tokenizer(true, "model", json_object());
    refuse("tokenizer.json", LANCET_ERROR_INPUT, WORDS("model.vocab"));
    /* A tokenizer where the ids of a file of merges should be. */
    write_tokenizer(true, "version", NULL);
    assert_int_equal(rename(path_of(folder, "tokenizer.json"), path_of(folder, "vocab.json")), 0);
    file_write_text(path_of(folder, "merges.txt"), "c a\n");
    refuse("merges.txt", LANCET_ERROR_INPUT, WORDS("vocab.json", "found a tokenizer"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_no_file, make, clean),
        cmocka_unit_test_setup_teardown(test_gzip, make, clean),
        cmocka_unit_test_setup_teardown(test_merges, make, clean),
        cmocka_unit_test_setup_teardown(test_json, make, clean),
        cmocka_unit_test_setup_teardown(test_deep_json, make, clean),
        cmocka_unit_test_setup_teardown(test_ids, make, clean),
        cmocka_unit_test_setup_teardown(test_missing_tokens, make, clean),
        cmocka_unit_test_setup_teardown(test_same_merge, make, clean),
        cmocka_unit_test_setup_teardown(test_tokenizer, make, clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
