/* `lancet tokenize`: the tokens of texts. SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "common.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct tokenize_settings {
    common_settings common;
    model_settings model;
    const char *json_lines;
    bool pieces;
} tokenize_settings;

static const option tokenize_options[] = {
    {.name = "json-lines",
     .kind = OPTION_TEXT,
     .offset = offsetof(tokenize_settings, json_lines),
     .argument = "FILE",
     .help = "the \"text\" of each line's JSON object; - is stdin"},
    {.name = "pieces",
     .kind = OPTION_FLAG,
     .offset = offsetof(tokenize_settings, pieces),
     .help = "a table of id and piece instead (a space ends a word), and an empty line after each text"},
};

/* clang-format off */
static const option_group tokenize_groups[] = {
    {"Options", tokenize_options, sizeof tokenize_options / sizeof *tokenize_options, 0},
    {"Model", model_options, 2, offsetof(tokenize_settings, model)},
    COMMON_GROUP(tokenize_settings),
};
/* clang-format on */

/* printf takes most of the time where the tokenizer takes a microsecond a text. */
static void print_id(int32_t id, char after)
{
    char digits[12];
    size_t at = sizeof digits;
    uint32_t rest = (uint32_t)id;

    digits[--at] = after;
    do
        digits[--at] = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    fwrite(digits + at, 1, sizeof digits - at, stdout);
}

static void print_piece(const lancet_vocabulary *vocabulary, int32_t id)
{
    printf("%6d  \"%s\"\n", (int)id, lancet_vocabulary_token(vocabulary, id));
}

static void print_tokens(const lancet_tokens *tokens, const lancet_vocabulary *vocabulary, bool pieces)
{
    const int32_t start = lancet_vocabulary_start(vocabulary), end = lancet_vocabulary_end(vocabulary);

    if (pieces) {
        print_piece(vocabulary, start);
        for (size_t i = 0; i < tokens->count; i++)
            print_piece(vocabulary, tokens->ids[i]);
        print_piece(vocabulary, end);
        putchar('\n');
    } else {
        print_id(start, ' ');
        for (size_t i = 0; i < tokens->count; i++)
            print_id(tokens->ids[i], ' ');
        print_id(end, '\n');
    }
}

static int tokenize_arguments(const texts *list, const lancet_vocabulary *vocabulary, bool pieces)
{
    lancet_tokens tokens = {0};
    lancet_error error;
    int status = EXIT_DONE;

    for (size_t i = 0; i < list->count && status == EXIT_DONE; i++) {
        if (lancet_tokenize(&tokens, vocabulary, list->items[i], &error) == LANCET_OK)
            print_tokens(&tokens, vocabulary, pieces);
        else
            status = report_problem(error.status, "text %zu: %s", i + 1, error.message);
    }
    lancet_tokens_close(&tokens);
    return status;
}

static int tokenize_line(lancet_tokens *tokens, const lancet_vocabulary *vocabulary, const char *line,
                         size_t length, const char *path, size_t number)
{
    json_error_t trouble;
    /* A text may hold U+0000, and strangers' files do. */
    json_t *object = json_loadb(line, length, JSON_ALLOW_NUL, &trouble);
    const json_t *text = json_object_get(object, "text");
    lancet_error error;
    int status = EXIT_DONE;

    if (!object)
        status = report_problem(LANCET_ERROR_INPUT, "%s: line %zu: expected a JSON object: %s", path, number,
                                trouble.text);
    else if (!json_is_string(text))
        status = report_problem(LANCET_ERROR_INPUT, "%s: line %zu: expected an object with a string \"text\"",
                                path, number);
    else if (lancet_tokenize_bytes(tokens, vocabulary, json_string_value(text), json_string_length(text),
                                   &error) != LANCET_OK)
        status = report_problem(error.status, "%s: line %zu: %s", path, number, error.message);
    json_decref(object);
    return status;
}

