/* Words drawn with FreeType. One glyph a code point: no ligatures, no shaping, left to right.
 * SPDX-License-Identifier: Apache-2.0 */
#include "image/canvas.h"

#include "base/memory.h"
#include "base/status.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

#include <ft2build.h>
#include FT_FREETYPE_H
#include FT_MODULE_H

/* In the order in which they are asked for a character: good all-round faces first, then the scripts that
 * these lack. */
static const char *const places[] = {
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/TTF/DejaVuSans.ttf",
    "/usr/share/fonts/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf",
    "/usr/local/share/fonts/DejaVuSans.ttf",
    "/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf",
    "/usr/share/fonts/noto/NotoSans-Regular.ttf",
    "/usr/share/fonts/google-noto/NotoSans-Regular.ttf",
    "/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf",
    "/usr/share/fonts/truetype/liberation2/LiberationSans-Regular.ttf",
    "/usr/share/fonts/liberation-sans/LiberationSans-Regular.ttf",
    "/usr/share/fonts/liberation/LiberationSans-Regular.ttf",
    "/usr/share/fonts/truetype/freefont/FreeSans.ttf",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/usr/share/fonts/truetype/noto/NotoSansArabic-Regular.ttf",
    "/usr/share/fonts/truetype/noto/NotoSansHebrew-Regular.ttf",
    "/usr/share/fonts/truetype/noto/NotoSansDevanagari-Regular.ttf",
    "/usr/share/fonts/truetype/noto/NotoSansBengali-Regular.ttf",
    "/usr/share/fonts/truetype/noto/NotoSansTamil-Regular.ttf",
    "/usr/share/fonts/truetype/noto/NotoSansThai-Regular.ttf",
    "/usr/share/fonts/truetype/noto/NotoSansEthiopic-Regular.ttf",
    "/usr/share/fonts/truetype/noto/NotoSansGeorgian-Regular.ttf",
    "/usr/share/fonts/truetype/noto/NotoSansArmenian-Regular.ttf",
    "/usr/share/fonts/truetype/noto/NotoSansSymbols-Regular.ttf",
    "/usr/share/fonts/truetype/noto/NotoSansSymbols2-Regular.ttf",
    "/usr/share/fonts/truetype/noto/NotoEmoji-Regular.ttf",
    "/Library/Fonts/Arial Unicode.ttf",
    "/System/Library/Fonts/Supplemental/Arial Unicode.ttf",
    "/System/Library/Fonts/Supplemental/Arial.ttf",
};

#define PLACES     (sizeof places / sizeof *places)
#define CANDIDATES (PLACES + 2) /* and before them the caller's and $LANCET_FONT */
#define ELLIPSIS   0x2026u
#define SIZE_LEAST 6
#define SIZE_MOST  512

struct lancet_font {
    FT_Library library;
    struct FT_MemoryRec_ memory;
    FT_Face faces[CANDIDATES];
    bool tried[CANDIDATES];
    char *own; /* a copy of the caller's path */
    bool out_of_memory;
};

static void *on_allocate(FT_Memory memory, long size)
{
    lancet_font *font = memory->user;
    void *block = size < 0 ? NULL : lancet_allocate((size_t)size, 1);

    font->out_of_memory |= !block;
    return block;
}

static void on_free(FT_Memory memory, void *block)
{
    (void)memory;
    lancet_free(block);
}

static void *on_reallocate(FT_Memory memory, long old_size, long new_size, void *block)
{
    void *larger = on_allocate(memory, new_size);

    if (!larger)
        return NULL;
    memcpy(larger, block, (size_t)(old_size < new_size ? old_size : new_size));
    lancet_free(block);
    return larger;
}

/* The face at that place in the order; NULL if there is none that can be used. */
static FT_Face face_at(lancet_font *font, size_t i)
{
    const char *path = i == 0 ? font->own : i == 1 ? getenv("LANCET_FONT") : places[i - 2];

    if (font->tried[i])
        return font->faces[i];
    font->tried[i] = true;
    if (!path || !*path || FT_New_Face(font->library, path, 0, &font->faces[i]) != 0) {
        font->faces[i] = NULL;
    } else if (!FT_IS_SCALABLE(font->faces[i]) || !font->faces[i]->charmap) {
        FT_Done_Face(font->faces[i]);
        font->faces[i] = NULL;
    }
    return font->faces[i];
}

