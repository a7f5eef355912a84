// Attention over k neighbours, forward and backward; see attention.py for the equations.
//
// Only an edge's weight and the gradient of its score are stored: computing the hidden layer of an edge again costs less
// than reading it from memory.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>
#include <vector>

#include "exp.h"
#include "kernel.h"
#include "parallel.h"

namespace {

constexpr int64_t kChunk = 512;

// Replaces w (k) by exp(w − max w).
inline void exponentials(double *w, int64_t k, double highest) {
  for (int64_t j = 0; j < k; ++j) w[j] = exp_of(w[j] - highest);
}
inline void exponentials(float *w, int64_t k, float highest) {
  int64_t j = 0;
  for (; j + kHalf <= k; j += kHalf) {
    const Floats powers = exps_of(load_floats(w + j) - highest);
    std::memcpy(w + j, &powers, sizeof powers);
  }
  for (; j < k; ++j) w[j] = exp_of(w[j] - highest);
}

// A row of channels. If their number is a fixed power of two, as in the paper's network, it is a single vector.
template <class T, int N>
struct Row {
  typedef T V __attribute__((vector_size(N * sizeof(T))));
  V v;
  Row(const T *p, int64_t) { std::memcpy(&v, p, sizeof v); }
  explicit Row(int64_t) : v{} {}
  void store(T *p) const { std::memcpy(p, &v, sizeof v); }
  T operator[](int64_t i) const { return v[i]; }
  Row operator+(const Row &o) const { return Row(v + o.v); }
  Row operator*(const Row &o) const { return Row(v * o.v); }
  Row above(const Row &o) const { return Row(v > V{} ? o.v : V{}); }  // o where this is positive, else zero
  void add(T a, const Row &o) { v += a * o.v; }
  T sum() const { return fold<N / 2>(v); }
  Row like(T a) const { return Row(V{} + a); }

