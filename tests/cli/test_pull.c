/* `lancet pull` against a server of this machine that breaks off, lies, redirects and hangs. The command is
 * the real one, with a table of small models. SPDX-License-Identifier: Apache-2.0 */
#undef LANCET_COMMAND
#define LANCET_COMMAND LANCET_PULL_COMMAND
#include "support/command.h"

#include <jansson.h>
#include <signal.h>
#include <time.h>

#define TINY   TESTS_FOLDER "/golden/tiny"
#define LINKED "open_clip/Linked/first"
/* The SHA-256 of what the server has, by Python's hashlib. */
#define PINNED_HASH "3fc4c57d8dc516919f7b80b0fdd2884eb24f4bddd40b405a16bd210fce283834"
#define FIRST_HASH  "359f55b7674b4b2e50ac9760b9b0d339784d6a1739e68840155d1db70bc885c7"
#define SECOND_HASH "d707421823872fe4ff027b56957257bd1a8269d49de4807c1c4c0bcf94c42328"

static pid_t server;
static char base[40]; /* http://127.0.0.1:PORT */
static const char *const environment[] = {"no_proxy=*", NULL};

/* ---- The server -----------------------------------------------------------------------------------------
 */

static void pause_ms(long milliseconds)
{
    nanosleep(&(struct timespec){milliseconds / 1000, milliseconds % 1000 * 1000000}, NULL);
}

static int start_server(void **state)
{
    const char *file;
    char *text = NULL;

    command_set_up(state);
    command_environment = environment;
    file = path_of(command_folder, "port");
    server = fork();
    if (server == 0) {
        execl(LANCET_PYTHON, "python3", TESTS_FOLDER "/support/pull_server.py", command_folder, TINY,
              (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 600 && !path_exists(file); i++)
        pause_ms(50);
    text = file_read(file, NULL);
    if (!text)
        return -1;
    snprintf(base, sizeof base, "http://127.0.0.1:%d", atoi(text));
    free(text);
    return 0;
}

static int stop_server(void **state)
{
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    return command_tear_down(state);
}

static const char *url_of(const char *behaviour)
{
    return path_of(base, behaviour);
}

/* How many requests for weights under `behaviour` asked for `range` (NULL: any, "-": none). */
static int count_requests(const char *behaviour, const char *range)
{
    char *log = file_read(path_of(command_folder, "log"), NULL), start[80], wanted[80];
    int count = 0;

    assert_non_null(log);
    snprintf(start, sizeof start, "/%s/", behaviour);
    snprintf(wanted, sizeof wanted, " range=%s ", range ? range : "");
    for (char *line = strtok(log, "\n"); line; line = strtok(NULL, "\n"))
        if (strncmp(line, start, strlen(start)) == 0 && !strstr(line, "merges.txt") &&
            !strstr(line, ".json") && (!range || strstr(line, wanted)))
            count++;
    free(log);
    return count;
}

/* ---- Runs -----------------------------------------------------------------------------------------------
 */

/* Each test fetches into a folder of its own. */
static const char *folder_of(const char *behaviour)
{
    return path_of(command_folder, behaviour);
}

static command_result pull(const char *model, const char *behaviour)
{
    return command_run("pull", model, "--base-url", url_of(behaviour), "--to", folder_of(behaviour),
                       "--timeout", "1", "--retries", "2");
}

static const char *file_of(const char *behaviour, const char *name)
{
    return path_of(folder_of(behaviour), name);
}

/* The file as the server makes it. */
static void expect_pattern(const char *path, unsigned seed, size_t size)
{
    size_t length;
    char *bytes = file_read(path, &length);

    if (!bytes)
        fail_msg("%s is missing", path);
    assert_int_equal(length, size);
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)bytes[i] != ((i * 7 + (i >> 8) * 13 + seed) & 255))
            fail_msg("%s: byte %zu differs", path, i);
    free(bytes);
}

static void expect_nothing(const char *path)
{
    char part[TEST_PATH_SIZE];

    if (path_exists(path))
        fail_msg("%s is there", path);
    snprintf(part, sizeof part, "%s.part", path);
    if (path_exists(part))
        fail_msg("%s is there", part);
    strcat(part, ".json");
    if (path_exists(part))
        fail_msg("%s is there", part);
}

