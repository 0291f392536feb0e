/* Conversion: what is in the file, what its numbers are, and that it is the whole model.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clip/converted.h"

#include "checkpoint/tiny_model.h"
#include "clip/text/vocabularies.h"

#include <math.h>

#define GOLDEN TESTS_FOLDER "/golden"

static const char *const goldens[] = {GOLDEN "/tiny/model.safetensors", GOLDEN "/tiny_hf/model.safetensors",
                                      GOLDEN "/tiny_odd/model.safetensors"};
static const lancet_model_options two_channels = {.head_width = 2};
static char *folder;

static int make_folder(void **state)
{
    (void)state;
    folder = folder_make();
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

static const char *in_folder(const char *name)
{
    return path_of(folder, name);
}

static void write_tiny(const char *path, const tiny_model *m)
{
    lancet_error error;

    if (lancet_safetensors_write(path, m->tensors, m->count, NULL, NULL, 0, &error) != LANCET_OK)
        fail_msg("%s", error.message);
}

/* ---- What is in the file ------------------------------------------------------------------------------- */

/* Another writer's names for the tensors of `openai`, with the numbers where its layout has them. */
static void fill_hugging_face(tiny_model *m, const tiny_model *openai)
{
    static const char *const projections[][2] = {{"visual_projection.weight", "visual.proj"},
                                                 {"text_projection.weight", "text_projection"}};
    tiny_model copy = *openai;

    tiny_fill(m, false);
    for (size_t i = 0; i < 2; i++) {
        const lancet_tensor *to = tiny_find(m, projections[i][0]),
                            *from = tiny_find(&copy, projections[i][1]);
        float *numbers = m->numbers + ((const float *)to->data - m->numbers);

        for (size_t r = 0; r < from->shape[0]; r++)
            for (size_t c = 0; c < from->shape[1]; c++)
                numbers[c * from->shape[0] + r] = ((const float *)from->data)[r * from->shape[1] + c];
    }
}

static void check_numbers(const char *path, tiny_model *expected)
{
    raw_file file = raw_open(path);

    assert_int_equal(raw_count(&file), expected->count);
    for (size_t i = 0; i < expected->count; i++) {
        const lancet_tensor *tensor = &expected->tensors[i];
        size_t count;
        const void *bytes = raw_tensor(&file, tensor->name, "F32", &count);

        assert_int_equal(count, tensor->count);
        assert_memory_equal(bytes, tensor->data, count * sizeof(float));
    }
    raw_close(&file);
}

static void check_same_data(const char *a, const char *b)
{
    raw_file left = raw_open(a), right = raw_open(b);

    assert_int_equal(left.length - left.data, right.length - right.data);
    assert_memory_equal(left.bytes + left.data, right.bytes + right.data, left.length - left.data);
    raw_close(&left);
    raw_close(&right);
}

static void test_every_naming_gives_the_same(void **state)
{
    static tiny_model openai, other;
    const char *original = in_folder("original.safetensors"), *first = in_folder("first.safetensors");
    const char *second = in_folder("second.safetensors");
    static const float ids[5] = {0, 1, 2, 3, 4};
    char name[96];

    (void)state;
    tiny_fill(&openai, true);
    write_tiny(original, &openai);
    assert_int_equal(converted(original, first, LANCET_WEIGHTS_FP32, &two_channels).tensors, openai.count);
    check_numbers(first, &openai);

    /* Hugging Face's: q, k and v apart, projections the other way round, and a list of positions. */
    fill_hugging_face(&other, &openai);
    other.tensors[other.count++] = (lancet_tensor){.name = "text_model.embeddings.position_ids",
                                                   .dtype = LANCET_I32,
                                                   .rank = 1,
                                                   .shape = {5},
                                                   .count = 5,
                                                   .data = ids};
    write_tiny(original, &other);
    const lancet_conversion report = converted(original, second, LANCET_WEIGHTS_FP32, &two_channels);

    assert_int_equal(report.dropped_count, 1);
    assert_string_equal(report.dropped, "text_model.embeddings.position_ids");
    assert_int_equal(report.tensors, openai.count);
    check_same_data(first, second);

    /* CustomTextCLIP's text tower; then all names in a wrapper, and the scale as a list of one. */
    other = openai;
    for (size_t i = 0; i < other.count; i++) {
        other.tensors[i].name = other.names[i];
        if (strncmp(openai.names[i], "visual.", 7) != 0 && strcmp(openai.names[i], "logit_scale") != 0)
            snprintf(other.names[i], sizeof other.names[i], "text.%s", openai.names[i]);
    }
    write_tiny(original, &other);
    converted(original, second, LANCET_WEIGHTS_FP32, &two_channels);
    check_same_data(first, second);
    for (size_t i = 0; i < other.count; i++) {
        snprintf(name, sizeof name, "module.%s", openai.names[i]);
        memcpy(other.names[i], name, sizeof name);
    }
    tiny_find(&other, "module.logit_scale")->rank = 1;
    tiny_find(&other, "module.logit_scale")->shape[0] = 1;
    write_tiny(original, &other);
    converted(original, second, LANCET_WEIGHTS_FP32, &two_channels);
    check_same_data(first, second);
    check_numbers(second, &openai);
}

