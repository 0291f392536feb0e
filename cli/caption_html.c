/* A caption and its picture as a page. SPDX-License-Identifier: Apache-2.0 */
#include "caption.h"

#include "files.h"
#include "report.h"

#include "lancet/lancet.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A page that grows; once memory is out `failed` stays. */
typedef struct page {
    char *text;
    size_t length, capacity;
    bool failed;
} page;

static char *reserve(page *p, size_t more)
{
    if (!p->failed && p->capacity - p->length < more) {
        const size_t capacity = 2 * p->capacity + more;
        char *text = realloc(p->text, capacity);

        p->failed = !text;
        if (text) {
            p->text = text;
            p->capacity = capacity;
        }
    }
    return p->failed ? NULL : p->text + p->length;
}

static void put(page *p, const char *text)
{
    const size_t length = strlen(text);
    char *out = reserve(p, length);

    if (!out)
        return;
    memcpy(out, text, length);
    p->length += length;
}

static void put_format(page *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put_format(page *p, const char *format, ...)
{
    char text[200];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    put(p, text);
}

/* Words from outside: nothing in them is markup. Bytes that are no UTF-8 become U+FFFD in the browser. */
static void put_escaped(page *p, const char *text)
{
    for (; *text; text++) {
        const char one[2] = {*text, '\0'};

        put(p, *text == '&'    ? "&amp;"
               : *text == '<'  ? "&lt;"
               : *text == '>'  ? "&gt;"
               : *text == '"'  ? "&quot;"
               : *text == '\'' ? "&#39;"
                               : one);
    }
}

static void put_base64(page *p, const uint8_t *bytes, size_t length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *out = reserve(p, (length + 2) / 3 * 4);

    if (!out)
        return;
    for (size_t i = 0; i < length; i += 3) {
        const size_t rest = length - i;
        const unsigned long three = (unsigned long)bytes[i] << 16 |
                                    (unsigned long)(rest > 1 ? bytes[i + 1] : 0) << 8 |
                                    (rest > 2 ? bytes[i + 2] : 0);

        *out++ = digits[three >> 18 & 63];
        *out++ = digits[three >> 12 & 63];
        *out++ = rest > 1 ? digits[three >> 6 & 63] : '=';
        *out++ = rest > 2 ? digits[three & 63] : '=';
    }
    p->length += (length + 2) / 3 * 4;
}

static void put_style(page *p)
{
    put(p, "<style>\n"
           "body { font-family: sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #222; "
           "background: #fff }\n"
           "img { max-width: 100%; height: auto }\n"
           ".caption { font-size: 1.3em; line-height: 1.8 }\n"
           ".special { color: #777; font-size: .8em }\n"
           ".note { color: #777 }\n"
           "table { border-collapse: collapse }\n"
           "td, th { padding: .15em .8em; text-align: right; border-bottom: 1px solid #ddd }\n"
           "td.token, th.token { text-align: left }\n");
    for (int i = 0; i < CAPTION_MARKED; i++)
        put_format(p, ".rank%d { background: rgb(%d %d %d / 45%%); border-radius: .2em }\n", i + 1,
                   caption_colours[i][0], caption_colours[i][1], caption_colours[i][2]);
    put(p, "</style>\n");
}

static bool is_marked(const caption_tokens *tokens, size_t i)
{
    return tokens->ranks[i].rank && tokens->ranks[i].rank <= CAPTION_MARKED;
}

static void put_token(page *p, const caption_tokens *tokens, size_t i, const char *element)
{
    const bool special = i == 0 || i + 1 == tokens->count;

    put_format(p, "<%s class=\"token", element);
    if (special)
        put(p, " special");
    if (is_marked(tokens, i))
        put_format(p, " rank%zu", tokens->ranks[i].rank);
    put(p, "\">");
    put_escaped(p, tokens->shown[i]);
    put_format(p, "</%s>", element);
}

static void put_caption(page *p, const caption_tokens *tokens)
{
    put(p, "<p class=\"caption\">");
    for (size_t i = 0; i < tokens->count; i++) {
        put_token(p, tokens, i, "span");
        if (is_marked(tokens, i)) /* not by colour alone */
            put_format(p, "<sup>%zu</sup>", tokens->ranks[i].rank);
        if (tokens->ends_word[i])
            put(p, " ");
    }
    put(p, "</p>\n");
}

static void put_table(page *p, const caption_tokens *tokens)
{
    put(p, "<table>\n<tr><th>place</th><th class=\"token\">token</th><th>cosine</th><th>rank</th></tr>\n");
    for (size_t i = 0; i < tokens->count; i++) {
        put_format(p, "<tr><td>%zu</td>", i);
        put_token(p, tokens, i, "td");
        put_format(p, "<td>%.4f</td><td>", (double)tokens->ranks[i].score);
        if (tokens->ranks[i].rank)
            put_format(p, "%zu", tokens->ranks[i].rank);
        put(p, "</td></tr>\n");
    }
    put(p, "</table>\n");
}

int caption_write_html(const char *path, const caption_tokens *tokens, const lancet_picture *overlay,
                       const char *picture_name, const char *note)
{
    page p = {0};
    uint8_t *png = NULL;
    size_t length;
    lancet_error error;
    int status;

    if (lancet_png_encode(&png, &length,
                          &(lancet_png){.form = LANCET_PNG_RGB,
                                        .samples = overlay->rgb,
                                        .width = overlay->width,
                                        .height = overlay->height,
                                        .stride = overlay->stride},
                          &error) != LANCET_OK)
        return report_error(&error);
    put(&p, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width\">\n<title>");
    put_escaped(&p, picture_name);
    put(&p, "</title>\n");
    put_style(&p);
    put(&p, "</head>\n<body>\n<p><img alt=\"");
    put_escaped(&p, tokens->text);
    put(&p, "\" src=\"data:image/png;base64,");
    put_base64(&p, png, length);
    put(&p, "\"></p>\n");
    put_caption(&p, tokens);
    put(&p, "<p class=\"note\">The heat is where the picture answers to &ldquo;");
    put_escaped(&p, tokens->shown[tokens->best]);
    put(&p, "&rdquo;. Tokens are ranked by their cosine with the whole picture: first, second and third are "
            "marked; "
            "a token "
            "knows only the words before it.</p>\n");
    if (note) {
        put(&p, "<p class=\"note\">");
        put_escaped(&p, note);
        put(&p, "</p>\n");
    }
    put_table(&p, tokens);
    put(&p, "<p class=\"note\">");
    put_escaped(&p, picture_name);
    put_format(&p, ", lancet %s</p>\n</body>\n</html>\n", lancet_version());
    status = p.failed ? report_memory() : file_write(path, p.text, p.length);
    free(p.text);
    lancet_png_bytes_close(&png);
    return status;
}