/* Fetching has to work out, and leave the right bytes and nothing else. Returns what was said; free() it. */
static char *expect_good(const char *model, const char *behaviour)
{
    const bool linked = strcmp(model, LINKED) == 0;
    command_result result = pull(model, behaviour);
    const char *file = file_of(behaviour, linked ? LINKED "/model.safetensors" : "Pinned/pinned.pt");
    char *said = result.err;

    command_check(&result, 0);
    expect_pattern(file, linked ? 2 : 1, linked ? 200000 : 300000);
    assert_false(path_exists(path_of(path_of(file, ".."), "pinned.pt.part")));
    result.err = NULL;
    command_close(&result);
    return said;
}

/* Fetching has to fail, with these words; `part` of the weights' bytes stay. */
static void expect_bad(const char *model, const char *behaviour, int status, const char *says, size_t part)
{
    const bool linked = strcmp(model, LINKED) == 0;
    const char *file = file_of(behaviour, linked ? LINKED "/model.safetensors" : "Pinned/pinned.pt");
    command_result result = pull(model, behaviour);
    char name[TEST_PATH_SIZE];
    size_t length = 0;

    command_check(&result, status);
    if (!strstr(result.err, says))
        fail_msg("expected \"%s\", found: %s", says, result.err);
    if (part) {
        snprintf(name, sizeof name, "%s.part", file);
        free(file_read(name, &length));
        assert_int_equal(length, part);
        assert_false(path_exists(file));
    } else {
        expect_nothing(file);
    }
    command_close(&result);
}

static void expect_said(char *said, const char *words)
{
    if (!strstr(said, words))
        fail_msg("expected \"%s\", found: %s", words, said);
    free(said);
}

/* ---- What works -----------------------------------------------------------------------------------------
 */

static void test_good(void **state)
{
    (void)state;
    expect_said(expect_good("pinned", "good"), "its SHA-256 is the published one");
    assert_true(files_equal(TINY "/merges.txt", file_of("good", "Pinned/merges.txt")));
    expect_said(expect_good(LINKED, "good"), "its SHA-256 is the one the server gives");
    assert_true(path_exists(file_of("good", LINKED "/open_clip_config.json")));
    assert_true(files_equal(TINY "/merges.txt", file_of("good", LINKED "/merges.txt")));
}

/* Names as people write them, all of the same file, which is there after the first time. */
static void test_names(void **state)
{
    static const char *const names[] = {"Linked/first", "linked-first", "OPEN_CLIP:linked:FIRST",
                                        "nobody/CLIP-Linked", LINKED};
    int requests;

    (void)state;
    free(expect_good(LINKED, "good"));
    requests = count_requests("good", NULL);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        command_result result = pull(names[i], "good");

        command_check(&result, 0);
        if (!strstr(result.err, "model.safetensors is there already"))
            fail_msg("%s: %s", names[i], result.err);
        command_close(&result);
    }
    expect_said(expect_good("openai/PINNED", "good"), "pinned.pt is there already");
    expect_said(expect_good("CS-Pinned", "good"), "pinned.pt is there already");
    expect_said(expect_good("open_clip/Pinned/openai", "good"), "pinned.pt is there already");
    assert_int_equal(count_requests("good", NULL), requests);
}

static void test_unknown_names(void **state)
{
    (void)state;
    command_expect_says(2, "no model is called 'Pined'; did you mean Pinned?", "pull", "Pined");
    command_expect_says(2, "did you mean open_clip/Linked/first?", "pull", "open_clip/linked");
    command_expect_says(2, "no model is called 'ViT-Z-99'; 'lancet pull --list' shows", "pull", "ViT-Z-99");
    command_expect_says(2, "no model is called ''", "pull", "");
    command_expect_says(2, "no model is called '../../etc/passwd'", "pull", "../../etc/passwd");
    /* No name is fetched if one of them is wrong. */
    command_expect_says(2, "did you mean", "pull", "Pinned", "Pined", "--base-url", url_of("good"), "--to",
                        folder_of("unknown"));
    assert_false(path_exists(folder_of("unknown")));
}