/* A text projection with a bias stays the linear layer that it is; one without becomes a matrix. */
static void test_projections_that_are_layers(void **state)
{
    static tiny_model m;
    const char *original = in_folder("layer.safetensors"), *out = in_folder("layer-out.safetensors");
    lancet_tensor *matrix;
    raw_file file;
    size_t count;

    (void)state;
    tiny_fill(&m, true);
    matrix = tiny_find(&m, "text_projection");
    matrix->shape[0] = TINY_EMBEDDING;
    matrix->shape[1] = TINY_TEXT_WIDTH;
    tiny_rename(&m, "text_projection", "text_projection.weight");
    write_tiny(original, &m);
    converted(original, out, LANCET_WEIGHTS_FP32, &two_channels);
    file = raw_open(out);
    const float *turned = raw_tensor(&file, "text_projection", "F32", &count);

    for (size_t r = 0; r < TINY_TEXT_WIDTH; r++)
        for (size_t c = 0; c < TINY_EMBEDDING; c++)
            assert_true(turned[r * TINY_EMBEDDING + c] ==
                        ((const float *)matrix->data)[c * TINY_TEXT_WIDTH + r]);
    raw_close(&file);
    TINY_ADD(&m, "text_projection.bias", TINY_EMBEDDING);
    write_tiny(original, &m);
    converted(original, out, LANCET_WEIGHTS_INT8, &two_channels);
    file = raw_open(out);
    raw_tensor(&file, "text_projection.weight", "F16", &count);
    raw_tensor(&file, "text_projection.bias", "F32", &count);
    assert_null(json_object_get(file.table, "text_projection"));
    raw_close(&file);
}

/* One tower gives a file of that tower. */
static void test_one_tower(void **state)
{
    const char *out = in_folder("tower.safetensors");

    (void)state;
    for (int towers = LANCET_TOWERS_VISION; towers <= LANCET_TOWERS_TEXT; towers++) {
        const lancet_model_options options = {.towers = (lancet_towers)towers};
        lancet_model *original = model_opened(goldens[1], &options), *copy;
        outputs before = outputs_of(original), after;

        converted(goldens[1], out, LANCET_WEIGHTS_FP32, &options);
        copy = model_opened(out, NULL);
        assert_int_equal(lancet_model_describe(copy)->vision_blocks != 0, towers == LANCET_TOWERS_VISION);
        assert_int_equal(lancet_model_describe(copy)->text_blocks != 0, towers == LANCET_TOWERS_TEXT);
        assert_int_equal(lancet_model_describe(copy)->vocabulary_inside, towers == LANCET_TOWERS_TEXT);
        after = outputs_of(copy);
        outputs_equal(&before, &after);
        outputs_close(&before);
        outputs_close(&after);
        lancet_model_close(&original);
        lancet_model_close(&copy);
    }
}

/* ---- What its numbers are ------------------------------------------------------------------------------ */

/* What each tensor of a model is to be stored as, by its name. */
static const char *type_of(const char *name, lancet_weight_type type)
{
    const bool is_matrix =
        strstr(name, "in_proj_weight") || strstr(name, "out_proj.weight") || strstr(name, "c_fc.weight") ||
        strstr(name, "c_proj.weight") || (strstr(name, "conv") && strstr(name, ".weight")) ||
        strstr(name, "downsample.0.weight") || (strstr(name, "attnpool.") && strstr(name, "_proj.weight"));
    const bool is_half = strcmp(name, "token_embedding.weight") == 0 || strcmp(name, "visual.proj") == 0 ||
                         strcmp(name, "text_projection") == 0;

    if (type == LANCET_WEIGHTS_FP32 || (!is_matrix && !is_half))
        return "F32";
    if (type == LANCET_WEIGHTS_BF16)
        return "BF16";
    return type == LANCET_WEIGHTS_INT8 && is_matrix ? "I8" : "F16";
}

