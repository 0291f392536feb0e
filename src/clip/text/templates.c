/* Prompt templates. SPDX-License-Identifier: Apache-2.0 */
#include "lancet/text.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/utf8.h"
#include "clip/text/excerpt.h"

#include <stdbool.h>
#include <string.h>

/* A file of templates is something that a person writes. */
#define FILE_LENGTH_MAX    ((size_t)1 << 20)
#define TEMPLATE_COUNT_MAX ((size_t)10000)

/* Where the label goes. */
static const char gap[] = "{}";

struct lancet_templates {
    const char *const *texts; /* [count] */
    size_t count;
    const char **list; /* what to free: the array and the text, NULL in the static ones */
    char *text;
};

static const char *const standard_texts[] = {
    "a bad photo of a {}.",
    "a photo of many {}.",
    "a sculpture of a {}.",
    "a photo of the hard to see {}.",
    "a low resolution photo of the {}.",
    "a rendering of a {}.",
    "graffiti of a {}.",
    "a bad photo of the {}.",
    "a cropped photo of the {}.",
    "a tattoo of a {}.",
    "the embroidered {}.",
    "a photo of a hard to see {}.",
    "a bright photo of a {}.",
    "a photo of a clean {}.",
    "a photo of a dirty {}.",
    "a dark photo of the {}.",
    "a drawing of a {}.",
    "a photo of my {}.",
    "the plastic {}.",
    "a photo of the cool {}.",
    "a close-up photo of a {}.",
    "a black and white photo of the {}.",
    "a painting of the {}.",
    "a painting of a {}.",
    "a pixelated photo of the {}.",
    "a sculpture of the {}.",
    "a bright photo of the {}.",
    "a cropped photo of a {}.",
    "a plastic {}.",
    "a photo of the dirty {}.",
    "a jpeg corrupted photo of a {}.",
    "a blurry photo of the {}.",
    "a photo of the {}.",
    "a good photo of the {}.",
    "a rendering of the {}.",
    "a {} in a video game.",
    "a photo of one {}.",
    "a doodle of a {}.",
    "a close-up photo of the {}.",
    "a photo of a {}.",
    "the origami {}.",
    "the {} in a video game.",
    "a sketch of a {}.",
    "a doodle of the {}.",
    "a origami {}.",
    "a low resolution photo of a {}.",
    "the toy {}.",
    "a rendition of the {}.",
    "a photo of the clean {}.",
    "a photo of a large {}.",
    "a rendition of a {}.",
    "a photo of a nice {}.",
    "a photo of a weird {}.",
    "a blurry photo of a {}.",
    "a cartoon {}.",
    "art of a {}.",
    "a sketch of the {}.",
    "a embroidered {}.",
    "a pixelated photo of a {}.",
    "itap of the {}.",
    "a jpeg corrupted photo of the {}.",
    "a good photo of a {}.",
    "a plushie {}.",
    "a photo of the nice {}.",
    "a photo of the small {}.",
    "a photo of the weird {}.",
    "the cartoon {}.",
    "art of the {}.",
    "a drawing of the {}.",
    "a photo of the large {}.",
    "a black and white photo of a {}.",
    "the plushie {}.",
    "a dark photo of a {}.",
    "itap of a {}.",
    "graffiti of the {}.",
    "a toy {}.",
    "itap of my {}.",
    "a photo of a cool {}.",
    "a photo of a small {}.",
    "a tattoo of the {}.",
    "there is a {} in the scene.",
    "there is the {} in the scene.",
    "this is a {} in the scene.",
    "this is the {} in the scene.",
    "this is one {} in the scene.",
};

static const char *const bare_texts[] = {gap};

static const lancet_templates standard = {standard_texts, sizeof standard_texts / sizeof *standard_texts,
                                          NULL, NULL};
static const lancet_templates bare = {bare_texts, 1, NULL, NULL};

const lancet_templates *lancet_templates_standard(void)
{
    return &standard;
}

