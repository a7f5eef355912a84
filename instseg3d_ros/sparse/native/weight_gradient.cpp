// Gradient of a convolution's weights on a CPU: for each offset the sum over its pairs of x[in]ᵀ dy[out].
//
// A block of the result stays in registers for all pairs of a tile.
#include <algorithm>
#include <cstdlib>

#include "kernel.h"
#include "parallel.h"
#include "tiles.h"

namespace {

template <class X>
using Sum = typename Arithmetic<X>::Sum;

#ifdef __AVX512BF16__
// Interleaves sixteen numbers of two rows in pairs.
inline __m512bh interleave(const Bf16 *a, const Bf16 *b) {
  const __m512i low = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)a));
  const __m512i high = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)b));
  return (__m512bh)_mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}
#endif

template <class T>
struct AlignedBuffer {
  T *data;
  explicit AlignedBuffer(size_t count) : data(static_cast<T *>(std::aligned_alloc(64, (count * sizeof(T) + 63) / 64 * 64))) {
    if (!data) throw std::bad_alloc();
  }
  ~AlignedBuffer() { std::free(data); }
  AlignedBuffer(const AlignedBuffer &) = delete;
};

// sums (K rows of N vectors, `pitch` apart) += Σ over the pairs of x[in][0..K)ᵀ dy[out][N vectors].
template <class X, int K, int N>
void outer(int64_t count, const int32_t *in, const uint8_t *out, const X *x, int64_t x_stride, const X *dy, int64_t dy_stride,
           Sum<X> *sums, int64_t pitch) {
  constexpr int L = kLanes<Sum<X>>;
  Vector<Sum<X>> sum[K][N];
#pragma GCC unroll 16
  for (int k = 0; k < K; ++k)
#pragma GCC unroll 4
    for (int n = 0; n < N; ++n) sum[k][n] = load(sums + k * pitch + n * L);
  const auto row_x = [&](int64_t i) { return x + (in ? in[i] : i) * x_stride; };
  const auto row_dy = [&](int64_t i) { return dy + (out ? out[i] : i) * dy_stride; };
#ifdef __AVX512BF16__
  if constexpr (Arithmetic<X>::kStep == 2) {  // two pairs at once
    static const X zeros[64] = {};
    for (int64_t i = 0; i < count; i += 2) {
      const bool both = i + 1 < count;
      const X *from = row_x(i), *to = row_dy(i), *from_next = both ? row_x(i + 1) : from, *to_next = both ? row_dy(i + 1) : zeros;
      __m512bh g[N];
#pragma GCC unroll 4
      for (int n = 0; n < N; ++n) g[n] = interleave(to + n * L, to_next + n * L);
      alignas(32) uint32_t value[8];
      if constexpr (K == 8) {
        const __m128i one = _mm_loadu_si128((const __m128i *)from), next = _mm_loadu_si128((const __m128i *)from_next);
        _mm_store_si128((__m128i *)value, _mm_unpacklo_epi16(one, next));
        _mm_store_si128((__m128i *)value + 1, _mm_unpackhi_epi16(one, next));
      } else {
        for (int k = 0; k < K; ++k) value[k] = uint32_t(from[k].bits) | uint32_t(from_next[k].bits) << 16;
      }
#pragma GCC unroll 16
      for (int k = 0; k < K; ++k)
#pragma GCC unroll 4
        for (int n = 0; n < N; ++n)
          sum[k][n] = (Vector<float>)_mm512_dpbf16_ps((__m512)sum[k][n], g[n], (__m512bh)_mm512_set1_epi32(int(value[k])));
    }
  } else
#endif
    for (int64_t i = 0; i < count; ++i) {
      const X *from = row_x(i), *to = row_dy(i);
      Vector<Sum<X>> g[N];
#pragma GCC unroll 4
      for (int n = 0; n < N; ++n) g[n] = load(to + n * L);
#pragma GCC unroll 16
      for (int k = 0; k < K; ++k)
#pragma GCC unroll 4
        for (int n = 0; n < N; ++n) sum[k][n] += from[k] * g[n];
    }
#pragma GCC unroll 16
  for (int k = 0; k < K; ++k)
#pragma GCC unroll 4
    for (int n = 0; n < N; ++n) store(sums + k * pitch + n * L, sum[k][n]);
}

template <class X, int N>
void outer_channels(int64_t count, const int32_t *in, const uint8_t *out, const X *x, int64_t x_stride, int c_in, const X *dy,
                    int64_t dy_stride, Sum<X> *sums, int64_t pitch) {
  int k = 0;
  for (; k + kMaxRows <= c_in; k += kMaxRows)
    outer<X, kMaxRows, N>(count, in, out, x + k, x_stride, dy, dy_stride, sums + k * pitch, pitch);
  as_constant<kMaxRows - 1>(c_in - k, [&](auto left) {
    outer<X, left(), N>(count, in, out, x + k, x_stride, dy, dy_stride, sums + k * pitch, pitch);
  });
}

