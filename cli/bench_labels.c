/* `lancet bench --labels`: how long a label bank takes, against all positions of all prompts.
 * SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include "common.h"
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A prompt's tokens up to the one that is read. */
typedef struct prompt {
    const int32_t *ids;
    size_t length;
} prompt;

typedef struct bench_bank {
    lancet_session *session;
    const texts *labels;
    size_t prompts;
    size_t padded, read;    /* positions: all of the context, those up to the token that is read */
    size_t distinct, ends;  /* of those: that begin differently; prompts that differ */
    double sighted;         /* tokens that the distinct ones see, themselves included */
    double sighted_by_ends; /* ... and the distinct ends */
    int32_t *ids;           /* [prompts, context] */
    prompt *sorted;         /* [prompts] */
} bench_bank;

static int compare(const void *a, const void *b)
{
    const prompt *x = a, *y = b;
    const size_t shorter = x->length < y->length ? x->length : y->length;

    for (size_t k = 0; k < shorter; k++)
        if (x->ids[k] != y->ids[k])
            return x->ids[k] < y->ids[k] ? -1 : 1;
    return x->length < y->length ? -1 : x->length > y->length;
}

/* Sorted, a prompt has what it shares with any other in common with the one before it. */
static void count_distinct(bench_bank *bank)
{
    qsort(bank->sorted, bank->prompts, sizeof *bank->sorted, compare);
    for (size_t i = 0; i < bank->prompts; i++) {
        const prompt *this = &bank->sorted[i], *before = i ? this - 1 : NULL;
        size_t k = 0;

        while (before && k < this->length && k < before->length && this->ids[k] == before->ids[k])
            k++;
        bank->read += this->length;
        bank->distinct += this->length - k;
        bank->ends += k < this->length;
        bank->sighted_by_ends += k < this->length ? (double)this->length : 0;
        for (; k < this->length; k++)
            bank->sighted += (double)k + 1;
    }
}

static int tokenize(bench_bank *bank, const lancet_vocabulary *vocabulary, size_t context)
{
    const lancet_templates *templates = lancet_templates_standard();
    const size_t count = lancet_templates_count(templates);
    lancet_tokens tokens = {0};
    lancet_error error;
    int status = EXIT_DONE;

    for (size_t i = 0; i < bank->prompts && status == EXIT_DONE; i++) {
        const char *label = bank->labels->items[i / count];
        const size_t size = lancet_templates_fill(NULL, 0, templates, i % count, label) + 1;
        char *sentence = malloc(size);
        int32_t *ids = bank->ids + i * context;
        size_t end = 0;

        if (!sentence) {
            status = report_memory();
            break;
        }
        lancet_templates_fill(sentence, size, templates, i % count, label);
        if (lancet_tokenize(&tokens, vocabulary, sentence, &error) != LANCET_OK ||
            lancet_tokens_context(ids, context, NULL, &tokens, vocabulary, &error) != LANCET_OK)
            status = report_error(&error);
        free(sentence);
        while (end + 1 < context && ids[end] != lancet_vocabulary_end(vocabulary))
            end++;
        bank->sorted[i] = (prompt){ids, end + 1};
    }
    lancet_tokens_close(&tokens);
    return status;
}

static int encode(void *context)
{
    const bench_bank *bank = context;
    const lancet_label_options options = {.redundant = LANCET_REDUNDANT_LABELS};
    lancet_labels *labels = NULL;
    lancet_error error;

    if (lancet_labels_encode(&labels, bank->session, texts_view(bank->labels), bank->labels->count, &options,
                             &error) != LANCET_OK)
        return report_error(&error);
    lancet_labels_close(&labels);
    return EXIT_DONE;
}

/* Multiplications and additions of the products; the first: of what has to be computed, the last block having
 * keys and values of all rows and the rest of the ends' alone. The second: of every position of every prompt,
 * as a tower takes them that knows no short cut. Norms, softmax and activations are not counted. */
static double count_needed(const lancet_model_description *m, const bench_bank *bank)
{
    const double width = m->text_width, rows = (double)bank->distinct, ends = (double)bank->ends;
    const double block = 24 * rows * width * width + 4 * bank->sighted * width;
    const double last = (4 * rows + 20 * ends) * width * width + 4 * bank->sighted_by_ends * width;

    return (m->text_blocks - 1) * block + last + 2 * ends * width * m->embedding_width;
}

