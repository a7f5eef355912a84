// Batch normalization and ReLU in a single pass over the rows, forward and backward; see normalization.py.
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernel.h"
#include "parallel.h"
#include "simd.h"

namespace {

constexpr int64_t kChunk = 256;  // rows that are summed in T; the sums of chunks are added in double, in order

int64_t chunks(int64_t n) { return (n + kChunk - 1) / kChunk; }

template <class V, class T>
inline V get(const T *p) {
  V v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <class V, class T>
inline void put(T *p, V v) {
  std::memcpy(p, &v, sizeof v);
}

// Calls body(first column, a value of the type to compute in) for whole vectors of columns, then for single columns, so that
// the body's values per column stay in registers for all rows.
template <class T, class Body>
inline void for_columns(int64_t c, Body &&body) {
  int64_t j = 0;
  for (; j + kLanes<T> <= c; j += kLanes<T>) body(j, Vector<T>{});
  for (; j < c; ++j) body(j, T{});
}

// mean (c) and biased variance (c) of x (n, c). Sums are over differences from a chunk's first row, so that a mean far from
// zero loses no digits; chunks are combined by the parallel formula of the variance.
template <class T>
void statistics(int64_t threads, int64_t n, int64_t c, const T *x, double *mean, double *variance) {
  std::vector<double> parts(size_t(chunks(n) * c * 2));
  parallel(worth(threads, n * c), chunks(n), [&](int64_t i) {
    const int64_t first = i * kChunk, last = std::min(n, first + kChunk);
    std::vector<T> sums(size_t(2 * c));
    for_columns<T>(c, [&](int64_t j, auto zero) {
      using V = decltype(zero);
      const T *row = x + first * c + j;
      const V base = get<V>(row);
      V sum{}, square{};
      for (int64_t r = first; r < last; ++r, row += c) {
        const V d = get<V>(row) - base;
        sum += d;
        square += d * d;
      }
      put(&sums[j], sum);
      put(&sums[c + j], square);
    });
    double *part = parts.data() + i * c * 2;
    for (int64_t j = 0; j < c; ++j) {
      part[j] = double(x[first * c + j]) + double(sums[j]) / double(last - first);
      part[c + j] = double(sums[c + j]) - double(sums[j]) * double(sums[j]) / double(last - first);
    }
  });
  for (int64_t j = 0; j < c; ++j) mean[j] = variance[j] = 0;
  for (int64_t i = 0; i < chunks(n); ++i) {
    const double before = double(i * kChunk), more = double(std::min(n, (i + 1) * kChunk)) - before;
    const double *part = parts.data() + i * c * 2;
    for (int64_t j = 0; j < c; ++j) {
      const double d = part[j] - mean[j];
      mean[j] += d * more / (before + more);
      variance[j] += part[c + j] + d * d * before * more / (before + more);
    }
  }
  for (int64_t j = 0; j < c; ++j) variance[j] /= double(n);
}

// y = max(0, x * scale + shift)
template <class T>
void apply(Threads threads, int64_t n, int64_t c, const T *x, const T *scale, const T *shift, T *y) {
  parallel(worth(threads, n * c), chunks(n), [&](int64_t i) {
    const int64_t first = i * kChunk, last = std::min(n, first + kChunk);
    for_columns<T>(c, [&](int64_t j, auto zero) {
      using V = decltype(zero);
      const V a = get<V>(scale + j), b = get<V>(shift + j);
      for (int64_t at = first * c + j; at < last * c; at += c) {
        const V v = get<V>(x + at) * a + b;
        put(y + at, v > zero ? v : zero);
      }
    });
  });
}

// The same with results in bfloat16, for convolutions in this precision.
void apply_rounded(Threads threads, int64_t n, int64_t c, const float *x, const float *scale, const float *shift, Bf16 *y) {
  parallel(worth(threads, n * c), chunks(n), [&](int64_t i) {
    for (int64_t r = i * kChunk; r < std::min(n, (i + 1) * kChunk); ++r) {
      const float *from = x + r * c;
      Bf16 *to = y + r * c;
      for (int64_t j = 0; j < c; ++j) to[j] = to_bf16(std::max(from[j] * scale[j] + shift[j], 0.0f));
    }
  });
}

// With g = dy where y > 0: d_bias = Σ g, d_weight = Σ g (x − mean) / std.
template <class T>
void parameter_gradients(int64_t threads, int64_t n, int64_t c, const T *x, const T *dy, const T *scale, const T *shift,
                         const T *mean, const T *inverse_std, T *d_weight, T *d_bias) {
  std::vector<double> parts(size_t(chunks(n) * c * 2));
  parallel(worth(threads, n * c), chunks(n), [&](int64_t i) {
    const int64_t first = i * kChunk, last = std::min(n, first + kChunk);
    std::vector<T> sums(size_t(2 * c));
    for_columns<T>(c, [&](int64_t j, auto zero) {
      using V = decltype(zero);
      const V a = get<V>(scale + j), b = get<V>(shift + j), m = get<V>(mean + j);
      V sum{}, weighted{};
      for (int64_t at = first * c + j; at < last * c; at += c) {
        const V v = get<V>(x + at), g = v * a + b > zero ? get<V>(dy + at) : zero;
        sum += g;
        weighted += g * (v - m);
      }
      put(&sums[j], sum);
      put(&sums[c + j], weighted);
    });
    std::copy(sums.begin(), sums.end(), parts.begin() + i * c * 2);
  });
  std::vector<double> total(size_t(2 * c));
  for (int64_t i = 0; i < chunks(n); ++i)
    for (int64_t j = 0; j < 2 * c; ++j) total[j] += parts[i * c * 2 + j];
  for (int64_t j = 0; j < c; ++j) d_bias[j] = T(total[j]), d_weight[j] = T(total[c + j] * inverse_std[j]);
}

// dx = scale (g − a − (x − mean) b), with a, b per channel (zero if the statistics are not of the batch).
template <class T>
void input_gradient(int64_t threads, int64_t n, int64_t c, const T *x, const T *dy, const T *scale, const T *shift,
                    const T *mean, const T *a, const T *b, T *dx) {
  parallel(worth(threads, n * c), chunks(n), [&](int64_t i) {
    const int64_t first = i * kChunk, last = std::min(n, first + kChunk);
    for_columns<T>(c, [&](int64_t j, auto zero) {
      using V = decltype(zero);
      const V s = get<V>(scale + j), t = get<V>(shift + j), m = get<V>(mean + j);
      const V per_one = get<V>(a + j), per_x = get<V>(b + j);
      for (int64_t at = first * c + j; at < last * c; at += c) {
        const V v = get<V>(x + at), g = v * s + t > zero ? get<V>(dy + at) : zero;
        put(dx + at, s * (g - per_one - (v - m) * per_x));
      }
    });
  });
}

// Forward pass of training. table (4, c): mean, 1 / std, scale, shift, stored for the backward pass.
template <class T>
void forward(Threads threads, int64_t n, int64_t c, const T *x, const T *weight, const T *bias, T *running_mean,
             T *running_var, double momentum, double eps, T *table, T *y) {
  std::vector<double> mean(c), variance(c);
  statistics<T>(threads, n, c, x, mean.data(), variance.data());
  for (int64_t j = 0; j < c; ++j) {
    const double inverse_std = 1 / std::sqrt(variance[j] + eps), scale = weight[j] * inverse_std;
    table[j] = T(mean[j]);
    table[c + j] = T(inverse_std);
    table[2 * c + j] = T(scale);
    table[3 * c + j] = T(bias[j] - mean[j] * scale);
    running_mean[j] = T(running_mean[j] + momentum * (mean[j] - running_mean[j]));
    running_var[j] = T(running_var[j] + momentum * (variance[j] * double(n) / double(n - 1) - running_var[j]));
  }
  apply<T>(threads, n, c, x, table + 2 * c, table + 3 * c, y);
}

template <class T>
void backward(Threads threads, int64_t n, int64_t c, const T *x, const T *dy, const T *table, int64_t of_batch, T *dx,
              T *d_weight, T *d_bias) {
  const T *mean = table, *inverse_std = table + c, *scale = table + 2 * c, *shift = table + 3 * c;
  parameter_gradients<T>(threads, n, c, x, dy, scale, shift, mean, inverse_std, d_weight, d_bias);
  if (!dx) return;
  std::vector<T> terms(size_t(2 * c));
  if (of_batch)
    for (int64_t j = 0; j < c; ++j) terms[j] = d_bias[j] / T(n), terms[c + j] = d_weight[j] * inverse_std[j] / T(n);
  input_gradient<T>(threads, n, c, x, dy, scale, shift, mean, terms.data(), terms.data() + c, dx);
}

}  // namespace

KERNEL(apply_f32, apply<float>)
KERNEL(apply_f64, apply<double>)
KERNEL(apply_bf16, apply_rounded)
KERNEL(forward_f32, forward<float>)
KERNEL(forward_f64, forward<double>)
KERNEL(backward_f32, backward<float>)
KERNEL(backward_f64, backward<double>)