// dy is (rows_out, c_pad) with c_pad a multiple of the lanes. Each chunk of tiles has its sums, which are added in order; the
// number of chunks depends only on the sizes, so the result does not depend on the number of threads.
template <class X>
void weight_gradient(int64_t threads, const Pairs &pairs, const X *x, int c_in, const X *dy, int c_pad, int c_out, Sum<X> *dw) {
  using T = Sum<X>;
  const int64_t tiles = (pairs.rows_out + kTile - 1) / kTile;
  const int64_t one = int64_t(pairs.offsets) * c_in * c_pad;
  int64_t chunks = (tiles + 7) / 8;                                         // 2048 rows
  chunks = std::max<int64_t>(1, std::min(chunks, (int64_t(8) << 20) / one));  // at most 8 Mi sums in total
  AlignedBuffer<T> parts(size_t(chunks * one));
  constexpr int kGroup = 64;  // input channels per task
  const int groups = (c_in + kGroup - 1) / kGroup;
  const Blocks cut(c_pad / kLanes<T>);
  const int64_t work = pairs.start[tiles * pairs.offsets] + (pairs.identity >= 0 ? pairs.rows_out : 0);
  parallel(worth(threads, work * c_in * cut.vectors + one), chunks * pairs.offsets * groups, [&](int64_t task) {
    const int64_t chunk = task / (pairs.offsets * groups);
    const int o = int(task / groups % pairs.offsets), k0 = int(task % groups) * kGroup, some = std::min(kGroup, c_in - k0);
    T *part = parts.data + chunk * one + (int64_t(o) * c_in + k0) * c_pad;
    std::memset(part, 0, sizeof(T) * some * c_pad);
    for (int64_t t = tiles * chunk / chunks; t < tiles * (chunk + 1) / chunks; ++t) {
      const int64_t row = t * kTile, begin = pairs.start[t * pairs.offsets + o];
      const bool dense = o == pairs.identity;
      const int64_t many =
          dense ? std::min<int64_t>(kTile, pairs.rows_out - row) : pairs.start[t * pairs.offsets + o + 1] - begin;
      if (!many) continue;
      const int32_t *in = dense ? nullptr : pairs.in + begin;
      const uint8_t *out = dense ? nullptr : pairs.out + begin;
      const X *from = x + k0 + (dense ? row * c_in : 0), *to = dy + row * c_pad;
      for (int b = 0; b < cut.count; ++b) {
        const int64_t c = cut.begin(b) * kLanes<T>;
        as_constant<kMaxColumns>(cut.width(b), [&](auto n) {
          outer_channels<X, n()>(many, in, out, from, c_in, some, to + c, c_pad, part + c, c_pad);
        });
      }
    }
  });
  if (chunks > 1)
    parallel(worth(threads, one * chunks), (one + 8191) / 8192, [&](int64_t task) {
      for (int64_t chunk = 1; chunk < chunks; ++chunk)
        for (int64_t i = task * 8192; i < std::min(one, (task + 1) * 8192); ++i) parts.data[i] += parts.data[chunk * one + i];
    });
  // (offsets, c_in, c_pad) -> (c_out, offsets, c_in), sixteen rows of the result in parallel, each sequentially
  parallel(worth(threads, one), (c_out + 15) / 16, [&](int64_t strip) {
    const int c0 = int(strip) * 16, c1 = std::min(c0 + 16, c_out);
    for (int o = 0; o < pairs.offsets; ++o)
      for (int k0 = 0; k0 < c_in; k0 += 16) {
        const int k1 = std::min(k0 + 16, c_in);
        const T *from = parts.data + int64_t(o) * c_in * c_pad;
        for (int c = c0; c < c1; ++c)
          for (int k = k0; k < k1; ++k) dw[(int64_t(c) * pairs.offsets + o) * c_in + k] = from[int64_t(k) * c_pad + c];
      }
  });
}

template <class X>
void weight_gradient_of_pairs(Threads threads, int64_t rows_out, int64_t offsets, int64_t identity, int64_t complete,
                              const int64_t *start, const int32_t *in, const uint8_t *out, const X *x, int64_t c_in,
                              const X *dy, int64_t c_pad, int64_t c_out, Sum<X> *dw) {
  const Pairs pairs{rows_out, int(offsets), int(identity), int(complete), start, in, out};
  weight_gradient<X>(threads, pairs, x, int(c_in), dy, int(c_pad), int(c_out), dw);
}

}  // namespace

KERNEL(weight_gradient_f32, weight_gradient_of_pairs<float>)
KERNEL(weight_gradient_f64, weight_gradient_of_pairs<double>)
#ifdef __AVX512BF16__
KERNEL(weight_gradient_bf16, weight_gradient_of_pairs<Bf16>)
#endif
