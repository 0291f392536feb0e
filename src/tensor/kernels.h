/* The numeric kernels that Lancet writes itself, one table for each instruction set.
 *
 * kernels_scalar.c is the specification, in plain C. kernels_vector.h holds the same operators over vectors
 * and is compiled once for AVX2 and twice for AVX-512; tests compare every table with the scalar one.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_TENSOR_KERNELS_H
#define LANCET_TENSOR_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** One head's attention: out[i] = sum over j of softmax_j(scale <queries[i], keys[j]>) values[j].
 * Rows are `width` floats, `*_stride` floats apart. */
typedef struct lancet_attention {
    const float *queries; /* [query_count, width] */
    const float *keys;    /* [key_count, width] */
    const float *values;  /* [key_count, width] */
    float *out;           /* [query_count, width] */
    size_t query_stride, key_stride, value_stride, out_stride;
    size_t query_count, key_count, width;
    float scale;
} lancet_attention;

/** One token's attention to itself and those before it, all heads side by side, where tokens lie anywhere in
 * [rows, heads * width]: for each head, out = sum over j of softmax_j(scale <query, keys[path[j]]>)
 * values[path[j]]. */
typedef struct lancet_path_attention {
    const float *query, *keys, *values; /* query [heads * width]; keys, values: rows `stride` floats apart */
    float *out;                         /* [heads * width] */
    const uint32_t *path;               /* [count], the token itself included */
    size_t count, stride, heads, width;
    float scale;
} lancet_path_attention;

/** What follows a product and its bias. */
typedef enum lancet_after {
    LANCET_AFTER_NOTHING = 0,
    LANCET_AFTER_RELU,
    LANCET_AFTER_QUICK_GELU, /* x sigmoid(1.702 x) */
    LANCET_AFTER_GELU,       /* x Phi(x) */
    LANCET_AFTER_ADD         /* linear.h: adds to what `out` holds, the residual; no kernel sees it */
} lancet_after;

/** The numbers that are multiplied. They lie in units of four bytes, `packed_group` of them in each. */
typedef enum lancet_packed_kind {
    LANCET_PACKED_FLOAT = 0,
    LANCET_PACKED_BFLOAT, /* rounded to bfloat16, summed as floats; as floats where nothing multiplies them
                             faster */
    LANCET_PACKED_WHOLE,  /* -127 to 127 times a scale for each row and one for each column, summed exactly */
    LANCET_PACKED_KINDS
} lancet_packed_kind;

/** A product with a matrix [depth, columns] that was packed once (packed.h): out[i][j] = the sum over d of
 * in[i][d] matrix[d][j], plus bias[j], plus add[i][j], and `after` of that. Each number of `out` is summed in
 * the order of d, whatever rows and columns are computed with it. */
typedef struct lancet_packed_product {
    lancet_packed_kind kind;
    const void *in; /* [rows, depth] */
    const void *matrix;
    const float *row_scales, *column_scales; /* WHOLE: [rows], [columns] */
    const int32_t *offsets;                  /* WHOLE: [rows], from packed_row */
    const float *bias;                       /* [columns]; NULL: none */
    const float *add;                        /* [rows, columns]; NULL: none; may be out */
    float *out;                              /* [rows, columns] */
    size_t in_stride;                        /* units between rows */
    size_t add_stride, out_stride;           /* floats between rows */
    size_t rows, columns, depth;             /* depth: in units */
    lancet_after after;
    const void *ahead; /* what will be read next is fetched meanwhile; NULL: nothing */
    size_t ahead_bytes;
} lancet_packed_product;

/** The side of the square of outputs that Winograd's algorithm computes at once: F(2x2, 3x3) takes 4 x 4
 * inputs and 16 multiplications where the sum written out takes 36, F(4x4, 3x3) 6 x 6 and 36 for 144. */
typedef enum lancet_winograd { LANCET_WINOGRAD_2 = 2, LANCET_WINOGRAD_4 = 4 } lancet_winograd;

#define LANCET_WINOGRAD_POINTS(tile) (((size_t)(tile) + 2) * ((size_t)(tile) + 2))
#define LANCET_WINOGRAD_POINTS_MAX   36

/** What is done to the outputs of a square. */
typedef struct lancet_winograd_after {
    const float *bias;  /* [channels] */
    bool relu, average; /* average: of each 2 x 2 outputs their mean, after the bias and relu */
} lancet_winograd_after;