 private:
  explicit Row(V v) : v(v) {}
  template <int Half>
  static T fold(V v) {
    typedef std::conditional_t<sizeof(T) == 4, int32_t, int64_t> I;
    typedef I Index __attribute__((vector_size(N * sizeof(T))));
    Index index;
    for (int i = 0; i < N; ++i) index[i] = I(i ^ Half);
#ifdef __clang__
    V other;
    for (int i = 0; i < N; ++i) other[i] = v[index[i]];
    v += other;
#else
    v += __builtin_shuffle(v, index);
#endif
    if constexpr (Half > 1) return fold<Half / 2>(v);
    else return v[0];
  }
};

// A row with any number of channels up to kMost.
constexpr int64_t kMost = 64;
template <class T>
struct Row<T, 0> {
  T v[kMost];
  int64_t n;
  Row(const T *p, int64_t n) : n(n) { std::copy(p, p + n, v); }
  explicit Row(int64_t n) : n(n) { std::fill(v, v + n, T(0)); }
  void store(T *p) const { std::copy(v, v + n, p); }
  T operator[](int64_t i) const { return v[i]; }
  template <class Op>
  Row with(Op &&op) const {
    Row r(n);
    for (int64_t i = 0; i < n; ++i) r.v[i] = op(i);
    return r;
  }
  Row operator+(const Row &o) const { return with([&](int64_t i) { return v[i] + o.v[i]; }); }
  Row operator*(const Row &o) const { return with([&](int64_t i) { return v[i] * o.v[i]; }); }
  Row above(const Row &o) const { return with([&](int64_t i) { return v[i] > 0 ? o.v[i] : T(0); }); }
  Row like(T a) const { return with([&](int64_t) { return a; }); }
  void add(T a, const Row &o) {
    for (int64_t i = 0; i < n; ++i) v[i] += a * o.v[i];
  }
  T sum() const {
    T total = 0;
    for (int64_t i = 0; i < n; ++i) total += v[i];
    return total;
  }
};

template <int F, int H>
struct Sizes {
  int64_t f, h;
  int64_t features() const { return F ? F : f; }  // a constant for the compiler if F is fixed
  int64_t hidden() const { return H ? H : h; }
  template <class T>
  using Features = Row<T, F>;
  template <class T>
  using Hidden = Row<T, H>;
};

template <class Call>
inline void with_sizes(int64_t f, int64_t h, Call &&call) {
  if (f == 4 && h == 8) call(Sizes<4, 8>{f, h});
  else call(Sizes<0, 0>{f, h});
}

// weight (n, k) and y (n, f)
template <class T, class S>
void forward(int64_t threads, S size, int64_t n, int64_t k, const int64_t *near, const T *x, const T *center,
             const T *neighbor, const T *score, T *weight, T *y) {
  using Features = typename S::template Features<T>;
  using Hidden = typename S::template Hidden<T>;
  const int64_t F = size.f, H = size.h;
  parallel(worth(threads, n * k * (F + H)), (n + kChunk - 1) / kChunk, [&](int64_t task) {
    const Hidden scores(score, H);
    for (int64_t i = task * kChunk; i < std::min(n, (task + 1) * kChunk); ++i) {
      const int64_t *row = near + i * k;
      const Hidden own(center + i * H, H);
      T *w = weight + i * k, highest = -INFINITY, total = 0;
      for (int64_t j = 0; j < k; ++j) {
        const Hidden sent = own + Hidden(neighbor + row[j] * H, H);
        w[j] = sent.above(sent * scores).sum();
        highest = std::max(highest, w[j]);
      }
      exponentials(w, k, highest);
      for (int64_t j = 0; j < k; ++j) total += w[j];
      const T part = 1 / total;
      Features sum(F);
      for (int64_t j = 0; j < k; ++j) sum.add(w[j] *= part, Features(x + row[j] * F, F));
      sum.store(y + i * F);
    }
  });
}

// Row r of a matrix (rows, n).
template <class R, class T>
std::vector<R> rows_of(const T *matrix, int64_t many, int64_t n) {
  std::vector<R> rows;
  for (int64_t r = 0; r < many; ++r) rows.emplace_back(matrix + r * n, n);
  return rows;
}

// A whole graph layer for inference, y (n, f) = [x, attention(x)] update for the points near[:, 0]. It computes a neighbour's
// message each time, which costs less than reading it from memory. Matrices are transposed: center and neighbor (f, h),
// update (2 f, f).
template <class T, class S>
void layer(int64_t threads, S size, int64_t n, int64_t k, const int64_t *near, const T *x, const T *center, const T *bias,
           const T *neighbor, const T *score, const T *update, T *y) {
  using Features = typename S::template Features<T>;
  using Hidden = typename S::template Hidden<T>;
  const int64_t F = size.features(), H = size.hidden();
  const auto centers = rows_of<Hidden>(center, F, H), neighbors = rows_of<Hidden>(neighbor, F, H);
  const auto updates = rows_of<Features>(update, 2 * F, F);
  parallel(worth(threads, n * k * F * H), (n + kChunk - 1) / kChunk, [&](int64_t task) {
    const Hidden scores(score, H);
    std::vector<T> weights(static_cast<size_t>(k));
    T *w = weights.data();
    for (int64_t i = task * kChunk; i < std::min(n, (task + 1) * kChunk); ++i) {
      const int64_t *row = near + i * k;
      const Features me(x + row[0] * F, F);
      Hidden own(bias, H);
      for (int64_t f = 0; f < F; ++f) own.add(me[f], centers[f]);
      T highest = -INFINITY, total = 0;
      for (int64_t j = 0; j < k; ++j) {
        Hidden sent = own;
        const Features other(x + row[j] * F, F);
        for (int64_t f = 0; f < F; ++f) sent.add(other[f], neighbors[f]);
        w[j] = sent.above(sent * scores).sum();
        highest = std::max(highest, w[j]);
      }
      exponentials(w, k, highest);
      for (int64_t j = 0; j < k; ++j) total += w[j];
      const T part = 1 / total;
      Features sum(F), updated(F);
      for (int64_t j = 0; j < k; ++j) sum.add(w[j] * part, Features(x + row[j] * F, F));
      for (int64_t f = 0; f < F; ++f) updated.add(me[f], updates[f]);
      for (int64_t f = 0; f < F; ++f) updated.add(sum[f], updates[F + f]);
      updated.store(y + i * F);
    }
  });
}

// For each row the edges (i * k + j) that point to it, in ascending order: row r has the edges [start[r], start[r + 1]).
void incoming(int64_t n, int64_t k, const int64_t *near, std::vector<int32_t> &start, std::vector<int32_t> &edges) {
  start.assign(size_t(n + 1), 0);
  edges.resize(size_t(n * k));
  for (int64_t e = 0; e < n * k; ++e) ++start[near[e] + 1];
  for (int64_t r = 0; r < n; ++r) start[r + 1] += start[r];
  std::vector<int32_t> next(start.begin(), start.end() - 1);
  for (int64_t e = 0; e < n * k; ++e) edges[next[near[e]]++] = int32_t(e);
}

// d_x (n, f), d_center (n, h), d_neighbor (n, h), d_score (h). Two passes bring an edge's gradient to its two ends, so that
// in each pass a task writes only the rows that belong to it.
template <class T, class S>
void backward(int64_t threads, S size, int64_t n, int64_t k, const int64_t *near, const T *x, const T *center,
              const T *neighbor, const T *score, const T *weight, const T *dy, T *d_x, T *d_center, T *d_neighbor,
              T *d_score) {
  using Features = typename S::template Features<T>;
  using Hidden = typename S::template Hidden<T>;
  const int64_t F = size.f, H = size.h, tasks = (n + kChunk - 1) / kChunk;
  threads = worth(threads, n * k * (F + H));
  std::vector<T> slope(size_t(n * k));
  std::vector<double> parts(size_t(tasks * H));
  parallel(threads, tasks, [&](int64_t task) {
    double *sums = parts.data() + task * H;
    const Hidden scores(score, H);
    for (int64_t i = task * kChunk; i < std::min(n, (task + 1) * kChunk); ++i) {
      const int64_t *row = near + i * k;
      const T *w = weight + i * k;
      const Features g(dy + i * F, F);
      const Hidden own(center + i * H, H);
      T *s = slope.data() + i * k, mean = 0;
      for (int64_t j = 0; j < k; ++j) {
        s[j] = (g * Features(x + row[j] * F, F)).sum();
        mean += w[j] * s[j];
      }
      Hidden through(H), seen(H);
      for (int64_t j = 0; j < k; ++j) {
        s[j] = w[j] * (s[j] - mean);
        const Hidden sent = own + Hidden(neighbor + row[j] * H, H);
        through.add(1, sent.above(sent.like(s[j])));
        seen.add(s[j], sent.above(sent));
      }
      (through * scores).store(d_center + i * H);
      for (int64_t h = 0; h < H; ++h) sums[h] += double(seen[h]);
    }
  });
  for (int64_t h = 0; h < H; ++h) {
    double sum = 0;
    for (int64_t task = 0; task < tasks; ++task) sum += parts[task * H + h];
    d_score[h] = T(sum);
  }
  std::vector<int32_t> start, edges;
  incoming(n, k, near, start, edges);
  parallel(threads, tasks, [&](int64_t task) {
    for (int64_t r = task * kChunk; r < std::min(n, (task + 1) * kChunk); ++r) {
      Features sum(F);
      Hidden through(H);
      const Hidden own(neighbor + r * H, H);
      for (int64_t e = start[r]; e < start[r + 1]; ++e) {
        const int64_t edge = edges[e], i = edge / k;
        sum.add(weight[edge], Features(dy + i * F, F));
        const Hidden sent = own + Hidden(center + i * H, H);
        through.add(1, sent.above(sent.like(slope[edge])));
      }
      sum.store(d_x + r * F);
      (through * Hidden(score, H)).store(d_neighbor + r * H);
    }
  });
}

template <class T>
void attend(Threads threads, int64_t n, int64_t k, int64_t f, int64_t h, const int64_t *near, const T *x, const T *center,
            const T *neighbor, const T *score, T *weight, T *y) {
  with_sizes(f, h, [&](auto size) { forward<T>(threads, size, n, k, near, x, center, neighbor, score, weight, y); });
}

template <class T>
void graph_layer(Threads threads, int64_t n, int64_t k, int64_t f, int64_t h, const int64_t *near, const T *x,
                 const T *center, const T *bias, const T *neighbor, const T *score, const T *update, T *y) {
  with_sizes(f, h, [&](auto size) {
    layer<T>(threads, size, n, k, near, x, center, bias, neighbor, score, update, y);
  });
}

template <class T>
void attend_back(Threads threads, int64_t n, int64_t k, int64_t f, int64_t h, const int64_t *near, const T *x,
                 const T *center, const T *neighbor, const T *score, const T *weight, const T *dy, T *d_x, T *d_center,
                 T *d_neighbor, T *d_score) {
  with_sizes(f, h, [&](auto size) {
    backward<T>(threads, size, n, k, near, x, center, neighbor, score, weight, dy, d_x, d_center, d_neighbor, d_score);
  });
}

}  // namespace

KERNEL(attend_f32, attend<float>)
KERNEL(attend_f64, attend<double>)
KERNEL(layer_f32, graph_layer<float>)
KERNEL(layer_f64, graph_layer<double>)
KERNEL(attend_back_f32, attend_back<float>)
KERNEL(attend_back_f64, attend_back<double>)
