// Normals of a thinned cloud, and the number of normals that support each candidate of the vertical. Used by ../upright.py.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernel.h"
#include "parallel.h"
#include "symmetric.h"

namespace {

constexpr int64_t kLeaf = 32;  // points that share a box
constexpr int kMost = 32;      // neighbours
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Points in leaves, with the box of each leaf. The last leaf is padded with points at infinity.
struct Leaves {
  struct Leaf {
    float at[3][kLeaf], low[3], high[3];
  };
  std::vector<Leaf> leaves;

  Leaves(const float *points, int64_t n) : leaves(size_t((n + kLeaf - 1) / kLeaf)) {
    for (int64_t i = 0; i < int64_t(leaves.size()) * kLeaf; ++i) {
      Leaf &leaf = leaves[i / kLeaf];
      for (int d = 0; d < 3; ++d) {
        const float x = i < n ? points[3 * i + d] : kInfinity;
        leaf.at[d][i % kLeaf] = x;
        if (i % kLeaf == 0) leaf.low[d] = leaf.high[d] = x;
        else if (i < n) leaf.low[d] = std::min(leaf.low[d], x), leaf.high[d] = std::max(leaf.high[d], x);
      }
    }
  }
};

// The k points nearest to a place, by insertion into a sorted list.
struct Nearest {
  const int64_t k;
  float distance[kMost];
  int64_t rows[kMost];

  explicit Nearest(int64_t k) : k(k) { std::fill(distance, distance + k, kInfinity); }

  void visit(const Leaves::Leaf &leaf, int64_t first, const float *place) {
    float apart = 0;
    for (int d = 0; d < 3; ++d) {
      const float out = std::max(0.0f, std::max(leaf.low[d] - place[d], place[d] - leaf.high[d]));
      apart += out * out;
    }
    if (apart > distance[k - 1]) return;
    for (int64_t i = 0; i < kLeaf; i += kHalf) {
      Floats square = {};
      for (int d = 0; d < 3; ++d) {
        const Floats step = load_floats(leaf.at[d] + i) - place[d];
        square += step * step;
      }
      for (uint32_t left = bits_of(square < Floats{} + distance[k - 1]); left; left &= left - 1) {
        const int lane = __builtin_ctz(left);
        insert(square[lane], first + i + lane);
      }
    }
  }

  void insert(float square, int64_t row) {
    if (!(square < distance[k - 1])) return;
    int64_t at = k - 1;
    for (; at > 0 && distance[at - 1] > square; --at) distance[at] = distance[at - 1], rows[at] = rows[at - 1];
    distance[at] = square, rows[at] = row;
  }
};

// Whether the smallest eigenvalue is less than `flat` times the second one; if so, `vector` becomes its eigenvector.
bool planar(const Symmetric &spread, double flat, double *vector) {
  double values[3];
  eigenvalues(spread, values);
  return values[0] < flat * values[1] && eigenvector(spread, values[0], vector);
}

// For each of the points (n, 3) with indices rows (m), whether its k nearest points, itself included, lie in a plane: flats
// (m) is 1 if the smallest eigenvalue of their covariance is less than `flat` times the second eigenvalue. normals (m, 3)
// then has the unit normal, of either sign. k ≤ 32 and k ≤ n. Consecutive points should be close in space, for speed.
void normals(Threads threads, const float *points, int64_t n, const int64_t *rows, int64_t m, int64_t k, double flat,
             double *normals, uint8_t *flats) {
  constexpr int64_t chunk = 32;
  const Leaves all(points, n);
  parallel(threads, (m + chunk - 1) / chunk, [&](int64_t task) {
    for (int64_t row = task * chunk; row < std::min(m, (task + 1) * chunk); ++row) {
      const float *place = points + 3 * rows[row];
      const int64_t home = rows[row] / kLeaf;
      Nearest near(k);
      near.visit(all.leaves[home], home * kLeaf, place);
      for (int64_t leaf = 0; leaf < int64_t(all.leaves.size()); ++leaf)
        if (leaf != home) near.visit(all.leaves[leaf], leaf * kLeaf, place);
      double mean[3] = {};
      for (int64_t i = 0; i < k; ++i)
        for (int d = 0; d < 3; ++d) mean[d] += points[3 * near.rows[i] + d] / double(k);
      Symmetric spread;
      for (int64_t i = 0; i < k; ++i) {
        const float *p = points + 3 * near.rows[i];
        const double x = p[0] - mean[0], y = p[1] - mean[1], z = p[2] - mean[2];
        spread.xx += x * x, spread.yy += y * y, spread.zz += z * z;
        spread.xy += x * y, spread.xz += x * z, spread.yz += y * z;
      }
      flats[row] = planar(spread, flat, normals + 3 * row);
    }
  });
}

// For each of the directions (c, 3): the number of unit vectors (m, 3) that are nearly parallel to it (|cosine| > along),
// and the number that are nearly perpendicular (|cosine| < across).
void support(Threads threads, const float *directions, int64_t c, const double *normals, int64_t m, double along, double across,
             int64_t *parallel_to, int64_t *perpendicular) {
  std::vector<float> apart(static_cast<size_t>(3 * m));
  for (int64_t i = 0; i < m; ++i)
    for (int d = 0; d < 3; ++d) apart[d * m + i] = float(normals[3 * i + d]);
  const float least = float(along), most = float(across);
  parallel(worth(threads, c * m), c, [&](int64_t i) {
    const float x = directions[3 * i], y = directions[3 * i + 1], z = directions[3 * i + 2];
    const float *xs = apart.data(), *ys = xs + m, *zs = ys + m;
    int32_t floor = 0, wall = 0;
    for (int64_t j = 0; j < m; ++j) {
      const float cosine = std::abs(x * xs[j] + y * ys[j] + z * zs[j]);
      floor += cosine > least;
      wall += cosine < most;
    }
    parallel_to[i] = floor, perpendicular[i] = wall;
  });
}

}  // namespace

KERNEL(normals, normals)
KERNEL(support, support)