/* Only what is missing is fetched. */
static void test_resume(void **state)
{
    char *said;

    (void)state;
    said = expect_good("Pinned", "breaks");
    assert_non_null(strstr(said, "the server broke off; trying again in 0.5 s (1 of 2)"));
    free(said);
    assert_int_equal(count_requests("breaks", NULL), 3);
    assert_int_equal(count_requests("breaks", "-"), 1);
    assert_int_equal(count_requests("breaks", "bytes=100000-"), 1);
    assert_int_equal(count_requests("breaks", "bytes=150000-"), 1);
}

/* A later run goes on where an earlier one gave up, also with another server. */
static void test_resume_later(void **state)
{
    command_result result;
    char *said;

    (void)state;
    result = command_run("pull", "Pinned", "--base-url", url_of("breaks_once"), "--to", folder_of("later"),
                         "--retries", "0");
    command_check(&result, 5);
    assert_non_null(strstr(result.err, "the same command goes on where this one ended"));
    command_close(&result);
    assert_true(path_exists(file_of("later", "Pinned/pinned.pt.part")));
    result = command_run("pull", "Pinned", "--base-url", url_of("breaks_once"), "--to", folder_of("later"),
                         "--json");
    command_check(&result, 0);
    expect_pattern(file_of("later", "Pinned/pinned.pt"), 1, 300000);
    expect_nothing(file_of("later", "Pinned/pinned.pt.nothing"));
    assert_false(path_exists(file_of("later", "Pinned/pinned.pt.part")));
    assert_false(path_exists(file_of("later", "Pinned/pinned.pt.part.json")));
    assert_int_equal(count_requests("breaks_once", "bytes=120000-"), 1);
    assert_non_null(strstr(result.out, "\"fetched\": 180000"));
    assert_non_null(strstr(result.err, "going on after 120000 bytes of 300000"));
    command_close(&result);
    said = expect_good("Pinned", "ignores_range");
    assert_non_null(strstr(said, "the server sends it from the start"));
    free(said);
    assert_int_equal(count_requests("ignores_range", "bytes=100000-"), 1);
}

/* What an earlier run left is gone on with only where it is known what it is of. */
static void test_strange_part(void **state)
{
    const char *folder = folder_of("strange/Pinned"), *part = path_of(folder, "pinned.pt.part");
    static const char *const origins[] = {
        "",
        "[]",
        "{\"size\": -1, \"etag\": \"\", \"sha256\": \"\"}",
        "{\"size\": 10, \"etag\": \"\\\"x\\\"\", \"sha256\": \"\"}",
        "{\"size\": 299999, \"etag\": \"\\\"x\\\"\", \"sha256\": \"\"}",
        "{\"size\": 300000, \"etag\": \"\\\"x\\\"\", \"sha256\": \"short\"}"};

    (void)state;
    assert_int_equal(mkdir(folder_of("strange"), 0777), 0);
    assert_int_equal(mkdir(folder, 0777), 0);
    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++) {
        command_result result;

        file_write_text(part, "something else altogether");
        file_write_text(path_of(folder, "pinned.pt.part.json"), origins[i]);
        result = command_run("pull", "Pinned", "--base-url", url_of("good"), "--to", folder_of("strange"));
        command_check(&result, 0);
        command_close(&result);
        expect_pattern(path_of(folder, "pinned.pt"), 1, 300000);
        unlink(path_of(folder, "pinned.pt"));
    }
    /* Whole, and wrong: found out, removed, and right the next time. */
    file_write_text(path_of(folder, "pinned.pt.part.json"),
                    "{\"size\": 300000, \"etag\": \"\", \"sha256\": \"\"}");
    file_write_text(part, "");
    assert_int_equal(truncate(part, 300000), 0);
    command_expect_says(3, "expected SHA-256 " PINNED_HASH ", found", "pull", "Pinned", "--base-url",
                        url_of("good"), "--to", folder_of("strange"), "--quiet");
    expect_nothing(path_of(folder, "pinned.pt"));
    /* A link leads elsewhere. */
    assert_int_equal(symlink("/etc/passwd", part), 0);
    command_expect_says(5, "pinned.pt.part", "pull", "Pinned", "--base-url", url_of("good"), "--to",
                        folder_of("strange"), "--quiet");
}