lancet_status lancet_font_open(lancet_font **font, const char *path, lancet_error *error)
{
    lancet_font *f = lancet_allocate_zero(1, sizeof *f);

    *font = NULL;
    if (!f)
        return lancet_fail_memory(error, "a font");
    f->memory = (struct FT_MemoryRec_){f, on_allocate, on_free, on_reallocate};
    f->own = path ? lancet_copy_text(path, strlen(path)) : NULL;
    if ((path && !f->own) || FT_New_Library(&f->memory, &f->library) != 0)
        goto out_of_memory;
    FT_Add_Default_Modules(f->library);
    if (f->out_of_memory)
        goto out_of_memory;
    if (path && !face_at(f, 0)) {
        if (f->out_of_memory)
            goto out_of_memory;
        lancet_font_close(&f);
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "%s: expected a scalable font file, found something else or nothing", path);
    }
    *font = f;
    return LANCET_OK;
out_of_memory:
    lancet_font_close(&f);
    return lancet_fail_memory(error, "a font");
}

void lancet_font_close(lancet_font **font)
{
    lancet_font *f = font ? *font : NULL;

    if (!f)
        return;
    if (f->library) {
        for (size_t i = 0; i < CANDIDATES; i++)
            if (f->faces[i])
                FT_Done_Face(f->faces[i]);
        FT_Done_Library(f->library);
    }
    lancet_free(f->own);
    lancet_free(f);
    *font = NULL;
}

bool lancet_font_failed(const lancet_font *font)
{
    return font->out_of_memory;
}

bool lancet_font_found(const lancet_font *font)
{
    for (size_t i = 0; i < CANDIDATES; i++)
        if (face_at((lancet_font *)font, i))
            return true;
    return false;
}

typedef struct glyph {
    FT_Face face;
    FT_UInt index;
} glyph;

/* From the first font that has the character; else the empty box of the first font. */
static glyph glyph_of(lancet_font *font, uint32_t point)
{
    glyph box = {0};

    if (point < 32 || point == 127 || point == 0xA0)
        point = ' '; /* a tab or a line break in the words */
    for (size_t i = 0; i < CANDIDATES; i++) {
        const FT_Face face = face_at(font, i);
        const FT_UInt index = face ? FT_Get_Char_Index(face, point) : 0;

        if (index)
            return (glyph){face, index};
        if (face && !box.face)
            box.face = face;
    }
    return box;
}

/* Walks over the words, glyph by glyph, in 1/64 pixel. */
typedef struct pen {
    lancet_font *font;
    size_t size;
    FT_Pos at;
    glyph last;
} pen;

/* Loads the next glyph and moves on; *start is where it belongs. False if there is nothing to draw with. */
static bool pen_step(pen *p, uint32_t point, FT_Pos *start, FT_GlyphSlot *slot)
{
    const glyph g = glyph_of(p->font, point);
    FT_Vector kerning = {0, 0};

    if (!g.face || FT_Set_Pixel_Sizes(g.face, 0, (FT_UInt)p->size) != 0)
        return false;
    if (g.face == p->last.face && FT_HAS_KERNING(g.face))
        FT_Get_Kerning(g.face, p->last.index, g.index, FT_KERNING_DEFAULT, &kerning);
    if (FT_Load_Glyph(g.face, g.index, FT_LOAD_TARGET_LIGHT) != 0)
        return false;
    *start = p->at + kerning.x;
    *slot = g.face->glyph;
    p->at = *start + g.face->glyph->advance.x;
    p->last = g;
    return true;
}

static pen pen_start(lancet_font *font, size_t size)
{
    return (pen){.font = font, .size = size < SIZE_LEAST ? SIZE_LEAST : size > SIZE_MOST ? SIZE_MOST : size};
}

/* How far the first `length` bytes go, in 1/64 pixel. *fitting: how many of them stay within `room`. Stops
 * soon after `most`, so that a text of any length costs no more than what can be seen of it. */
static FT_Pos measure(lancet_font *font, const char *text, size_t length, size_t size, FT_Pos room,
                      FT_Pos most, size_t *fitting)
{
    pen p = pen_start(font, size);
    size_t at = 0;

    *fitting = 0;
    while (at < length && p.at <= most) {
        FT_GlyphSlot slot;
        uint32_t point;
        FT_Pos start;
        const size_t step = lancet_utf8_read(&point, text + at, length - at);

        if (!step)
            break;
        pen_step(&p, point, &start, &slot);
        at += step;
        if (p.at <= room)
            *fitting = at;
    }
    return p.at;
}