/* Half of a step: a half has 11 bits down to 2^-14 (steps of 2^-24 below), a bfloat16 has 8. */
static double half_step(const char *type, double value)
{
    const int exponent = ilogb(value == 0 ? 1e-30 : value);

    return type[0] == 'B' ? ldexp(1, exponent - 8) : ldexp(1, (exponent < -14 ? -14 : exponent) - 11);
}

static double narrow_value(const char *type, const uint8_t *bytes)
{
    const uint16_t bits = (uint16_t)(bytes[0] | bytes[1] << 8);
    const int exponent = bits >> (type[0] == 'B' ? 7 : 10) & (type[0] == 'B' ? 255 : 31);
    const int fraction = bits & (type[0] == 'B' ? 127 : 1023), ones = type[0] == 'B' ? 128 : 1024;
    const int unit = type[0] == 'B' ? -134 : -25;
    const double size = exponent ? ldexp(ones + fraction, exponent + unit) : ldexp(fraction, unit + 1);

    return bits & 0x8000 ? -size : size;
}

/* Within half a step, and what the division by the scale is rounded by: 127 / 2^24 of one. */
static void check_whole(const raw_file *file, const char *name, const float *exact, const int8_t *whole,
                        size_t count)
{
    char scale_name[160];
    size_t rows;
    const float *scales;

    snprintf(scale_name, sizeof scale_name, "%s.scale", name);
    scales = raw_tensor(file, scale_name, "F32", &rows);
    assert_int_equal(count % rows, 0);
    for (size_t row = 0; row < rows; row++) {
        double largest = 0;

        for (size_t i = row * (count / rows); i < (row + 1) * (count / rows); i++)
            largest = fmax(largest, fabs((double)exact[i]));
        assert_true(scales[row] == (float)largest / 127);
        for (size_t i = row * (count / rows); i < (row + 1) * (count / rows); i++)
            if (!(whole[i] >= -127 &&
                  fabs(whole[i] * (double)scales[row] - (double)exact[i]) <= 0.50001 * (double)scales[row]))
                fail_msg("%s, number %zu: %g stored as %d times %g", name, i, (double)exact[i], whole[i],
                         (double)scales[row]);
    }
}

static void check_stored(const raw_file *exact_file, const char *path, lancet_weight_type type)
{
    raw_file file = raw_open(path);
    size_t tensors = 0, whole = 0;
    const char *name;
    json_t *entry;

    json_object_foreach(exact_file->table, name, entry)
    {
        const char *stored_as = type_of(name, type);
        size_t count, stored_count;
        const float *exact;
        const uint8_t *stored;

        if (strcmp(name, "__metadata__") == 0)
            continue;
        exact = raw_tensor(exact_file, name, "F32", &count);
        stored = raw_tensor(&file, name, stored_as, &stored_count);
        assert_int_equal(count, stored_count);
        if (strcmp(stored_as, "F32") == 0)
            assert_memory_equal(exact, stored, count * sizeof(float));
        else if (strcmp(stored_as, "I8") == 0)
            check_whole(&file, name, exact, (const int8_t *)stored, count);
        else
            for (size_t i = 0; i < count; i++)
                assert_true(fabs(narrow_value(stored_as, stored + 2 * i) - (double)exact[i]) <=
                            half_step(stored_as, (double)exact[i]));
        whole += strcmp(stored_as, "I8") == 0;
        tensors++;
    }
    assert_int_equal(raw_count(&file), tensors + whole);
    raw_close(&file);
}

static void test_every_type_is_the_nearest(void **state)
{
    const char *exact = in_folder("exact.safetensors"), *out = in_folder("typed.safetensors");

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        raw_file file;

        converted(goldens[i], exact, LANCET_WEIGHTS_FP32, NULL);
        file = raw_open(exact);
        for (lancet_weight_type type = LANCET_WEIGHTS_FP16; type <= LANCET_WEIGHTS_INT8; type++) {
            const lancet_conversion report = converted(goldens[i], out, type, NULL);
            struct stat about;

            check_stored(&file, out, type);
            assert_int_equal(stat(out, &about), 0);
            assert_int_equal(about.st_size, report.bytes);
            for (size_t k = 0; k < report.type_count; k++)
                /* Rounding to 8 bits with a scale for a row of noise costs just under a hundredth. */
                assert_true(report.types[k].max_error < 0.01 &&
                            report.types[k].mean_error <= report.types[k].max_error);
        }
        raw_close(&file);
    }
}