const lancet_templates *lancet_templates_bare(void)
{
    return &bare;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

/* Takes the next line of *text, cuts it off with a zero and moves *text behind it; NULL at the end. White
 * space at both ends is gone. */
static char *take_line(char **text)
{
    char *line = *text, *end;

    if (!*line)
        return NULL;
    end = strchr(line, '\n');
    *text = end ? end + 1 : line + strlen(line);
    end = end ? end : *text;
    while (is_blank(*line))
        line++;
    while (end > line && is_blank(end[-1]))
        end--;
    *end = '\0';
    return line;
}

/* Splits `templates->text` into templates. */
static lancet_status split_lines(lancet_templates *templates, const char *path, lancet_error *error)
{
    char *rest = templates->text, *line;
    size_t number = 0, lines = 1;

    for (const char *at = rest; *at; at++)
        lines += *at == '\n';
    templates->list = lancet_allocate(lines, sizeof *templates->list);
    if (!templates->list)
        return lancet_fail_memory(error, "templates");
    templates->texts = templates->list;
    while ((line = take_line(&rest)) != NULL) {
        number++;
        if (*line == '\0' || *line == '#')
            continue;
        if (!strstr(line, gap))
            return lancet_fail(error, LANCET_ERROR_INPUT,
                               "%s: line %zu: expected {} where the label goes, found none in \"%s\"", path,
                               number, lancet_excerpt_of(line, strlen(line)).text);
        if (templates->count == TEMPLATE_COUNT_MAX)
            return lancet_fail(error, LANCET_ERROR_INPUT,
                               "%s: line %zu: expected at most %zu templates, found more", path, number,
                               TEMPLATE_COUNT_MAX);
        templates->list[templates->count++] = line;
    }
    if (templates->count == 0)
        return lancet_fail(error, LANCET_ERROR_INPUT, "%s: expected templates, one a line, found none", path);
    return LANCET_OK;
}

static lancet_status read_file(lancet_templates *templates, const char *path, lancet_error *error)
{
    lancet_mapping mapping = {0};
    lancet_status status = lancet_mapping_open(&mapping, path, error);
    const char *bytes = (const char *)mapping.bytes;
    size_t length = mapping.length, wrong;

    if (status != LANCET_OK)
        return status;
    if (length > FILE_LENGTH_MAX) {
        status =
            lancet_fail(error, LANCET_ERROR_INPUT, "%s: expected templates of at most %zu bytes, found %zu",
                        path, FILE_LENGTH_MAX, length);
        goto done;
    }
    wrong = lancet_utf8_check(bytes, length);
    if (wrong == length && length && memchr(bytes, 0, length))
        wrong = (size_t)((const char *)memchr(bytes, 0, length) - bytes);
    if (wrong < length) {
        size_t number = 1;

        for (size_t i = 0; i < wrong; i++)
            number += bytes[i] == '\n';
        status = lancet_fail(error, LANCET_ERROR_INPUT,
                             "%s: line %zu: expected UTF-8 text, found byte 0x%02X at offset %zu", path,
                             number, (unsigned)(unsigned char)bytes[wrong], wrong);
        goto done;
    }
    if (length >= 3 &&
        memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) { /* the byte-order mark that some editors write */
        bytes += 3;
        length -= 3;
    }
    templates->text = lancet_copy_text(bytes, length);
    status = templates->text ? split_lines(templates, path, error) : lancet_fail_memory(error, "templates");
done:
    lancet_mapping_close(&mapping);
    return status;
}

lancet_status lancet_templates_open(lancet_templates **result, const char *name, lancet_error *error)
{
    lancet_templates *templates;
    lancet_status status = LANCET_OK;

    if (!result)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "lancet_templates_open: expected a place for the result");
    *result = NULL;
    if (!name)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "lancet_templates_open: expected a name, found NULL");
    templates = lancet_allocate_zero(1, sizeof *templates);
    if (!templates)
        return lancet_fail_memory(error, "templates");
    if (strcmp(name, "85") == 0)
        *templates = standard;
    else if (strcmp(name, "none") == 0)
        *templates = bare;
    else
        status = read_file(templates, name, error);
    if (status != LANCET_OK)
        lancet_templates_close(&templates);
    *result = templates;
    return status;
}

void lancet_templates_close(lancet_templates **templates)
{
    if (!templates || !*templates)
        return;
    lancet_free((*templates)->list);
    lancet_free((*templates)->text);
    lancet_free(*templates);
    *templates = NULL;
}

size_t lancet_templates_count(const lancet_templates *templates)
{
    return templates->count;
}

const char *lancet_templates_text(const lancet_templates *templates, size_t index)
{
    return index < templates->count ? templates->texts[index] : NULL;
}

/* Adds `length` bytes at offset *used, as far as the buffer goes, always counting them. */
static void add(char *buffer, size_t size, size_t *used, const char *text, size_t length)
{
    if (*used + 1 < size) {
        const size_t room = size - 1 - *used;

        memcpy(buffer + *used, text, length < room ? length : room);
    }
    *used += length;
}

size_t lancet_templates_fill(char *buffer, size_t size, const lancet_templates *templates, size_t index,
                             const char *label)
{
    const char *rest = lancet_templates_text(templates, index), *next;
    size_t used = 0;

    while (rest && (next = strstr(rest, gap)) != NULL) {
        add(buffer, size, &used, rest, (size_t)(next - rest));
        add(buffer, size, &used, label, strlen(label));
        rest = next + strlen(gap);
    }
    if (rest)
        add(buffer, size, &used, rest, strlen(rest));
    if (size)
        buffer[used < size ? used : size - 1] = '\0';
    return used;
}