size_t lancet_text_width(lancet_font *font, const char *text, size_t size, size_t most)
{
    size_t fitting;

    return (size_t)((measure(font, text, strlen(text), size, 0, (FT_Pos)most * 64, &fitting) + 63) / 64);
}

size_t lancet_text_break(lancet_font *font, const char *text, size_t size, size_t width)
{
    const FT_Pos room = (FT_Pos)width * 64;
    size_t length = strlen(text), fitting, space;
    uint32_t point;

    if (measure(font, text, length, size, room, room, &fitting) <= room)
        return length;
    for (space = fitting; space > 0; space--)
        if (text[space] == ' ')
            return space;
    return fitting ? fitting : lancet_utf8_read(&point, text, length);
}

static void draw_glyph(lancet_image *image, const FT_Bitmap *bitmap, ptrdiff_t left, ptrdiff_t top,
                       const uint8_t *colour)
{
    for (ptrdiff_t y = 0; y < (ptrdiff_t)bitmap->rows; y++) {
        const uint8_t *cover = bitmap->buffer + y * bitmap->pitch;

        if (top + y < 0 || top + y >= (ptrdiff_t)image->height)
            continue;
        for (ptrdiff_t x = 0; x < (ptrdiff_t)bitmap->width; x++) {
            uint8_t *pixel;

            if (!cover[x] || left + x < 0 || left + x >= (ptrdiff_t)image->width)
                continue;
            pixel = image->rgb + ((size_t)(top + y) * image->width + (size_t)(left + x)) * 3;
            for (int c = 0; c < 3; c++)
                pixel[c] = lancet_byte_blend(pixel[c], colour[c], cover[x]);
        }
    }
}

static void draw_point(lancet_image *image, pen *p, uint32_t point, const lancet_text_place *place,
                       FT_Pos left)
{
    FT_GlyphSlot slot;
    FT_Pos start;

    if (!pen_step(p, point, &start, &slot) || FT_Render_Glyph(slot, FT_RENDER_MODE_NORMAL) != 0 ||
        slot->bitmap.pixel_mode != FT_PIXEL_MODE_GRAY)
        return;
    draw_glyph(image, &slot->bitmap, (ptrdiff_t)((left + start + 32) >> 6) + slot->bitmap_left,
               (ptrdiff_t)place->baseline - slot->bitmap_top, place->colour);
}

/* The first `length` bytes of the text, or as much as fits and an ellipsis. */
static void draw_line(lancet_image *image, lancet_font *font, const char *text, size_t length,
                      const lancet_text_place *place)
{
    const FT_Pos room = (FT_Pos)place->width * 64;
    size_t fitting, at = 0;
    FT_Pos width = measure(font, text, length, place->size, room, room, &fitting), left;
    pen p = pen_start(font, place->size);
    bool cut = false;

    if (width > room) {
        char dots[4];
        size_t ignored;
        const size_t dots_length = lancet_utf8_write(dots, ELLIPSIS);
        const FT_Pos dots_width = measure(font, dots, dots_length, place->size, room, room, &ignored);

        cut = true;
        measure(font, text, length, place->size, room - dots_width, room, &length);
        while (length && text[length - 1] == ' ')
            length--;
        width = measure(font, text, length, place->size, room, room, &ignored) + dots_width;
    }
    left = (FT_Pos)place->left * 64;
    if (place->align == LANCET_ALIGN_CENTRE && width < room)
        left += (room - width) / 2;
    else if (place->align == LANCET_ALIGN_RIGHT && width < room)
        left += room - width;
    while (at < length) {
        uint32_t point;
        const size_t step = lancet_utf8_read(&point, text + at, length - at);

        if (!step)
            break;
        draw_point(image, &p, point, place, left);
        at += step;
    }
    if (cut)
        draw_point(image, &p, ELLIPSIS, place, left);
}

void lancet_text_draw(lancet_image *image, lancet_font *font, const char *text,
                      const lancet_text_place *place)
{
    draw_line(image, font, text, strlen(text), place);
}

void lancet_text_draw_two(lancet_image *image, lancet_font *font, const char *text,
                          const lancet_text_place *place, size_t spacing)
{
    lancet_text_place second = *place;
    size_t first = lancet_text_break(font, text, place->size, place->width);

    draw_line(image, font, text, first, place);
    text += first;
    text += strspn(text, " ");
    second.baseline += spacing;
    draw_line(image, font, text, strlen(text), &second);
}
