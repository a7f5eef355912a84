// Products of a few rows with a matrix, with all sums in registers: the inner loop of convolutions and linear layers.
#pragma once
#include "simd.h"

template <class X>
using Sum = typename Arithmetic<X>::Sum;

// sums[r] (+)= x[r] * W for R rows; W is (c_in, N vectors).
template <class X, int R, int N, bool kFresh>
inline void rows(const X *const *x, Sum<X> *const *sums, const X *w, int c_in) {
  using A = Arithmetic<X>;
  constexpr int L = kLanes<Sum<X>>;
  Vector<Sum<X>> sum[R][N];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int n = 0; n < N; ++n) sum[r][n] = kFresh ? Vector<Sum<X>>{} : load(sums[r] + n * L);
  for (int k = 0; k < c_in; k += A::kStep, w += N * L * A::kStep) {
    typename A::Weights weights[N];
#pragma GCC unroll 4
    for (int n = 0; n < N; ++n) weights[n] = A::weights(w + n * L * A::kStep);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const typename A::Value value = A::value(x[r] + k);
#pragma GCC unroll 4
      for (int n = 0; n < N; ++n) A::add(sum[r][n], value, weights[n]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int n = 0; n < N; ++n) store(sums[r] + n * L, sum[r][n]);
}

// The same for fewer than kMaxRows rows.
template <class X, int N, bool kFresh>
inline void rest(int count, const X *const *x, Sum<X> *const *sums, const X *w, int c_in) {
  as_constant<kMaxRows - 1>(count, [&](auto r) { rows<X, r(), N, kFresh>(x, sums, w, c_in); });
}
