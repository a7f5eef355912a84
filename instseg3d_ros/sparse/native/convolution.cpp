// Sparse convolution on a CPU: gather, multiply, add, without moving a row.
//
// Output rows are worked on in tiles of kTile. A tile's sums stay in a small buffer in cache while, offset by offset, the
// pairs (input row, output row) of the tile are taken kMaxRows at a time: their sums go to registers, the input channels
// are broadcast one by one from where the rows lie, the weights of the offset stream by from cache. Every output value is
// added up by one thread in one order: by offset, then by input channel, whatever the number of threads.
#include <algorithm>
#include <cstdlib>

#include "parallel.h"
#include "simd.h"

namespace {

constexpr int kTile = 256;

// The pairs of all tiles: those of tile t and offset o are [start[t * offsets + o], start[t * offsets + o + 1]).
struct Pairs {
  int64_t rows_out;
  int offsets;
  int identity;  // offset that joins every row with itself and has no pairs listed; -1 if there is none
  int complete;  // 1 if every output row occurs in exactly one pair
  const int64_t *start;
  const int32_t *in;   // input row
  const uint8_t *out;  // output row within the tile
};

template <class T>
struct AlignedBuffer {
  T *data;
  explicit AlignedBuffer(size_t count) : data(static_cast<T *>(std::aligned_alloc(64, (count * sizeof(T) + 63) / 64 * 64))) {}
  ~AlignedBuffer() { std::free(data); }
  AlignedBuffer(const AlignedBuffer &) = delete;
};

// sums[r] (+)= x[r] * W for R rows; W is (c_in, N vectors).
template <class T, int R, int N, bool kFresh>
inline void rows(const T *const *x, T *const *sums, const T *w, int c_in) {
  constexpr int L = kLanes<T>;
  Vector<T> sum[R][N];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int n = 0; n < N; ++n) sum[r][n] = kFresh ? Vector<T>{} : load(sums[r] + n * L);
  for (int k = 0; k < c_in; ++k, w += N * L) {
    Vector<T> weight[N];
#pragma GCC unroll 4
    for (int n = 0; n < N; ++n) weight[n] = load(w + n * L);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
      for (int n = 0; n < N; ++n) sum[r][n] += x[r][k] * weight[n];
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int n = 0; n < N; ++n) store(sums[r] + n * L, sum[r][n]);
}

template <class T, int N, bool kFresh>
inline void rest(int count, const T *const *x, T *const *sums, const T *w, int c_in) {
  switch (count) {
    case 1: return rows<T, 1, N, kFresh>(x, sums, w, c_in);
    case 2: return rows<T, 2, N, kFresh>(x, sums, w, c_in);
    case 3: return rows<T, 3, N, kFresh>(x, sums, w, c_in);
    case 4: return rows<T, 4 < kMaxRows ? 4 : 1, N, kFresh>(x, sums, w, c_in);
    case 5: return rows<T, 5 < kMaxRows ? 5 : 1, N, kFresh>(x, sums, w, c_in);
    case 6: return rows<T, 6 < kMaxRows ? 6 : 1, N, kFresh>(x, sums, w, c_in);
    case 7: return rows<T, 7 < kMaxRows ? 7 : 1, N, kFresh>(x, sums, w, c_in);
  }
}

// All pairs of one tile and offset.
template <class T, int N, bool kFresh>
void segment(int64_t count, const int32_t *in, const uint8_t *out, const T *x, int64_t stride, T *sums, const T *w, int c_in) {
  const T *from[kMaxRows];
  T *to[kMaxRows];
  int64_t i = 0;
  for (; i + kMaxRows <= count; i += kMaxRows) {
#pragma GCC unroll 16
    for (int r = 0; r < kMaxRows; ++r) {
      from[r] = x + in[i + r] * stride;
      to[r] = sums + out[i + r] * (N * kLanes<T>);
    }
    rows<T, kMaxRows, N, kFresh>(from, to, w, c_in);
  }
  for (int r = 0; i + r < count; ++r) {
    from[r] = x + in[i + r] * stride;
    to[r] = sums + out[i + r] * (N * kLanes<T>);
  }
  rest<T, N, kFresh>(int(count - i), from, to, w, c_in);
}