static void test_server_tries_again(void **state)
{
    char *said;

    (void)state;
    said = expect_good(LINKED, "broken_first");
    assert_non_null(strstr(said, "found HTTP status 503; trying again in 1 s (1 of 2)"));
    free(said);
    said = expect_good(LINKED, "stalls");
    assert_non_null(strstr(said, "the server was silent for 1 s; trying again"));
    free(said);
    assert_int_equal(count_requests("stalls", "bytes=100000-"), 1);
}

static void test_redirects(void **state)
{
    (void)state;
    free(expect_good("Pinned", "redirects"));
    /* The hash comes with the redirect, the bytes (in two parts) from where it leads. */
    expect_said(expect_good(LINKED, "redirects_linked"), "its SHA-256 is the one the server gives");
    assert_int_equal(count_requests("store", "bytes=100000-"), 1);
}

static void test_chunked(void **state)
{
    (void)state;
    free(expect_good("Pinned", "chunked"));
    free(expect_good("Pinned", "odd_etag"));
    expect_said(expect_good(LINKED, "without_hash"), "no SHA-256 is known, only its length was checked");
}

/* Where the first of several names is not there the next one is taken, and is then the one that is there. */
static void test_second_choice(void **state)
{
    command_result result = pull(LINKED, "second");
    int requests = count_requests("second", NULL);

    (void)state;
    command_check(&result, 0);
    command_close(&result);
    expect_pattern(file_of("second", LINKED "/model.bin"), 3, 150000);
    expect_nothing(file_of("second", LINKED "/model.safetensors"));
    result = pull(LINKED, "second");
    command_check(&result, 0);
    assert_non_null(strstr(result.err, "model.bin is there already"));
    command_close(&result);
    assert_int_equal(count_requests("second", NULL), requests);
}

/* ---- What does not --------------------------------------------------------------------------------------
 */

static void test_wrong_bytes(void **state)
{
    (void)state;
    expect_bad("Pinned", "wrong", 3, "expected SHA-256 " PINNED_HASH ", found ", 0);
    expect_bad(LINKED, "wrong_linked", 3, "expected SHA-256 " FIRST_HASH ", found ", 0);
    /* Refused before a byte of it came. */
    expect_bad("Pinned", "links_other", 3, "expected SHA-256 " PINNED_HASH ", found that the server has", 0);
    expect_bad(LINKED, "broken_config", 3, "expected JSON, found something else", 0);
    expect_nothing(file_of("broken_config", LINKED "/open_clip_config.json"));
}

static void test_wrong_length(void **state)
{
    (void)state;
    expect_bad("Pinned", "announces_less", 3, "expected 300000 bytes, found that the server has 299000", 0);
    expect_bad("Pinned", "announces_more", 3, "expected 300000 bytes, found that the server has 301000", 0);
    expect_bad(LINKED, "announces_less_linked", 3, "expected SHA-256 " FIRST_HASH ", found", 0);
    expect_bad(LINKED, "announces_more_linked", 5, "the same command goes on", 200000);
    expect_bad(LINKED, "contradicts_itself", 3, "expected 199999 bytes, as the server announces them", 0);
    expect_bad("Pinned", "chunked_long", 3, "expected at most 300000 bytes, found more", 0);
    expect_bad("Pinned", "chunked_short", 5, "the server ended too soon", 299996);
    expect_bad(LINKED, "chunked", 3, "expected the server to say a size or a hash, found neither", 0);
    expect_bad("Pinned", "empty", 3, "expected the file, found an empty one", 0);
}

static void test_status(void **state)
{
    (void)state;
    expect_bad("Pinned", "missing", 5, "expected the file, found HTTP status 404", 0);
    expect_bad(LINKED, "missing", 5, "model.bin: expected the file, found HTTP status 404", 0);
    expect_bad("Pinned", "forbidden", 5, "expected the file, found HTTP status 403", 0);
    assert_int_equal(count_requests("forbidden", NULL), 1);
    expect_bad("Pinned", "broken", 5, "expected the file, found HTTP status 500", 0);
    assert_int_equal(count_requests("broken", NULL), 3);
    expect_bad(LINKED, "web_page", 3, "expected the file, found a web page", 0);
}

