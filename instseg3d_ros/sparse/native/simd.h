// Vectors as wide as the processor has, by compiler extensions: AVX-512, AVX, SSE and NEON from the same source.
#pragma once
#include <cstdint>
#include <cstring>
#include <type_traits>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64, kRegisters = 32;
#elif defined(__AVX__)
constexpr int kVectorBytes = 32, kRegisters = 16;
#elif defined(__aarch64__)
constexpr int kVectorBytes = 16, kRegisters = 32;
#else
constexpr int kVectorBytes = 16, kRegisters = 16;
#endif

template <class T>
struct Simd {
  typedef T type __attribute__((vector_size(kVectorBytes)));
  typedef T loose __attribute__((vector_size(kVectorBytes), aligned(sizeof(T)), may_alias));
};
template <class T>
using Vector = typename Simd<T>::type;

template <class T>
constexpr int kLanes = kVectorBytes / int(sizeof(T));

// Rows and columns of the sums that registers hold at once, with registers left for weights and a broadcast value.
constexpr int kMaxColumns = kRegisters >= 32 ? 3 : 2;  // in vectors of output channels
constexpr int kMaxRows = kRegisters >= 32 ? 8 : 6;

// Calls f with `count`, 1 to N, as a constant, so that arrays of this size can stay in registers.
template <int N, class F>
inline void as_constant(int count, F &&f) {
  if constexpr (N > 0) {
    if (count == N) f(std::integral_constant<int, N>());
    else as_constant<N - 1>(count, f);
  }
}

template <class T>
inline Vector<T> load(const T *p) {
  return *reinterpret_cast<const typename Simd<T>::loose *>(p);
}
template <class T>
inline void store(T *p, Vector<T> v) {
  *reinterpret_cast<typename Simd<T>::loose *>(p) = v;
}

// Eight floats, in one register or two: the unit of search trees and sorted candidates on every processor.
constexpr int kHalf = kVectorBytes >= 32 ? 8 : 4;
typedef float Floats __attribute__((vector_size(kHalf * sizeof(float))));
typedef int32_t FloatsMask __attribute__((vector_size(kHalf * sizeof(int32_t))));

inline Floats load_floats(const float *p) {
  Floats v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

// Lane i becomes lane i ^ X.
template <int X, class V>
inline V exchanged(V v) {
#ifdef __clang__
  if constexpr (kHalf == 8)
    return __builtin_shufflevector(v, v, 0 ^ X, 1 ^ X, 2 ^ X, 3 ^ X, 4 ^ X, 5 ^ X, 6 ^ X, 7 ^ X);
  else return __builtin_shufflevector(v, v, 0 ^ X, 1 ^ X, 2 ^ X, 3 ^ X);
#else
  if constexpr (kHalf == 8) return __builtin_shuffle(v, FloatsMask{0 ^ X, 1 ^ X, 2 ^ X, 3 ^ X, 4 ^ X, 5 ^ X, 6 ^ X, 7 ^ X});
  else return __builtin_shuffle(v, FloatsMask{0 ^ X, 1 ^ X, 2 ^ X, 3 ^ X});
#endif
}

// Bit i is set where lane i of a comparison is true.
inline uint32_t bits_of(FloatsMask mask) {
#if defined(__AVX__)
  return uint32_t(_mm256_movemask_ps((__m256)mask));
#elif defined(__x86_64__)
  return uint32_t(_mm_movemask_ps((__m128)mask));
#elif defined(__aarch64__)
  const uint32x4_t weight = {1, 2, 4, 8};
  return vaddvq_u32(vandq_u32((uint32x4_t)mask, weight));
#else
  uint32_t bits = 0;
  for (int i = 0; i < kHalf; ++i) bits |= uint32_t(mask[i] & 1) << i;
  return bits;
#endif
}

// The number type of features and weights and how it is multiplied: for float and double a channel of a row with a vector of
// weights; for bfloat16 two channels with a vector of pairs of weights, summed in float.
struct Bf16 {
  uint16_t bits;
};

template <class X>
struct Arithmetic {
  typedef X Sum;
  static constexpr int kStep = 1;  // channels that are multiplied at once
  typedef X Value;
  typedef Vector<X> Weights;
  static Value value(const X *x) { return *x; }
  static Weights weights(const X *w) { return load(w); }
  static void add(Vector<X> &sum, Value value, Weights weights) { sum += value * weights; }
};

#ifdef __AVX512BF16__
template <>
struct Arithmetic<Bf16> {
  typedef float Sum;
  static constexpr int kStep = 2;
  typedef __m512bh Value;
  typedef __m512bh Weights;
  static Value value(const Bf16 *x) {
    int32_t two;
    std::memcpy(&two, x, sizeof two);
    return (Value)_mm512_set1_epi32(two);
  }
  static Weights weights(const Bf16 *w) { return (Weights)_mm512_loadu_si512(w); }
  static void add(Vector<float> &sum, Value value, Weights weights) {
    sum = (Vector<float>)_mm512_dpbf16_ps((__m512)sum, value, weights);
  }
};
#endif

// Rounds to nearest, ties to even; values must be finite.
inline Bf16 to_bf16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return {uint16_t((bits + 0x7FFF + (bits >> 16 & 1)) >> 16)};
}
