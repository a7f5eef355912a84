// What the voxels of each part say together, in one pass over them. Twin of ../votes.py.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "kernel.h"

namespace {

constexpr int LANES = 8;
typedef float Lane __attribute__((vector_size(LANES * sizeof(float))));

// Index of the first of the greatest of `n` values, and that value; `padded` has room for n rounded up to lanes.
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


// probability (n, classes), embedding (n, dim) float32; part (n) in −1 … parts − 1, −1 for none; weight (n).
// Per voxel: semantic (n) and confidence (n), the most probable class and its probability. Per part, zeroed by the
// caller: points (parts), votes (parts, classes) and sums (parts, dim), weighted.
void votes(const float *probability, int64_t classes, const float *embedding, int64_t dim,
                      const int64_t *part, const int64_t *weight, int64_t n, int16_t *semantic, float *confidence,
                      double *points, double *votes, double *sums) {
  const int64_t room = (classes + LANES - 1) / LANES;
  std::vector<Lane> padded(room, Lane{} - std::numeric_limits<float>::infinity());
  for (int64_t i = 0; i < n; ++i) {
    const float *p = probability + i * classes;
    semantic[i] = int16_t(greatest(p, classes, padded.data(), confidence[i]));
    const int64_t k = part[i];
    if (k < 0) continue;
    const double w = double(weight[i]);
    points[k] += w;
    double *vote = votes + k * classes, *sum = sums + k * dim;
    for (int64_t c = 0; c < classes; ++c) vote[c] += w * p[c];
    for (int64_t d = 0; d < dim; ++d) sum[d] += w * embedding[i * dim + d];
  }
}

// tight (parts), zeroed by the caller: weighted sums of exp(−s²), s the distance of an embedding to its part's mean.
void tightness(const float *embedding, int64_t dim, const int64_t *part, const int64_t *weight, int64_t n,
                          const double *mean, double *tight) {
  for (int64_t i = 0; i < n; ++i) {
    float square = 0;
    for (int64_t d = 0; d < dim; ++d) {
      const float step = float(embedding[i * dim + d] - mean[part[i] * dim + d]);
      square += step * step;
    }
    tight[part[i]] += double(weight[i]) * std::exp(-square);
  }
}

// positions (n, 3), features (n, width) or null where width is 0; part (n) in −1 … parts − 1. Per part, zeroed by the
// caller: table (parts, 13 + width), the sums of 1, of the positions, of the products of their coordinates and of the
// features, in the order of the voxels. Products of two float32 are exact in float64, so fusing them changes no bit.
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
KERNEL(votes, votes)
KERNEL(tightness, tightness)
