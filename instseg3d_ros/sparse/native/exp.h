// The exponential function for x ≤ 0, of a number and of a vector. Compilers do not vectorize a loop over the former.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#include "simd.h"

namespace exponential {

// 2^n from its bits, the remainder by a polynomial (2 units in the last place). V: float or a vector of floats; I: int32 or a
// vector of as many int32.
template <class V, class I, class ToInt>
inline V of(V x, ToInt &&to_int) {
  const V n = (x * 1.44269504f + 12582912.0f) - 12582912.0f;  // rounds: 1.5 * 2^23 leaves no bits for a fraction
  const V r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  V p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const I bits = (to_int(n) + 127) << 23;
  V power;
  std::memcpy(&power, &bits, sizeof power);
  return p * power;
}

}  // namespace exponential

inline float exp_of(float x) {
  x = x < -87.0f ? -87.0f : x;  // NaN stays NaN
  return exponential::of<float, int32_t>(x, [](float n) { return int32_t(n); });
}

inline double exp_of(double x) { return std::exp(x); }

// For all lanes of a vector V of floats.
template <class V>
inline V exps_of(V x) {
  typedef int32_t Ints __attribute__((vector_size(sizeof(V))));
  const V least = V{} - 87.0f;
  x = x < least ? least : x;
  return exponential::of<V, Ints>(x, [](V n) { return __builtin_convertvector(n, Ints); });
}