/* Converting what was converted: exact types both ways, and whole numbers that stay the same. */
static void test_again(void **state)
{
    const char *a = in_folder("a.safetensors"), *b = in_folder("b.safetensors"),
               *c = in_folder("c.safetensors");

    (void)state;
    for (lancet_weight_type type = LANCET_WEIGHTS_FP32; type <= LANCET_WEIGHTS_INT8; type++) {
        converted(goldens[2], a, type, NULL);
        converted(a, b, type, NULL);
        check_same_data(a, b);
        converted(a, b, LANCET_WEIGHTS_FP32, NULL);
        converted(b, c, type, NULL);
        if (type != LANCET_WEIGHTS_INT8) /* 127 times a scale, over 127, may be its neighbour */
            check_same_data(a, c);
        lancet_model *of_a = model_opened(a, NULL), *of_b = model_opened(b, NULL);
        outputs left = outputs_of(of_a), right = outputs_of(of_b);

        outputs_equal(&left, &right);
        outputs_close(&left);
        outputs_close(&right);
        lancet_model_close(&of_a);
        lancet_model_close(&of_b);
    }
}

/* ---- That it is the whole model ------------------------------------------------------------------------ */

static void check_description(const lancet_model *original, const lancet_model *copy)
{
    const lancet_model_description *a = lancet_model_describe(original), *b = lancet_model_describe(copy);

    assert_string_equal(b->naming, "OpenAI");
    assert_int_equal(a->embedding_width, b->embedding_width);
    assert_int_equal(a->image_side, b->image_side);
    assert_int_equal(a->vision_heads, b->vision_heads);
    assert_int_equal(a->text_heads, b->text_heads);
    assert_int_equal(a->activation, b->activation);
    assert_true(a->layer_norm_epsilon == b->layer_norm_epsilon && a->logit_scale == b->logit_scale);
    assert_memory_equal(a->mean, b->mean, sizeof a->mean);
    assert_memory_equal(a->deviation, b->deviation, sizeof a->deviation);
    assert_true(b->vocabulary_inside && !a->vocabulary_inside);
    assert_string_equal(b->vocabulary, b->path);
    assert_string_equal(a->origin, "");
    assert_non_null(strstr(b->origin, "model.safetensors (safetensors, "));
    assert_non_null(strstr(b->origin, a->hash));
}

/* Alone in a folder, among files of other models, and in memory. */
static void test_it_is_the_whole_model(void **state)
{
    const char *path = in_folder("whole/model.safetensors");

    (void)state;
    assert_int_equal(mkdir(in_folder("whole"), 0777), 0);
    for (size_t i = 0; i < 3; i++) {
        lancet_model *original = model_opened(goldens[i], NULL), *copy;
        outputs before = outputs_of(original), after;
        lancet_error error;
        size_t length;
        char *bytes;

        converted(goldens[i], path, LANCET_WEIGHTS_FP32, NULL);
        for (int strangers = 0; strangers < 3; strangers++) {
            bytes = file_read(path, &length);
            if (strangers < 2)
                copy = model_opened(path, NULL);
            else if (lancet_model_open_memory(&copy, bytes, length, NULL, NULL, &error) != LANCET_OK)
                fail_msg("%s", error.message);
            check_description(original, copy);
            after = outputs_of(copy);
            outputs_equal(&before, &after);
            outputs_close(&after);
            lancet_model_close(&copy);
            free(bytes);
            file_write_text(in_folder("whole/config.json"), "{\"vision_config\":{\"hidden_size\":1}}");
            file_write_text(in_folder("whole/open_clip_config.json"), "not JSON");
            file_write_text(in_folder("whole/preprocessor_config.json"), "{\"image_mean\":[9,9,9]}");
            file_write_text(in_folder("whole/tokenizer.json"), "{}");
        }
        assert_int_equal(unlink(in_folder("whole/config.json")) | unlink(in_folder("whole/tokenizer.json")) |
                             unlink(in_folder("whole/open_clip_config.json")) |
                             unlink(in_folder("whole/preprocessor_config.json")),
                         0);
        outputs_close(&before);
        lancet_model_close(&original);
    }
}

