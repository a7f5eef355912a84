// Vectors as wide as the processor has, by compiler extensions: AVX-512, AVX, SSE and NEON from the same source.
#pragma once
#include <cstdint>
#include <cstring>
#include <type_traits>

#ifdef __AVX512BF16__
#include <immintrin.h>
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

// Rows times columns of sums that are held in registers at once, with room left for weights and a broadcast value.
constexpr int kMaxColumns = kRegisters >= 32 ? 3 : 2;  // in vectors of output channels
constexpr int kMaxRows = kRegisters >= 32 ? 8 : 6;

// Calls f with `count`, 1 to N, as a constant: what it sizes can then stay in registers.
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

// What features and weights are made of, and how they are multiplied: one channel of a row with a vector of weights for
// float and double; for bfloat16 two channels with a vector of pairs of weights, summed in float.
struct Bf16 {
  uint16_t bits;
};

template <class X>
struct Arithmetic {
  typedef X Sum;
  static constexpr int kStep = 1;  // channels at a time
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

// Rounded to the nearest, ties to even; values are finite.
inline Bf16 to_bf16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return {uint16_t((bits + 0x7FFF + (bits >> 16 & 1)) >> 16)};
}