static int tokenize_json_lines(const char *path, const lancet_vocabulary *vocabulary, bool pieces)
{
    const bool is_stdin = strcmp(path, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "r");
    lancet_tokens tokens = {0};
    int status = EXIT_DONE;
    size_t capacity = 0, number = 0;
    char *line = NULL;
    ssize_t length;

    if (!file)
        return report_problem(LANCET_ERROR_IO, "%s: %s", path, strerror(errno));
    errno = 0;
    while (status == EXIT_DONE && (length = getline(&line, &capacity, file)) >= 0) {
        number++;
        if (line[strspn(line, " \t\r\n")] == '\0' && strlen(line) == (size_t)length)
            continue;
        status = tokenize_line(&tokens, vocabulary, line, (size_t)length, path, number);
        if (status == EXIT_DONE)
            print_tokens(&tokens, vocabulary, pieces);
    }
    if (status == EXIT_DONE && ferror(file))
        status = report_problem(errno == EISDIR ? LANCET_ERROR_INPUT : LANCET_ERROR_IO, "%s: %s", path,
                                strerror(errno));
    lancet_tokens_close(&tokens);
    free(line);
    if (!is_stdin)
        fclose(file);
    return status;
}

/* The vocabulary alone: no model needs to be opened for it. Beside the model that was named, else where it is
 * usually looked for, else beside the model that would be used. */
static int open_vocabulary(lancet_vocabulary **vocabulary, const tokenize_settings *settings)
{
    lancet_error error, first;
    const char *origin;
    char *model = NULL;
    int status = EXIT_DONE;

    if (settings->model.path && !settings->model.vocabulary)
        status = model_resolve(&model, settings->model.path);
    if (status != EXIT_DONE)
        return status;
    if (lancet_vocabulary_find(vocabulary, settings->model.vocabulary, model, &first) == LANCET_OK) {
        free(model);
        return EXIT_DONE;
    }
    if (settings->model.vocabulary || settings->model.path || getenv("LANCET_VOCABULARY") ||
        model_choose(&model, &origin, false) != EXIT_DONE || !model ||
        lancet_vocabulary_find(vocabulary, NULL, model, &error) != LANCET_OK)
        status = report_error(&first);
    free(model);
    return status;
}

static int run(const command *self, int argc, char **argv)
{
    tokenize_settings settings = {0};
    texts list = {0};
    lancet_vocabulary *vocabulary = NULL;
    int status;

    if (!options_parse(self, &settings, &list, argc, argv, &status))
        goto done;
    report_as(self->name, settings.common.quiet);
    if (!list.count == !settings.json_lines)
        status = list.count ? report_usage("expected texts or --json-lines, found both")
                            : report_usage("expected a text, or --json-lines FILE; found none");
    else
        status = open_vocabulary(&vocabulary, &settings);
    if (status != EXIT_DONE)
        goto done;
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    status = settings.json_lines ? tokenize_json_lines(settings.json_lines, vocabulary, settings.pieces)
                                 : tokenize_arguments(&list, vocabulary, settings.pieces);
done:
    lancet_vocabulary_close(&vocabulary);
    texts_close(&list);
    return status;
}

const command tokenize_command = {
    .name = "tokenize",
    .summary = "Print the tokens of texts, exactly as CLIP reads them.",
    .usage = "lancet tokenize TEXT... [options]\n"
             "lancet tokenize --json-lines FILE [options]",
    .about = "One line a text: the start token, the text's tokens, the end token, with spaces between. "
             "Nothing is cut "
             "at the model's 77 tokens.\n"
             "\n"
             "Only a vocabulary is needed: it is looked for in and beside the model (-m), in "
             "$LANCET_VOCABULARY and "
             "in the "
             "user's data folder.",
    .examples = "  lancet tokenize \"a photo of a cat.\"\n"
                "  lancet tokenize --pieces antidisestablishmentarianism\n"
                "  lancet tokenize --json-lines captions.jsonl > tokens.txt\n",
    .groups = tokenize_groups,
    .group_count = sizeof tokenize_groups / sizeof *tokenize_groups,
    .run = run,
};