// One tile, N vectors of output channels: sums (kTile, N vectors) are left in `sums`.
template <class T, int N>
void tile(const Pairs &pairs, int64_t t, const T *x, int64_t stride, const T *w, int c_in, T *sums) {
  const int64_t first = t * kTile;
  const int count = int(std::min<int64_t>(kTile, pairs.rows_out - first));
  const int64_t step = int64_t(c_in) * N * kLanes<T>;
  if (pairs.identity >= 0) {
    const T *from[kMaxRows];
    T *to[kMaxRows];
    const T *center = w + pairs.identity * step;
    for (int i = 0; i < count; i += kMaxRows) {
      const int some = std::min(kMaxRows, count - i);
      for (int r = 0; r < some; ++r) from[r] = x + (first + i + r) * stride, to[r] = sums + (i + r) * (N * kLanes<T>);
      if (some == kMaxRows) rows<T, kMaxRows, N, true>(from, to, center, c_in);
      else rest<T, N, true>(some, from, to, center, c_in);
    }
  } else if (!pairs.complete) {
    std::memset(sums, 0, sizeof(T) * count * N * kLanes<T>);
  }
  const int64_t *start = pairs.start + t * pairs.offsets;
  for (int o = 0; o < pairs.offsets; ++o) {
    const int64_t begin = start[o], many = start[o + 1] - begin;
    if (!many) continue;
    if (pairs.complete) segment<T, N, true>(many, pairs.in + begin, pairs.out + begin, x, stride, sums, w + o * step, c_in);
    else segment<T, N, false>(many, pairs.in + begin, pairs.out + begin, x, stride, sums, w + o * step, c_in);
  }
}

// How the output channels are cut into blocks of at most kMaxColumns vectors, as even as can be.
struct Blocks {
  int vectors, count;
  explicit Blocks(int vectors) : vectors(vectors), count((vectors + kMaxColumns - 1) / kMaxColumns) {}
  int begin(int b) const { return int(int64_t(vectors) * b / count); }
  int width(int b) const { return begin(b + 1) - begin(b); }
};

template <class T>
Blocks blocks(int channels) { return Blocks((channels + kLanes<T> - 1) / kLanes<T>); }

template <class T>
void convolve(int64_t threads, const Pairs &pairs, const T *x, int64_t stride, const T *packed, int c_in, T *y, int c_out) {
  const Blocks cut = blocks<T>(c_out);
  const int64_t tiles = (pairs.rows_out + kTile - 1) / kTile;
  const int64_t work = pairs.start[tiles * pairs.offsets] + (pairs.identity >= 0 ? pairs.rows_out : 0);
  parallel(worth(threads, work * c_in * cut.vectors), tiles * cut.count, [&](int64_t task) {
    const int64_t t = task / cut.count;
    const int b = int(task % cut.count), width = cut.width(b);
    alignas(64) T sums[kTile * kMaxColumns * kLanes<T>];
    const T *w = packed + int64_t(cut.begin(b)) * kLanes<T> * c_in * pairs.offsets;
    if (width == 1) tile<T, 1>(pairs, t, x, stride, w, c_in, sums);
    else if (width == 2) tile<T, 2>(pairs, t, x, stride, w, c_in, sums);
    else if constexpr (kMaxColumns > 2) tile<T, 3>(pairs, t, x, stride, w, c_in, sums);
    const int first = cut.begin(b) * kLanes<T>, wide = width * kLanes<T>, used = std::min(wide, c_out - first);
    const int64_t row = t * kTile, count = std::min<int64_t>(kTile, pairs.rows_out - row);
    for (int64_t r = 0; r < count; ++r) std::memcpy(y + (row + r) * c_out + first, sums + r * wide, sizeof(T) * used);
  });
}