static void test_bad_redirects(void **state)
{
    (void)state;
    expect_bad("Pinned", "loops", 5, "expected at most 10 redirects, found more", 0);
    assert_int_equal(count_requests("loops", NULL), 11);
    expect_bad("Pinned", "leads_to_file", 5, "found another protocol", 0);
    expect_bad("Pinned", "leads_to_ftp", 5, "found another protocol", 0);
    expect_bad("Pinned", "leads_to_user", 5, "expected an address without a user's name", 0);
}

static void test_silence(void **state)
{
    (void)state;
    expect_bad("Pinned", "hangs", 5, "the server was silent for 1 s", 0);
    assert_int_equal(count_requests("hangs", NULL), 3);
    expect_bad("Pinned", "always_breaks", 5, "the server broke off; the same command goes on", 3000);
}

/* Where nobody listens it is said at once. */
static void test_nobody(void **state)
{
    command_result result = command_run("pull", "Pinned", "--to", folder_of("nobody"));

    (void)state;
    command_check(&result, 5);
    assert_non_null(strstr(result.err, "http://127.0.0.1:9/merges.txt: "));
    assert_null(strstr(result.err, "trying again"));
    command_close(&result);
    assert_false(path_exists(file_of("nobody", "Pinned")));
}

/* A file that changes between two tries is fetched anew, whole; never half of each. */
static void test_changes(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        const char *behaviour = i ? "changes_unheeding" : "changes";
        command_result result = pull(LINKED, behaviour);

        command_check(&result, 0);
        assert_non_null(strstr(result.err, i ? "the file at the server has changed; fetching it anew"
                                             : "the server sends it from the start"));
        command_close(&result);
        expect_pattern(file_of(behaviour, LINKED "/model.safetensors"), 9, 200000);
    }
    assert_int_equal(count_requests("changes", NULL), 2);
    assert_int_equal(count_requests("changes_unheeding", NULL), 3);
    free(expect_good("Pinned", "other_part"));
    expect_bad("Pinned", "shrinks", 3, "the file at the server has become shorter; fetching it anew", 0);
    assert_int_equal(count_requests("shrinks", "bytes=100000-"), 1);
}

static void test_limits(void **state)
{
    command_result result = command_run("pull", LINKED, "--base-url", url_of("large"), "--to",
                                        folder_of("large"), "--max-size", "1");

    (void)state;
    command_check(&result, 3);
    assert_non_null(strstr(result.err, "expected at most 1000000 bytes, found that the server has 1500000"));
    command_close(&result);
    expect_nothing(file_of("large", LINKED "/model.safetensors"));
    result = command_run("pull", LINKED, "--base-url", url_of("huge"), "--to", folder_of("huge"),
                         "--max-size", "1000000000");
    command_check(&result, 5);
    assert_non_null(
        strstr(result.err, "model.safetensors: expected room for 900000.0 GB on the disk, found"));
    command_close(&result);
    expect_nothing(file_of("huge", LINKED "/model.safetensors"));
    result = pull(LINKED, "large");
    command_check(&result, 0);
    expect_pattern(file_of("large", LINKED "/model.safetensors"), 4, 1500000);
    command_close(&result);
}

/* What is there is right, or --force. */
static void test_present(void **state)
{
    const char *file = file_of("good", "Pinned/pinned.pt"), *to = folder_of("good");

    (void)state;
    free(expect_good("Pinned", "good"));
    file_write_text(file, "not the weights");
    command_expect_says(3, "expected 300000 bytes, found 15; --force fetches it anew", "pull", "Pinned",
                        "--base-url", url_of("good"), "--to", to, "--quiet");
    assert_int_equal(truncate(file, 300000), 0);
    command_expect_says(3, "expected SHA-256 " PINNED_HASH ", found", "pull", "Pinned", "--base-url",
                        url_of("good"), "--to", to, "--quiet");
    /* It stays until there is a better one. */
    command_expect_says(3, "found that the server has", "pull", "Pinned", "--base-url",
                        url_of("announces_less"), "--to", to, "--quiet", "--force");
    assert_true(path_exists(file));
    command_expect(0, "pull", "Pinned", "--base-url", url_of("good"), "--to", to, "--force");
    expect_pattern(file, 1, 300000);
}

/* ---- Two at once, and Ctrl-C ----------------------------------------------------------------------------
 */