/* What the caller says goes before what the file says, when it is written and when it is read. */
static void test_options_go_first(void **state)
{
    const lancet_model_options gelu = {.activation = LANCET_ACTIVATION_GELU, .head_width = 16};
    const char *path = in_folder("options.safetensors");
    const lancet_model_description *about;
    lancet_model *model;

    (void)state;
    converted(goldens[0], path, LANCET_WEIGHTS_FP32, NULL);
    model = model_opened(path, NULL);
    about = lancet_model_describe(model);
    assert_int_equal(about->activation, LANCET_ACTIVATION_QUICK_GELU);
    assert_string_equal(about->activation_origin, "assumed when it was converted");
    lancet_model_close(&model);
    model = model_opened(path, &gelu);
    about = lancet_model_describe(model);
    assert_int_equal(about->activation, LANCET_ACTIVATION_GELU);
    assert_string_equal(about->activation_origin, "option");
    assert_int_equal(about->vision_heads, 4);
    lancet_model_close(&model);
    converted(goldens[0], path, LANCET_WEIGHTS_FP32, &gelu);
    model = model_opened(path, NULL);
    about = lancet_model_describe(model);
    assert_int_equal(about->activation, LANCET_ACTIVATION_GELU);
    assert_string_equal(about->activation_origin, "lancet.model in the file");
    assert_int_equal(about->text_heads, 4);
    lancet_model_close(&model);
}

/* Where a model comes from, and every type it has been, is told however often it is converted. */
static void test_origin(void **state)
{
    const char *a = in_folder("origin-a.safetensors"), *b = in_folder("origin-b.safetensors");
    const char *named = in_folder("m\xFF\x01.safetensors");
    char expected[400];
    lancet_model *model;
    size_t length;
    char *bytes = file_read(goldens[1], &length);

    (void)state;
    converted(goldens[1], a, LANCET_WEIGHTS_INT8, NULL);
    converted(a, b, LANCET_WEIGHTS_FP32, NULL);
    model = model_opened(goldens[1], NULL);
    snprintf(
        expected, sizeof expected,
        "model.safetensors (safetensors, Hugging Face names, F32 x 50, BF16 x 124, I64 x 1), hash %s, to "
        "int8, fp32, by lancet %s",
        lancet_model_describe(model)->hash, lancet_version());
    lancet_model_close(&model);
    model = model_opened(b, NULL);
    assert_string_equal(lancet_model_describe(model)->origin, expected);
    lancet_model_close(&model);
    for (int i = 0; i < 40; i++)
        converted(i % 2 ? b : a, i % 2 ? a : b, LANCET_WEIGHTS_FP32, NULL);
    /* A name that is no text. */
    file_write(named, bytes, length);
    converted(named, a, LANCET_WEIGHTS_FP32, NULL);
    model = model_opened(a, NULL);
    assert_non_null(strstr(lancet_model_describe(model)->origin, "m??.safetensors (safetensors,"));
    lancet_model_close(&model);
    free(bytes);
}

static void test_vocabulary_left_out(void **state)
{
    const lancet_convert_options without = {.without_vocabulary = true};
    lancet_model *model = model_opened(goldens[0], &(lancet_model_options){.towers = LANCET_TOWERS_NONE});
    const char *path = in_folder("bare.safetensors");
    lancet_conversion report;
    raw_file file;

    (void)state;
    assert_true(converted(goldens[0], path, LANCET_WEIGHTS_FP32, NULL).vocabulary);
    file = raw_open(path);
    assert_int_equal(strncmp(raw_metadata(&file, "lancet.vocabulary"), "#version: 0.2\n", 14), 0);
    raw_close(&file);
    assert_int_equal(lancet_model_convert(&report, model, path, &without, NULL), LANCET_OK);
    assert_false(report.vocabulary);
    file = raw_open(path);
    assert_null(raw_metadata(&file, "lancet.vocabulary"));
    raw_close(&file);
    lancet_model_close(&model);
}

/* ---- Refusals ------------------------------------------------------------------------------------------ */

static bool stop_at_three(void *context, size_t done, size_t total)
{
    size_t *calls = context;

    assert_int_equal(done, ++*calls);
    assert_true(total > 3);
    return done < 3;
}