typedef struct lancet_kernels {
    const char *name; /* "scalar", "avx2", "avx512", "avx512-bf16" */

    /** out[i] = (in[i] - mean) / sqrt(variance + epsilon) * weight[i] + bias[i]; biased variance. in may be
     * out. */
    void (*layer_norm)(float *out, const float *in, const float *weight, const float *bias, size_t width,
                       float epsilon);

    /** scratch: attention_scratch floats (for any of these four), 64-byte aligned. */
    void (*attention)(const lancet_attention *attention, float *scratch);
    /** The same with the factors of both products rounded to bfloat16 (to nearest, to even): the keys, the
     * values, the queries times scale * log2(e), and the powers of two (less the highest, up to a whole
     * number) that the softmax divides by their sum, which is of what they were before. Sums are floats. */
    void (*attention_bfloat)(const lancet_attention *attention, float *scratch);
    /** Both again where the queries are the keys (the same rows, and all of them) and scale >= 0: scores are
     * symmetric, and the vectors' kernels compute half of them. The values may be others. In bfloat16 both
     * sides of a score are rounded after they were multiplied by sqrt(scale * log2(e)). */
    void (*symmetric_attention)(const lancet_attention *attention, float *scratch);
    void (*symmetric_attention_bfloat)(const lancet_attention *attention, float *scratch);
    size_t (*attention_scratch)(size_t key_count, size_t width);

    /** scratch: path_attention_scratch floats, 64-byte aligned. */
    void (*path_attention)(const lancet_path_attention *attention, float *scratch);
    size_t (*path_attention_scratch)(size_t count, size_t heads);

    /** out [m, n] = a [m, k] times b [n, k] transposed, rows `*_stride` floats apart. Each number is summed
     * in the same order whatever is computed with it. For the small products outside the towers. */
    void (*multiply)(float *out, size_t out_stride, const float *a, size_t a_stride, const float *b,
                     size_t b_stride, size_t m, size_t n, size_t k);

    /** Columns of a panel of a packed matrix: two vectors. */
    size_t panel;
    void (*packed_product)(const lancet_packed_product *product);

    /** Numbers in a unit of each kind. */
    size_t packed_group[LANCET_PACKED_KINDS];
    /** A row of floats as units of a kind, the last one filled up with zeros. WHOLE: *scale becomes what its
     * numbers are to be multiplied by, *offset what is to be taken off each sum of a row of `in`. `in` may be
     * out where a unit is one number. */
    void (*packed_row)(lancet_packed_kind kind, void *units, float *scale, int32_t *offset, const float *in,
                       size_t depth);
    /** The same for a column of the matrix. */
    void (*packed_column)(lancet_packed_kind kind, void *units, float *scale, const float *in, size_t depth);
    /** to [columns, rows] (rows `to_stride` units apart) = from [rows, columns] transposed; units of any
     * kind, and neither need be aligned. */
    void (*transpose)(void *to, size_t to_stride, const void *from, size_t from_stride, size_t rows,
                      size_t columns);
    /** A panel [units, width] of pairs of two bytes each becomes one of such numbers, [2 units, width]. */
    void (*split_pairs)(void *panel, size_t units, size_t width);

    /** One square on its way to the products: out[p * out_stride + c], for each of the (tile + 2)^2 points p,
     * from the channels [channels] of the (tile + 2)^2 pixels, row after row. */
    void (*winograd_in)(lancet_winograd tile, float *out, size_t out_stride, const float *const *pixels,
                        size_t channels);
    /** And back: the tile^2 pixels (average: a quarter of them), NULL for one that is not wanted, from
     * in[p * in_stride + c]. */
    void (*winograd_out)(lancet_winograd tile, float *const *pixels, const float *in, size_t in_stride,
                         size_t channels, const lancet_winograd_after *after);

    /** Conversions to float of IEEE half and bfloat16 numbers; `in` is only aligned to 1 byte. */
    void (*from_half)(float *out, const void *in, size_t count);
    void (*from_bfloat)(float *out, const void *in, size_t count);
} lancet_kernels;

/** The best table for this processor, or the lesser one that the environment variable LANCET_CPU (scalar,
 * avx2, avx512, avx512-bf16) asks for; decided once. */
const lancet_kernels *lancet_kernels_get(void);

/** A table by name; NULL if this processor cannot run it or the name is unknown. For tests. */
const lancet_kernels *lancet_kernels_named(const char *name);

extern const lancet_kernels lancet_kernels_scalar;
#if defined(__x86_64__)
extern const lancet_kernels lancet_kernels_avx2;
extern const lancet_kernels lancet_kernels_avx512;
extern const lancet_kernels lancet_kernels_avx512_bf16; /* with AVX512_BF16 and AVX512_VNNI */
#endif

#endif