// Weights (c_out, offsets, c_in) -> blocks of output channels, each (offsets, c_in, width of the block), zeros at the end.
template <class T>
void pack(int64_t threads, const T *weight, int c_out, int offsets, int c_in, T *packed) {
  const Blocks cut = blocks<T>(c_out);
  constexpr int kStrip = 16;  // output channels that are read side by side, each from front to back
  const int strips = (cut.vectors * kLanes<T> + kStrip - 1) / kStrip;
  parallel(worth(threads, int64_t(c_out) * offsets * c_in), strips, [&](int64_t strip) {
    for (int b = 0; b < cut.count; ++b) {
      const int first = cut.begin(b) * kLanes<T>, wide = cut.width(b) * kLanes<T>;
      const int c0 = std::max(first, int(strip) * kStrip), c1 = std::min(first + wide, (int(strip) + 1) * kStrip);
      if (c0 >= c1) continue;
      for (int o = 0; o < offsets; ++o) {
        T *to = packed + (int64_t(first) * offsets + int64_t(o) * wide) * c_in - first;
        for (int k0 = 0; k0 < c_in; k0 += kStrip) {
          const int k1 = std::min(k0 + kStrip, c_in);
          for (int c = c0; c < c1; ++c) {
            const T *from = weight + (int64_t(c) * offsets + o) * c_in;
            for (int k = k0; k < k1; ++k) to[int64_t(k) * wide + c] = c < c_out ? from[k] : T(0);
          }
        }
      }
    }
  });
}

// The same for the gradient of the input: channels change places, and offsets are mirrored where `mirror` says so.
template <class T>
void pack_transposed(int64_t threads, const T *weight, int c_out, int offsets, int c_in, int mirror, T *packed) {
  const Blocks cut = blocks<T>(c_in);
  threads = worth(threads, int64_t(c_out) * offsets * c_in / 4);
  parallel(threads, int64_t(cut.count) * offsets, [&](int64_t task) {
    const int b = int(task / offsets), o = int(task % offsets);
    const int first = cut.begin(b) * kLanes<T>, wide = cut.width(b) * kLanes<T>, used = std::min(wide, c_in - first);
    T *to = packed + (int64_t(first) * offsets + int64_t(o) * wide) * c_out;
    const T *from = weight + int64_t(mirror ? offsets - 1 - o : o) * c_in + first;
    for (int k = 0; k < c_out; ++k, to += wide, from += int64_t(offsets) * c_in) {
      std::memcpy(to, from, sizeof(T) * used);
      std::memset(to + used, 0, sizeof(T) * (wide - used));
    }
  });
}

// ---- gradient of the weights: for each offset the sum over its pairs of x[in]ᵀ dy[out] ----

