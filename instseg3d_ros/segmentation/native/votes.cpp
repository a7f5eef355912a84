// Sums over the voxels of each part, in a single pass. Twin of ../votes.py.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "kernel.h"
#include "parallel.h"

namespace {

constexpr int LANES = 8;
typedef float Lane __attribute__((vector_size(LANES * sizeof(float))));

// The greatest of `n` values and the index of its first occurrence; `padded` has room for n rounded up to whole vectors.
int64_t greatest(const float *values, int64_t n, Lane *padded, float &value) {
  std::memcpy(padded, values, n * sizeof(float));
  const int64_t blocks = (n + LANES - 1) / LANES;
  Lane most = padded[0];
  for (int64_t b = 1; b < blocks; ++b) most = padded[b] > most ? padded[b] : most;
  value = most[0];
  for (int lane = 1; lane < LANES; ++lane) value = std::max(value, most[lane]);
  const float *flat = reinterpret_cast<const float *>(padded);
  int64_t at = 0;
  while (at < n - 1 && flat[at] != value) ++at;
  return at;
}


// For each row of probability (n, classes): semantic (n), the most probable class, and confidence (n), its probability.
void most_probable(Threads threads, const float *probability, int64_t classes, int64_t n, int16_t *semantic,
                   float *confidence) {
  constexpr int64_t chunk = 1 << 12;
  parallel(worth(threads, n * classes), (n + chunk - 1) / chunk, [&](int64_t task) {
    std::vector<Lane> padded((classes + LANES - 1) / LANES, Lane{} - std::numeric_limits<float>::infinity());
    for (int64_t i = task * chunk; i < std::min(n, (task + 1) * chunk); ++i)
      semantic[i] = int16_t(greatest(probability + i * classes, classes, padded.data(), confidence[i]));
  });
}

// probability (n, classes), embedding (n, dim) float32; part (n) in −1 … parts − 1, −1 for voxels without a part; weight (n).
// Weighted sums per part, which the caller has set to zero: points (parts), votes (parts, classes) and sums (parts, dim).
// A task adds up some columns of all voxels, in the order of the voxels.
void votes(Threads threads, const float *probability, int64_t classes, const float *embedding, int64_t dim,
           const int64_t *part, const int64_t *weight, int64_t n, double *points, double *votes, double *sums) {
  const auto add = [&](const float *values, int64_t width, int64_t first, int64_t last, double *total) {
    for (int64_t i = 0; i < n; ++i) {
      if (part[i] < 0) continue;
      const double w = double(weight[i]);
      const float *value = values + i * width;
      double *sum = total + part[i] * width;
      if (last - first == LANES)
        for (int c = 0; c < LANES; ++c) sum[first + c] += w * value[first + c];
      else
        for (int64_t c = first; c < last; ++c) sum[c] += w * value[c];
    }
  };
  const int64_t blocks = (classes + LANES - 1) / LANES;
  parallel(worth(threads, n * (classes + dim)), blocks + 1, [&](int64_t task) {
    if (task < blocks) return add(probability, classes, task * LANES, std::min(classes, (task + 1) * LANES), votes);
    add(embedding, dim, 0, dim, sums);
    for (int64_t i = 0; i < n; ++i)
      if (part[i] >= 0) points[part[i]] += double(weight[i]);
  });
}

// For each group of voxels rows[begin[g]] … rows[begin[g + 1] − 1], which is not empty: tight (groups), the mean of exp(−s²)
// weighted by `weight`, where s is the distance of a voxel's embedding to mean (groups, dim).
void tightness(Threads threads, const float *embedding, int64_t dim, const int64_t *weight, const int64_t *rows,
               const int64_t *begin, int64_t groups, const double *mean, double *tight) {
  parallel(worth(threads, begin[groups] * 10), groups, [&](int64_t g) {
    double sum = 0, total = 0;
    for (int64_t at = begin[g]; at < begin[g + 1]; ++at) {
      const int64_t i = rows[at];
      float square = 0;
      for (int64_t d = 0; d < dim; ++d) {
        const float step = float(embedding[i * dim + d] - mean[g * dim + d]);
        square += step * step;
      }
      sum += double(weight[i]) * std::exp(-square);
      total += double(weight[i]);
    }
    tight[g] = sum / total;
  });
}

// positions (n, 3), features (n, width), or null if width is 0; part (n) in −1 … parts − 1. table (parts, 13 + width), which
// the caller has set to zero, becomes the sums of 1, of the positions, of the products of their coordinates and of the
// features. Voxels are added in their order. Products of two float32 are exact in float64, so fusing them changes no bit.
void moments(const float *positions, const float *features, int64_t width, const int64_t *part, int64_t n,
             double *table) {
  for (int64_t i = 0; i < n; ++i) {
    if (part[i] < 0) continue;
    double *sum = table + part[i] * (13 + width);
    const float *position = positions + 3 * i, *feature = features + i * width;
    sum[0] += 1;
    for (int a = 0; a < 3; ++a) {
      sum[1 + a] += position[a];
      for (int b = 0; b < 3; ++b) sum[4 + 3 * a + b] += double(position[a]) * double(position[b]);
    }
    for (int64_t f = 0; f < width; ++f) sum[13 + f] += feature[f];
  }
}

}  // namespace

KERNEL(moments, moments)
KERNEL(most_probable, most_probable)
KERNEL(votes, votes)
KERNEL(tightness, tightness)