/* Starts fetching slowly, and comes back once some of it is there. */
static pid_t pull_slowly(const char *to)
{
    const char *part = file_of(to, "Pinned/pinned.pt.part");
    struct stat about = {0};
    pid_t child = fork();

    if (child == 0)
        command_child((const char *const[]){"pull", "Pinned", "--base-url", url_of("slow"), "--to",
                                            folder_of(to), NULL},
                      NULL);
    for (int i = 0; i < 600 && (stat(part, &about) != 0 || about.st_size == 0); i++)
        pause_ms(20);
    assert_true(about.st_size > 0);
    return child;
}

static void test_two_at_once(void **state)
{
    const pid_t child = pull_slowly("two");
    int status;

    (void)state;
    command_expect_says(5, "another lancet is fetching it just now", "pull", "Pinned", "--base-url",
                        url_of("good"), "--to", folder_of("two"), "--quiet");
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    expect_pattern(file_of("two", "Pinned/pinned.pt"), 1, 300000);
}

static void test_interrupted(void **state)
{
    pid_t child = pull_slowly("interrupted");
    struct stat about;
    char range[40], *said;
    int status;

    (void)state;
    assert_int_equal(kill(child, SIGINT), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
    said = file_read(path_of(command_folder, "stderr"), NULL);
    expect_said(said, "stopped; the same command goes on where this one ended");
    assert_int_equal(stat(file_of("interrupted", "Pinned/pinned.pt.part"), &about), 0);
    command_expect(0, "pull", "Pinned", "--base-url", url_of("good"), "--to", folder_of("interrupted"));
    expect_pattern(file_of("interrupted", "Pinned/pinned.pt"), 1, 300000);
    snprintf(range, sizeof range, "bytes=%ld-", (long)about.st_size);
    assert_int_equal(count_requests("good", range), 1);
}

/* ---- Use ------------------------------------------------------------------------------------------------
 */

/* A model that was pulled is found by its name, and by itself while it is the only one. */
static void test_use(void **state)
{
    const char *picture = TINY "/images/scene.png", *x = path_of(command_folder, "x.npy");
    command_result result;

    (void)state;
    command_expect_says(5, "has not been fetched yet: lancet pull Tiny", "features", picture, "-o", x, "-m",
                        "tiny");
    command_expect_says(5, "tinny: no such file or model; did you mean Tiny?", "info", "tinny");
    result = command_run("pull", "tiny", "--base-url", url_of("good"));
    command_check(&result, 0);
    expect_text("pull.txt", result.out);
    assert_non_null(strstr(result.err, "use it with -m Tiny"));
    command_close(&result);
    result = command_run("tokenize", "-m", "tiny", "the thing");
    command_check(&result, 0);
    command_close(&result);
    command_expect(0, "features", picture, "-o", x, "-m", "TINY");
    result = command_run("explain", picture, "-t", "cat", "-o", command_folder);
    command_check(&result, 0);
    assert_non_null(strstr(result.err, "models/Tiny/model.safetensors (the user's data folder)"));
    command_close(&result);
    /* A second one: it has to be said which. */
    command_expect(0, "pull", "Pinned", "--base-url", url_of("good"));
    command_expect_says(2, "holds 2 models and none is called model.safetensors; choose one with -m",
                        "features", picture, "-o", x);
    command_environment = (const char *const[]){"LANCET_MODEL=Tiny", NULL};
    command_expect(0, "features", picture, "-o", x);
    command_environment = environment;
}

static void test_json(void **state)
{
    command_result result = command_run("pull", "Pinned", LINKED, "--base-url", url_of("good"), "--to",
                                        folder_of("json"), "--json", "--quiet");
    json_t *report, *model, *file;

    (void)state;
    command_check(&result, 0);
    assert_string_equal(result.err, "");
    report = json_loads(result.out, 0, NULL);
    assert_non_null(report);
    assert_int_equal(json_integer_value(json_object_get(report, "status")), 0);
    model = json_array_get(json_object_get(report, "models"), 1);
    assert_string_equal(json_string_value(json_object_get(model, "name")), LINKED);
    file = json_array_get(json_object_get(model, "files"), 2);
    assert_string_equal(json_string_value(json_object_get(file, "sha256")), FIRST_HASH);
    assert_string_equal(json_string_value(json_object_get(file, "checked")), "sha256 as the server gave it");
    assert_int_equal(json_integer_value(json_object_get(file, "bytes")), 200000);
    assert_int_equal(json_integer_value(json_object_get(file, "fetched")), 200000);
    json_decref(report);
    command_close(&result);
    /* A failure is one in JSON as well. */
    result = command_run("pull", "Pinned", "--base-url", url_of("missing"), "--to", folder_of("json2"),
                         "--json", "--quiet");
    command_check(&result, 5);
    report = json_loads(result.out, 0, NULL);
    assert_non_null(report);
    assert_int_equal(json_integer_value(json_object_get(report, "status")), 5);
    json_decref(report);
    command_close(&result);
}

static void test_list(void **state)
{
    command_result result = command_run("pull", "--list", "--to", folder_of("good"), "--json");
    json_t *list;

    (void)state;
    command_check(&result, 0);
    list = json_loads(result.out, 0, NULL);
    assert_int_equal(json_array_size(list), 3);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "sha256")), PINNED_HASH);
    assert_true(json_is_string(json_object_get(json_array_get(list, 0), "path")));
    assert_true(json_is_null(json_object_get(json_array_get(list, 1), "sha256")));
    json_decref(list);
    command_close(&result);
}

