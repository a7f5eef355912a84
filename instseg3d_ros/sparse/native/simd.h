// Vectors as wide as the processor has, by compiler extensions: AVX-512, AVX, SSE and NEON from the same source.
#pragma once
#include <cstdint>
#include <cstring>

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

// A wish of four registers' depth: enough independent sums to hide the latency of a fused multiply-add.
constexpr int kMaxColumns = kRegisters >= 32 ? 3 : 2;            // vectors of output channels held at once
constexpr int kMaxRows = kRegisters >= 32 ? 8 : 4;               // rows held at once

template <class T>
inline Vector<T> load(const T *p) {
  return *reinterpret_cast<const typename Simd<T>::loose *>(p);
}
template <class T>
inline void store(T *p, Vector<T> v) {
  *reinterpret_cast<typename Simd<T>::loose *>(p) = v;
}