static double count_padded(const lancet_model_description *m, const bench_bank *bank)
{
    const double width = m->text_width, n = m->context_length;
    const double block = 24 * n * width * width + 4 * n * n * width;

    return (double)bank->prompts * (m->text_blocks * block + 2 * width * m->embedding_width);
}

static void print_table(const bench_bank *bank, const bench_times *times)
{
    const lancet_model_description *about = lancet_model_describe(lancet_session_model(bank->session));
    const double padded = count_padded(about, bank);

    printf("model        %s\n", about->path);
    printf("work         %zu labels, %zu prompts, %s, %d thread%s, %s kernels\n", bank->labels->count,
           bank->prompts, precision_names[about->precision], times->threads, times->threads == 1 ? "" : "s",
           lancet_instruction_set());
    printf("positions    %zu padded, %zu up to the end tokens, %zu that begin differently\n", bank->padded,
           bank->read, bank->distinct);
    bench_print(times, count_needed(about, bank), "what these need");
    printf("padded       %.2f %% of the padded positions' floor of %.2f ms; %.2f %% in processor time\n",
           100 * times->median * times->peak.together / padded, 1e3 * padded / times->peak.together,
           100 * times->processor * times->peak.each / padded);
}

/* What both JSON reports begin with. */
static json_t *describe(const bench_bank *bank)
{
    const lancet_model_description *about = lancet_model_describe(lancet_session_model(bank->session));
    json_t *object = json_object();
    bool good = object;

    json_put(&good, object, "lancet", json_words(lancet_version()));
    json_put(&good, object, "model", json_words(about->path));
    json_put(&good, object, "precision", json_words(precision_names[about->precision]));
    json_put(&good, object, "labels", json_integer((json_int_t)bank->labels->count));
    json_put(&good, object, "prompts", json_integer((json_int_t)bank->prompts));
    json_put(&good, object, "positions_padded", json_integer((json_int_t)bank->padded));
    json_put(&good, object, "positions_read", json_integer((json_int_t)bank->read));
    json_put(&good, object, "positions_distinct", json_integer((json_int_t)bank->distinct));
    json_put(&good, object, "padded_gflop", json_number(count_padded(about, bank) / 1e9));
    if (good)
        return object;
    json_decref(object);
    return NULL;
}

static int print_json(const bench_bank *bank, const bench_times *times)
{
    const lancet_model_description *about = lancet_model_describe(lancet_session_model(bank->session));
    const double padded = count_padded(about, bank);
    json_t *object = describe(bank);
    bool good = object;
    int status;

    bench_json(&good, object, times, count_needed(about, bank));
    json_put(&good, object, "share_of_padded_floor",
             json_number(times->median * times->peak.together / padded));
    json_put(&good, object, "share_of_padded_floor_processor",
             json_number(times->processor * times->peak.each / padded));
    status = good ? json_print(object) : report_memory();
    json_decref(object);
    return status;
}

int bench_labels(lancet_session *session, const texts *labels, int repeat, bench_report report)
{
    const lancet_model *model = lancet_session_model(session);
    const lancet_model_description *about = lancet_model_describe(model);
    const size_t context = (size_t)about->context_length;
    bench_bank bank = {.session = session, .labels = labels};
    bench_times times = {.threads = lancet_session_threads(session)};
    int status = EXIT_DONE;

    bank.prompts = labels->count * lancet_templates_count(lancet_templates_standard());
    bank.padded = bank.prompts * context;
    bank.ids = calloc(bank.padded, sizeof *bank.ids);
    bank.sorted = calloc(bank.prompts, sizeof *bank.sorted);
    if (!bank.ids || !bank.sorted)
        status = report_memory();
    /* The first run says what is wrong with the words, if anything is. */
    if (status == EXIT_DONE)
        status = report == BENCH_ROUNDS ? encode(&bank) : bench_time(&times, 1, repeat, encode, &bank);
    if (status == EXIT_DONE)
        status = tokenize(&bank, lancet_model_vocabulary(model), context);
    if (status == EXIT_DONE) {
        count_distinct(&bank);
        if (report == BENCH_ROUNDS)
            status = bench_rounds(describe(&bank), times.threads, count_needed(about, &bank), encode, &bank);
        else if (report == BENCH_JSON)
            status = print_json(&bank, &times);
        else
            print_table(&bank, &times);
    }
    free(bank.ids);
    free(bank.sorted);
    return status;
}
