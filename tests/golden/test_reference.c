/* The golden folders still are what the reference in numpy computes; and the reference is what the published
 * code computes, where its arrays are at hand. SPDX-License-Identifier: Apache-2.0 */
#include "support/files.h"

#define GOLDEN TESTS_FOLDER "/golden"

/* Leaves the test as skipped where there is no Python with numpy and Pillow. */
static void need_python(void)
{
    if (!*LANCET_PYTHON || system("'" LANCET_PYTHON "' -c 'import numpy, PIL' 2>/dev/null") != 0) {
        print_message("skipped: no Python with numpy and Pillow\n");
        skip();
    }
}

static void check_with(const char *script, const char *folder, const char *vocabulary)
{
    char command[3 * TEST_PATH_SIZE];

    snprintf(command, sizeof command,
             "OMP_NUM_THREADS=1 '" LANCET_PYTHON "' -B '" GOLDEN "/%s' --check '%s' --vocabulary '%s'",
             script, folder, vocabulary);
    assert_int_equal(system(command), 0);
}

static void check(const char *folder, const char *vocabulary)
{
    check_with("make_golden.py", folder, vocabulary);
}

static void test_own_folders(void **state)
{
    static const char *const names[] = {"tiny", "tiny_hf", "tiny_odd", "tiny_open_clip", "tiny_rn"};

    (void)state;
    need_python();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        check(path_of(GOLDEN, names[i]), path_of(GOLDEN, names[i]));
    check_with("make_gguf.py", GOLDEN "/tiny_gguf", GOLDEN "/tiny_gguf");
}

static void test_published_code(void **state)
{
    const char *folder = golden_needed("vit_a");
    char vocabulary[TEST_PATH_SIZE];

    (void)state;
    need_python();
    snprintf(vocabulary, sizeof vocabulary, "%s/../../vocabulary", folder);
    if (!path_exists(vocabulary)) {
        print_message("skipped: no vocabulary beside the golden vectors\n");
        skip();
    }
    check(folder, vocabulary);
    if (golden_folder("rn_a"))
        check(golden_folder("rn_a"), vocabulary);
    if (golden_folder("gguf"))
        check_with("make_gguf.py", golden_folder("gguf"), vocabulary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_folders),
        cmocka_unit_test(test_published_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