/* Converts a tiny model with one number changed; what must be refused must leave nothing. */
static void check_number(const char *name, float number, lancet_weight_type type, const char *says)
{
    static tiny_model m;
    const char *original = in_folder("number/original.safetensors"),
               *out = in_folder("number/out.safetensors");
    const lancet_model_options options = {.head_width = 2, .towers = LANCET_TOWERS_NONE};
    const lancet_convert_options convert = {.type = type};
    lancet_error error = {0};
    lancet_model *model;
    lancet_status status;

    tiny_fill(&m, true);
    m.numbers[(const float *)tiny_find(&m, name)->data - m.numbers + 1] = number;
    write_tiny(original, &m);
    model = model_opened(original, &options);
    status = lancet_model_convert(NULL, model, out, &convert, &error);
    lancet_model_close(&model);
    assert_int_equal(unlink(original), 0);
    if (!says) {
        assert_int_equal(status, LANCET_OK);
        assert_int_equal(unlink(out), 0);
        return;
    }
    assert_int_equal(status, LANCET_ERROR_INPUT);
    if (!strstr(error.message, says) || !strstr(error.message, "number/original.safetensors: tensor "))
        fail_msg("expected \"%s\", found: %s", says, error.message);
    assert_int_equal(rmdir(in_folder("number")), 0); /* nothing is in it */
    assert_int_equal(mkdir(in_folder("number"), 0777), 0);
}

static void test_numbers_that_do_not_fit(void **state)
{
    const char *const matrix = "visual.transformer.resblocks.1.mlp.c_fc.weight";

    (void)state;
    assert_int_equal(mkdir(in_folder("number"), 0777), 0);
    for (lancet_weight_type type = LANCET_WEIGHTS_FP32; type <= LANCET_WEIGHTS_INT8; type++) {
        check_number(matrix, NAN, type, "c_fc.weight: expected finite numbers, found ");
        check_number(matrix, -INFINITY, type, "c_fc.weight: expected finite numbers, found ");
        check_number("visual.ln_pre.bias", INFINITY, type,
                     "visual.ln_pre.bias: expected finite numbers, found inf");
        check_number("visual.ln_pre.bias", 3e38f, type, NULL);
        check_number(matrix, 65519, type, NULL);
    }
    check_number(matrix, 65520, LANCET_WEIGHTS_FP16, "expected numbers of 65504 at most, for fp16");
    check_number(matrix, -65520, LANCET_WEIGHTS_FP16, "found -65520");
    check_number("token_embedding.weight", 7e4f, LANCET_WEIGHTS_INT8,
                 "token_embedding.weight: expected numbers of 65504");
    check_number(matrix, 65520, LANCET_WEIGHTS_BF16, NULL);
    check_number(matrix, 65520, LANCET_WEIGHTS_INT8, NULL);
    check_number(matrix, 3.4e38f, LANCET_WEIGHTS_BF16, "expected numbers of 3.3895e38 at most, for bf16");
    check_number(matrix, 3.4e38f, LANCET_WEIGHTS_INT8, "expected numbers of 3.37e38 at most, for int8");
}

