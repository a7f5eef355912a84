// Sparse convolution on a CPU: gathers, multiplies and adds without copying rows.
//
// Output rows are processed in tiles of kTile rows, whose sums stay in a small buffer in cache. For each offset, the tile's
// pairs (input row, output row) are processed kMaxRows at a time: their sums are in registers, each input channel is
// broadcast from its row, and the weights of the offset are read from cache. A single thread adds up each output value in a
// fixed order, by offset and then by input channel, so the result does not depend on the number of threads.
#include <algorithm>
#include <cstdlib>
#include <type_traits>

#include "kernel.h"
#include "parallel.h"
#include "product.h"
#include "tiles.h"

namespace {

// All pairs of a tile and an offset.
template <class X, int N, bool kFresh>
void segment(int64_t count, const int32_t *in, const uint8_t *out, const X *x, Sum<X> *sums, const X *w, int c_in) {
  const X *from[kMaxRows];
  Sum<X> *to[kMaxRows];
  int64_t i = 0;
  for (; i + kMaxRows <= count; i += kMaxRows) {
#pragma GCC unroll 16
    for (int r = 0; r < kMaxRows; ++r) {
      from[r] = x + int64_t(in[i + r]) * c_in;
      to[r] = sums + out[i + r] * (N * kLanes<Sum<X>>);
    }
    rows<X, kMaxRows, N, kFresh>(from, to, w, c_in);
  }
  for (int r = 0; i + r < count; ++r) {
    from[r] = x + int64_t(in[i + r]) * c_in;
    to[r] = sums + out[i + r] * (N * kLanes<Sum<X>>);
  }
  rest<X, N, kFresh>(int(count - i), from, to, w, c_in);
}

// A tile and N vectors of output channels; `sums` (kTile, N vectors) has the result.
template <class X, int N>
void tile(const Pairs &pairs, int64_t t, const X *x, const X *w, int c_in, Sum<X> *sums) {
  constexpr int kWide = N * kLanes<Sum<X>>;
  const int64_t first = t * kTile, step = int64_t(c_in) * kWide;
  const int count = int(std::min<int64_t>(kTile, pairs.rows_out - first));
  if (pairs.identity >= 0) {
    const X *from[kMaxRows], *center = w + pairs.identity * step;
    Sum<X> *to[kMaxRows];
    for (int i = 0; i < count; i += kMaxRows) {
      const int some = std::min(kMaxRows, count - i);
      for (int r = 0; r < some; ++r) from[r] = x + (first + i + r) * c_in, to[r] = sums + (i + r) * kWide;
      if (some == kMaxRows) rows<X, kMaxRows, N, true>(from, to, center, c_in);
      else rest<X, N, true>(some, from, to, center, c_in);
    }
  } else if (!pairs.complete) {
    std::memset(sums, 0, sizeof(Sum<X>) * count * kWide);
  }
  const int64_t *start = pairs.start + t * pairs.offsets;
  for (int o = 0; o < pairs.offsets; ++o) {
    const int64_t begin = start[o], many = start[o + 1] - begin;
    if (!many) continue;
    const int32_t *in = pairs.in + begin;
    const uint8_t *out = pairs.out + begin;
    if (pairs.complete) segment<X, N, true>(many, in, out, x, sums, w + o * step, c_in);
    else segment<X, N, false>(many, in, out, x, sums, w + o * step, c_in);
  }
}

template <class X>
void convolve(int64_t threads, const Pairs &pairs, const X *x, const X *packed, int c_in, Sum<X> *y, int c_out) {
  constexpr int L = kLanes<Sum<X>>;
  const Blocks cut = blocks<Sum<X>>(c_out);
  const int64_t tiles = (pairs.rows_out + kTile - 1) / kTile;
  const int64_t work = pairs.start[tiles * pairs.offsets] + (pairs.identity >= 0 ? pairs.rows_out : 0);
  parallel(worth(threads, work * c_in * cut.vectors), tiles * cut.count, [&](int64_t task) {
    const int64_t t = task / cut.count;
    const int b = int(task % cut.count), width = cut.width(b);
    alignas(64) Sum<X> sums[kTile * kMaxColumns * L];
    const X *w = packed + int64_t(cut.begin(b)) * L * c_in * pairs.offsets;
    as_constant<kMaxColumns>(width, [&](auto n) { tile<X, n()>(pairs, t, x, w, c_in, sums); });
    const int first = cut.begin(b) * L, wide = width * L, used = std::min(wide, c_out - first);
    const int64_t row = t * kTile, count = std::min<int64_t>(kTile, pairs.rows_out - row);
    for (int64_t r = 0; r < count; ++r)
      std::memcpy(y + (row + r) * c_out + first, sums + r * wide, sizeof(Sum<X>) * used);
  });
}

template <class X>
inline X rounded(Sum<X> value) {
  if constexpr (std::is_same_v<X, Bf16>) return to_bf16(value);
  else return value;
}

// Weights (c_out, offsets, c_in) -> blocks of output channels, each (offsets, c_in, width of the block), padded with zeros.
// If channels are multiplied in pairs, the two channels of a pair are adjacent: (offsets, c_in / 2, width, 2).
template <class X>
void pack(int64_t threads, const Sum<X> *weight, int c_out, int offsets, int c_in, X *packed) {
  constexpr int kStrip = 16;  // output channels that are read in parallel, each sequentially
  constexpr int kStep = Arithmetic<X>::kStep, L = kLanes<Sum<X>>;
  struct alignas(kStep * sizeof(X)) Group { X of[kStep]; };  // adjacent channels, moved together
  const Blocks cut = blocks<Sum<X>>(c_out);
  parallel(worth(threads, int64_t(c_out) * offsets * c_in), (cut.vectors * L + kStrip - 1) / kStrip, [&](int64_t strip) {
    alignas(64) X turned[kStrip][kStrip];  // (output channel, input channel)
    for (int b = 0; b < cut.count; ++b) {
      const int first = cut.begin(b) * L, wide = cut.width(b) * L;
      const int c0 = std::max(first, int(strip) * kStrip), c1 = std::min(first + wide, (int(strip) + 1) * kStrip);
      for (int o = 0; o < offsets && c0 < c1; ++o) {
        auto *to = reinterpret_cast<Group *>(packed + (int64_t(first) * offsets + int64_t(o) * wide) * c_in);
        for (int k0 = 0; k0 < c_in; k0 += kStrip) {
          const int count = std::min(kStrip, c_in - k0);
          for (int c = c0; c < c1; ++c) {
            const Sum<X> *from = weight + (int64_t(c) * offsets + o) * c_in + k0;
            for (int k = 0; k < count; ++k) turned[c - c0][k] = rounded<X>(c < c_out ? from[k] : Sum<X>(0));
          }
          for (int k = 0; k < count; k += kStep)
            for (int c = c0; c < c1; ++c)
              std::memcpy(to + (k0 + k) / kStep * int64_t(wide) + c - first, &turned[c - c0][k], sizeof(Group));
        }
      }
    }
  });
}

// The same for the gradient of the input: input and output channels are exchanged, and offsets mirrored if `mirror` is set.
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

template <class X>
void convolve_pairs(Threads threads, int64_t rows_out, int64_t offsets, int64_t identity, int64_t complete,
                    const int64_t *start, const int32_t *in, const uint8_t *out, const X *x, const X *packed, int64_t c_in,
                    Sum<X> *y, int64_t c_out) {
  const Pairs pairs{rows_out, int(offsets), int(identity), int(complete), start, in, out};
  convolve<X>(threads, pairs, x, packed, int(c_in), y, int(c_out));
}

template <class X>
void pack_weights(Threads threads, const Sum<X> *weight, int64_t c_out, int64_t offsets, int64_t c_in, X *packed) {
  pack<X>(threads, weight, int(c_out), int(offsets), int(c_in), packed);
}

template <class T>
void pack_transposed_weights(Threads threads, const T *weight, int64_t c_out, int64_t offsets, int64_t c_in, int64_t mirror,
                             T *packed) {
  pack_transposed<T>(threads, weight, int(c_out), int(offsets), int(c_in), int(mirror), packed);
}

template <class T>
int64_t lanes() { return kLanes<T>; }

#ifdef __AVX512BF16__
int64_t has_bf16() { return 1; }
#else
int64_t has_bf16() { return 0; }
#endif

}  // namespace

KERNEL(lanes_f32, lanes<float>)
KERNEL(lanes_f64, lanes<double>)
KERNEL(pack_f32, pack_weights<float>)
KERNEL(pack_f64, pack_weights<double>)
KERNEL(pack_transposed_f32, pack_transposed_weights<float>)
KERNEL(pack_transposed_f64, pack_transposed_weights<double>)
KERNEL(convolve_f32, convolve_pairs<float>)
KERNEL(convolve_f64, convolve_pairs<double>)
KERNEL(has_bf16, has_bf16)

#ifdef __AVX512BF16__
// x in bfloat16 with an even number of channels; y and the weights to be packed are float32.
KERNEL(pack_bf16, pack_weights<Bf16>)
KERNEL(convolve_bf16, convolve_pairs<Bf16>)
#endif
