/* Every public header by itself, as C17 and as C++: a user may include any one of them first.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/files.h"

#include <glob.h>

#define HEADERS TESTS_FOLDER "/../include/lancet/*.h"

static bool has_compiler(const char *compiler)
{
    char command[TEST_PATH_SIZE];

    snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", compiler);
    return system(command) == 0;
}

static void compile_alone(const char *compiler, const char *language)
{
    glob_t headers;
    size_t failed = 0;

    if (!has_compiler(compiler)) {
        print_message("skipped: there is no %s\n", compiler);
        skip();
    }
    assert_int_equal(glob(HEADERS, 0, NULL, &headers), 0);
    assert_true(headers.gl_pathc > 0);
    for (size_t i = 0; i < headers.gl_pathc; i++) {
        char command[3 * TEST_PATH_SIZE];

        /* Included twice, so that a missing guard shows. */
        snprintf(command, sizeof command,
                 "printf '#include \"%s\"\\n#include \"%s\"\\n' | %s %s -Wall -Wextra -Wpedantic -Werror "
                 "-fsyntax-only -I '%s/../include' -",
                 headers.gl_pathv[i], headers.gl_pathv[i], compiler, language, TESTS_FOLDER);
        if (system(command) != 0) {
            print_message("%s does not compile alone with %s %s\n", headers.gl_pathv[i], compiler, language);
            failed++;
        }
    }
    globfree(&headers);
    assert_int_equal(failed, 0);
}

static void test_c17_gcc(void **state)
{
    (void)state;
    compile_alone("gcc", "-x c -std=c17");
}

static void test_c17_clang(void **state)
{
    (void)state;
    compile_alone("clang", "-x c -std=c17");
}

static void test_cpp(void **state)
{
    (void)state;
    compile_alone("g++", "-x c++ -std=c++11");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_c17_gcc),
        cmocka_unit_test(test_c17_clang),
        cmocka_unit_test(test_cpp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