// sums (K rows of N vectors, `pitch` apart) += Σ over the pairs of x[in][0..K)ᵀ dy[out][N vectors].
template <class T, int K, int N>
void outer(int64_t count, const int32_t *in, const uint8_t *out, const T *x, int64_t x_stride, const T *dy, int64_t dy_stride,
           T *sums, int64_t pitch) {
  constexpr int L = kLanes<T>;
  Vector<T> sum[K][N];
#pragma GCC unroll 16
  for (int k = 0; k < K; ++k)
#pragma GCC unroll 4
    for (int n = 0; n < N; ++n) sum[k][n] = load(sums + k * pitch + n * L);
  for (int64_t i = 0; i < count; ++i) {
    const T *from = x + (in ? in[i] : i) * x_stride, *to = dy + (out ? out[i] : i) * dy_stride;
    Vector<T> g[N];
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

template <class T, int N>
void outer_channels(int64_t count, const int32_t *in, const uint8_t *out, const T *x, int64_t x_stride, int c_in, const T *dy,
                    int64_t dy_stride, T *sums, int64_t pitch) {
  constexpr int K = kMaxRows;
  int k = 0;
  for (; k + K <= c_in; k += K) outer<T, K, N>(count, in, out, x + k, x_stride, dy, dy_stride, sums + k * pitch, pitch);
  for (; k + 4 <= c_in; k += 4) outer<T, 4, N>(count, in, out, x + k, x_stride, dy, dy_stride, sums + k * pitch, pitch);
  for (; k < c_in; ++k) outer<T, 1, N>(count, in, out, x + k, x_stride, dy, dy_stride, sums + k * pitch, pitch);
}

// dy is (rows_out, c_pad) with c_pad a multiple of the lanes. Tiles are shared out in chunks whose sums are kept apart and
// added in order; how many chunks depends on the sizes alone, so the result does not depend on the threads.
template <class T>
void weight_gradient(int64_t threads, const Pairs &pairs, const T *x, int c_in, const T *dy, int c_pad, int c_out, T *dw) {
  const int64_t tiles = (pairs.rows_out + kTile - 1) / kTile;
  const int64_t one = int64_t(pairs.offsets) * c_in * c_pad;
  int64_t chunks = (tiles + 7) / 8;                                         // 2048 rows
  chunks = std::max<int64_t>(1, std::min(chunks, (int64_t(8) << 20) / one));  // at most 8 Mi sums in all
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
      const T *from = x + k0 + (dense ? row * c_in : 0), *to = dy + row * c_pad;
      for (int b = 0; b < cut.count; ++b) {
        const int64_t c = cut.begin(b) * kLanes<T>;
        if (cut.width(b) == 1) outer_channels<T, 1>(many, in, out, from, c_in, some, to + c, c_pad, part + c, c_pad);
        else if (cut.width(b) == 2) outer_channels<T, 2>(many, in, out, from, c_in, some, to + c, c_pad, part + c, c_pad);
        else if constexpr (kMaxColumns > 2)
          outer_channels<T, 3>(many, in, out, from, c_in, some, to + c, c_pad, part + c, c_pad);
      }
    }
  });
  // (chunks, offsets, c_in, c_pad) -> (c_out, offsets, c_in)
  const int strips = (c_in + 15) / 16;
  parallel(worth(threads, one), int64_t(pairs.offsets) * strips, [&](int64_t task) {
    const int o = int(task / strips), k0 = int(task % strips) * 16, k1 = std::min(k0 + 16, c_in);
    T *first = parts.data + int64_t(o) * c_in * c_pad;
    for (int k = k0; k < k1; ++k)
      for (int64_t chunk = 1; chunk < chunks; ++chunk)
        for (int c = 0; c < c_pad; ++c) first[k * c_pad + c] += first[chunk * one + k * c_pad + c];
    for (int c = 0; c < c_out; ++c)
      for (int k = k0; k < k1; ++k) dw[(int64_t(c) * pairs.offsets + o) * c_in + k] = first[k * c_pad + c];
  });
}

}  // namespace

#define EXPORT(T, NAME)                                                                                                 \
  extern "C" int64_t lanes_##NAME() { return kLanes<T>; }                                                               \
  extern "C" void pack_##NAME(int64_t threads, const T *w, int64_t c_out, int64_t offsets, int64_t c_in, T *packed) {   \
    pack<T>(threads, w, c_out, offsets, c_in, packed);                                                                  \
  }                                                                                                                     \
  extern "C" void pack_transposed_##NAME(int64_t threads, const T *w, int64_t c_out, int64_t offsets, int64_t c_in,     \
                                         int64_t mirror, T *packed) {                                                   \
    pack_transposed<T>(threads, w, c_out, offsets, c_in, mirror, packed);                                               \
  }                                                                                                                     \
  extern "C" void convolve_##NAME(int64_t threads, int64_t rows_out, int64_t offsets, int64_t identity,                 \
                                  int64_t complete, const int64_t *start, const int32_t *in, const uint8_t *out,        \
                                  const T *x, const T *packed, int64_t c_in, T *y, int64_t c_out) {                     \
    convolve<T>(threads, {rows_out, int(offsets), int(identity), int(complete), start, in, out}, x, c_in, packed, c_in, \
                y, c_out);                                                                                              \
  }                                                                                                                     \
  extern "C" void weight_gradient_##NAME(int64_t threads, int64_t rows_out, int64_t offsets, int64_t identity,          \
                                         int64_t complete, const int64_t *start, const int32_t *in, const uint8_t *out, \
                                         const T *x, int64_t c_in, const T *dy, int64_t c_pad, int64_t c_out, T *dw) {  \
    weight_gradient<T>(threads, {rows_out, int(offsets), int(identity), int(complete), start, in, out}, x, c_in, dy,    \
                       c_pad, c_out, dw);                                                                               \
  }

EXPORT(float, f32)
EXPORT(double, f64)