/* Passwords for a host that the user keeps elsewhere are not for this. */
static void test_no_passwords(void **state)
{
    char *log, text[100];

    (void)state;
    mkdir(path_of(command_folder, "home"), 0777);
    snprintf(text, sizeof text, "machine 127.0.0.1 login user password word\n");
    file_write_text(path_of(command_folder, "home/.netrc"), text);
    command_expect(0, "pull", "Pinned", "--base-url", url_of("good"), "--to", folder_of("passwords"));
    log = file_read(path_of(command_folder, "log"), NULL);
    assert_non_null(strstr(log, "authorization=-"));
    assert_null(strstr(log, "authorization=B"));
    free(log);
}

static void test_usage(void **state)
{
    (void)state;
    command_expect_says(2, "expected a model's name, or --list; found none", "pull");
    command_expect_says(2, "expected a model's name or --list, found both", "pull", "Pinned", "--list");
    command_expect_says(2, "--base-url: expected http://... or https://..., found 'ftp://x'", "pull",
                        "Pinned", "--base-url", "ftp://x");
    command_expect_says(2, "--base-url: expected http://", "pull", "Pinned", "--base-url", "file:///etc");
    command_expect_says(2, "--base-url: expected http://", "pull", "Pinned", "--base-url", "http://");
    command_expect_says(2, "without a user", "pull", "Pinned", "--base-url", "http://user:word@127.0.0.1/");
    command_expect_says(2, "--timeout: expected a whole number from 1 to 3600, found '0'", "pull", "Pinned",
                        "--timeout", "0");
    command_expect_says(5, "Not a directory", "pull", "Pinned", "--to", TINY "/merges.txt", "--quiet");
}

/* Whether the command can fetch at all; says so if not. */
static bool can_fetch(void)
{
    command_result result;
    bool can;

    command_set_up(NULL);
    result = command_run("pull", "Pinned", "--retries", "0");
    can = result.status != 4;
    if (!can)
        print_message("skipped: %s", result.err);
    command_close(&result);
    command_tear_down(NULL);
    return can;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_unknown_names),
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_resume_later),
        cmocka_unit_test(test_strange_part),
        cmocka_unit_test(test_server_tries_again),
        cmocka_unit_test(test_redirects),
        cmocka_unit_test(test_chunked),
        cmocka_unit_test(test_second_choice),
        cmocka_unit_test(test_wrong_bytes),
        cmocka_unit_test(test_wrong_length),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_bad_redirects),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_present),
        cmocka_unit_test(test_two_at_once),
        cmocka_unit_test(test_interrupted),
        cmocka_unit_test(test_use),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_no_passwords),
        cmocka_unit_test(test_usage),
    };

    if (!can_fetch())
        return 77;
    if (access(LANCET_PYTHON, X_OK) != 0) {
        print_message("skipped: the server needs Python\n");
        return 77;
    }
    return cmocka_run_group_tests_name("pull", tests, start_server, stop_server);
}