static void test_wrong_calls(void **state)
{
    const char *original = in_folder("call.safetensors"), *link_path = in_folder("link.safetensors");
    lancet_model_options options = {.towers = LANCET_TOWERS_NONE};
    size_t length, calls = 0;
    lancet_convert_options stopping = {.progress = stop_at_three, .progress_context = &calls};
    lancet_conversion report;
    lancet_error error;
    lancet_model *model;
    char *bytes = file_read(goldens[0], &length), *after;

    (void)state;
    file_write(original, bytes, length);
    assert_int_equal(symlink(original, link_path), 0);
    model = model_opened(original, &options);
    assert_int_equal(lancet_model_convert(&report, NULL, "x", NULL, &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_model_convert(&report, model, NULL, NULL, &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_model_convert(NULL, model, "x",
                                          &(lancet_convert_options){.type = (lancet_weight_type)4}, NULL),
                     LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_model_convert(&report, model, original, NULL, &error), LANCET_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "found the model itself"));
    assert_int_equal(lancet_model_convert(&report, model, link_path, NULL, &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_model_convert(&report, model, "/nowhere/x", NULL, &error), LANCET_ERROR_IO);
    assert_int_equal(report.bytes, 0);
    assert_int_equal(lancet_model_convert(&report, model, in_folder("stopped"), &stopping, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_string_equal(error.message, "stopped");
    assert_int_equal(calls, 3);
    assert_false(path_exists(in_folder("stopped")));
    after = file_read(original, NULL);
    assert_memory_equal(bytes, after, length);
    lancet_model_close(&model);
    free(after);
    free(bytes);
}

/* No vocabulary is none; one that is broken, or of another model, is an error and does not vanish. */
static void test_vocabularies_that_do_not_fit(void **state)
{
    const char *path = in_folder("words/model.safetensors"), *out = in_folder("out.safetensors");
    const lancet_model_options options = {.head_width = 2, .towers = LANCET_TOWERS_NONE};
    static tiny_model m;
    lancet_conversion report;
    lancet_error error;
    lancet_model *model;

    (void)state;
    assert_int_equal(mkdir(in_folder("words"), 0777), 0);
    assert_int_equal(setenv("XDG_DATA_HOME", in_folder("nowhere"), 1), 0);
    unsetenv("LANCET_VOCABULARY");
    tiny_fill(&m, true);
    write_tiny(path, &m);
    model = model_opened(path, &options);
    assert_int_equal(lancet_model_convert(&report, model, out, NULL, &error), LANCET_OK);
    assert_false(report.vocabulary);
    lancet_model_close(&model);
    file_write_text(in_folder("words/merges.txt"), "no merges here\n");
    model = model_opened(path, &options);
    assert_int_equal(lancet_model_convert(&report, model, out, NULL, &error), LANCET_ERROR_INPUT);
    assert_non_null(strstr(error.message, "words/merges.txt: line 1"));
    lancet_model_close(&model);
    file_write_text(in_folder("words/merges.txt"), "#version: 0.2\na b\n");
    model = model_opened(path, &options);
    assert_int_equal(lancet_model_convert(&report, model, out, NULL, &error), LANCET_ERROR_INPUT);
    assert_non_null(strstr(error.message,
                           "words/merges.txt: expected at most 7 tokens (the model's embedding), found 515"));
    assert_int_equal(lancet_model_convert(&report, model, out,
                                          &(lancet_convert_options){.without_vocabulary = true}, &error),
                     LANCET_OK);
    lancet_model_close(&model);
}

/* Only looked at: nothing can be run on it, and that is said. */
static void test_a_model_that_is_only_looked_at(void **state)
{
    lancet_model *model = model_opened(goldens[0], &(lancet_model_options){.towers = LANCET_TOWERS_NONE});
    const lancet_picture picture = {(const uint8_t *)"abc", 1, 1, 0};
    lancet_session *session = NULL;
    lancet_features *features;
    lancet_labels *labels;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_model_describe(model)->vision_blocks, 8);
    assert_int_equal(lancet_model_describe(model)->text_blocks, 2);
    assert_non_null(lancet_model_vocabulary(model));
    assert_int_equal(lancet_session_open(&session, model, NULL, &error), LANCET_OK);
    assert_int_equal(lancet_features_encode(&features, session, &picture, NULL, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "opened without its vision tower"));
    assert_int_equal(lancet_labels_encode(&labels, session, (const char *[]){"a"}, 1, NULL, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "opened without its text tower"));
    lancet_session_close(&session);
    lancet_model_close(&model);
}

/* Weights in several files become one; none of them is written to. */
static void test_several_files(void **state)
{
    static const char index[] = "{\"weight_map\":{%s}}";
    const char *parts[] = {in_folder("p-00001-of-00002.safetensors"),
                           in_folder("p-00002-of-00002.safetensors")};
    const char *path = in_folder("p.safetensors.index.json"), *out = in_folder("joined.safetensors");
    const lancet_model_options options = {.head_width = 2, .towers = LANCET_TOWERS_NONE};
    static tiny_model m;
    lancet_buffer map = {0}, text = {0};
    lancet_error error;
    lancet_model *model;

    (void)state;
    tiny_fill(&m, true);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(lancet_safetensors_write(parts[i], m.tensors + i * 20, i ? m.count - 20 : 20, NULL,
                                                  NULL, 0, &error),
                         LANCET_OK);
    for (size_t i = 0; i < m.count; i++)
        lancet_buffer_print(&map, "%s\"%s\":\"%s\"", i ? "," : "", m.names[i],
                            strrchr(parts[i >= 20], '/') + 1);
    lancet_buffer_print(&text, index, map.bytes);
    file_write_text(path, text.bytes);
    converted(path, out, LANCET_WEIGHTS_FP32, &options);
    check_numbers(out, &m);
    model = model_opened(path, &options);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(lancet_model_convert(NULL, model, parts[i], NULL, &error), LANCET_ERROR_ARGUMENT);
    lancet_model_close(&model);
    lancet_buffer_close(&map);
    lancet_buffer_close(&text);
}

/* ---- Other containers ---------------------------------------------------------------------------------- */

/* The same weights in every container of a golden set: the same bytes in the file, the same outputs. */
static void check_containers(const char *set, const char *const *containers)
{
    const lancet_model_options same = {.activation = LANCET_ACTIVATION_QUICK_GELU,
                                       .vocabulary = clip_vocabulary()};
    const char *first = in_folder("container-a.safetensors"), *next = in_folder("container-b.safetensors");
    lancet_model *original = model_opened(path_of(set, "model.safetensors"), &same), *copy;
    outputs before = outputs_of(original), after;

    converted(path_of(set, "model.safetensors"), first, LANCET_WEIGHTS_FP32, &same);
    for (; *containers; containers++) {
        converted(path_of(set, *containers), next, LANCET_WEIGHTS_FP32, &same);
        check_same_data(first, next);
        copy = model_opened(next, NULL);
        after = outputs_of(copy);
        outputs_equal(&before, &after);
        outputs_close(&after);
        lancet_model_close(&copy);
    }
    outputs_close(&before);
    lancet_model_close(&original);
}

static void test_every_container_gives_the_same(void **state)
{
    (void)state;
    clip_vocabulary_needed();
    check_containers(golden_needed("vit_a"),
                     (const char *const[]){"model.safetensors", "containers/hf/model.safetensors",
                                           "containers/state_dict.pt", "containers/torchscript.pt", NULL});
}

/* ResNets: convolutions narrowed, batch norms with their statistics kept. */
static void test_resnet(void **state)
{
    const char *set = golden_needed("rn_a"), *exact = in_folder("rn.safetensors");
    const char *out = in_folder("rn-typed.safetensors");
    raw_file file;

    (void)state;
    clip_vocabulary_needed();
    check_containers(set, (const char *const[]){"model.safetensors", "containers/state_dict.pt",
                                                "containers/torchscript.pt", NULL});
    converted(path_of(set, "model.safetensors"), exact, LANCET_WEIGHTS_FP32, NULL);
    file = raw_open(exact);
    for (lancet_weight_type type = LANCET_WEIGHTS_FP16; type <= LANCET_WEIGHTS_INT8; type++) {
        lancet_model *model;
        outputs narrow;

        converted(path_of(set, "model.safetensors"), out, type, NULL);
        check_stored(&file, out, type);
        model = model_opened(out, &(lancet_model_options){.towers = LANCET_TOWERS_VISION});
        assert_string_equal(lancet_model_describe(model)->family, "ModifiedResNet");
        narrow = outputs_of(model);
        outputs_close(&narrow);
        lancet_model_close(&model);
    }
    raw_close(&file);
}

/* Quantised weights of clip.cpp: to fp32 they lose nothing. */
static void test_gguf(void **state)
{
    static const char *const files[] = {"f16.gguf", "q8_0.gguf", "q4_0.gguf", "q5_1.gguf"};
    const char *set = golden_needed("gguf"), *out = in_folder("gguf.safetensors");
    const lancet_model_options pictures = {.towers = LANCET_TOWERS_VISION};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        lancet_model *original = model_opened(path_of(set, files[i]), &pictures), *copy;
        outputs before = outputs_of(original), after;

        converted(path_of(set, files[i]), out, LANCET_WEIGHTS_FP32, NULL);
        copy = model_opened(out, &pictures);
        after = outputs_of(copy);
        outputs_equal(&before, &after);
        outputs_close(&before);
        outputs_close(&after);
        lancet_model_close(&original);
        lancet_model_close(&copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_naming_gives_the_same),
        cmocka_unit_test(test_projections_that_are_layers),
        cmocka_unit_test(test_one_tower),
        cmocka_unit_test(test_every_type_is_the_nearest),
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_it_is_the_whole_model),
        cmocka_unit_test(test_options_go_first),
        cmocka_unit_test(test_origin),
        cmocka_unit_test(test_vocabulary_left_out),
        cmocka_unit_test(test_numbers_that_do_not_fit),
        cmocka_unit_test(test_wrong_calls),
        cmocka_unit_test(test_vocabularies_that_do_not_fit),
        cmocka_unit_test(test_a_model_that_is_only_looked_at),
        cmocka_unit_test(test_several_files),
        cmocka_unit_test(test_every_container_gives_the_same),
        cmocka_unit_test(test_resnet),
        cmocka_unit_test(test_gguf),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
