// Planes, weights and cells of a segmented cloud. Twin of ../surface.py and ../view.py.
#include <algorithm>
#include <cmath>
#include <vector>

#include "blocks.h"
#include "direction.h"
#include "kernel.h"
#include "numbers.h"
#include "symmetric.h"

namespace {

// Selects the points with a label within `range` metres, in order; returns their number. row_of: row of each instance id.
// saying (n): row of the point's instance, else pieces + its class. class_of (pieces): class of each instance.
int64_t choose(int64_t n, const float *points, const int16_t *semantic, const int32_t *instance, const int64_t *row_of,
               int64_t pieces, double range, int64_t *used, int32_t *saying, int64_t *class_of) {
  const float square = float(range * range);
  int64_t count = 0;
  for (int64_t i = 0; i < n; ++i) {
    const float *p = points + 3 * i;
    if (semantic[i] < 0 || !(p[0] * p[0] + p[1] * p[1] + p[2] * p[2] <= square)) continue;
    const int64_t piece = row_of[instance[i]];
    if (piece >= 0) class_of[piece] = semantic[i];
    saying[count] = int32_t(piece >= 0 ? piece : pieces + semantic[i]);
    used[count++] = i;
  }
  return count;
}

// Least-squares planes of points in cubes of edge `size`: block (n) of each point; for each block its center, unit normal and
// whether it has `fewest` points and a least variance below `thin` times the middle one. Returns the number of blocks.
int64_t planes(int64_t n, const float *points, double size, double fewest, double thin, int32_t *block, double *center,
               double *normal, uint8_t *flat) {
  struct Sums {
    double corner[3], count, mean[3], square[6];
  };
  Numbers numbers;
  std::vector<Sums> sums;
  for (int64_t i = 0; i < n; ++i) {
    const float *p = points + 3 * i;
    const double corner[3] = {std::floor(p[0] / size), std::floor(p[1] / size), std::floor(p[2] / size)};
    const size_t number = size_t(numbers.of(uint64_t(key_of(int64_t(corner[0]), int64_t(corner[1]), int64_t(corner[2])))));
    if (number == sums.size()) sums.push_back({{corner[0] * size, corner[1] * size, corner[2] * size}, 0, {}, {}});
    Sums &s = sums[number];
    const double x = p[0] - s.corner[0], y = p[1] - s.corner[1], z = p[2] - s.corner[2];
    s.count += 1;
    s.mean[0] += x, s.mean[1] += y, s.mean[2] += z;
    s.square[0] += x * x, s.square[1] += x * y, s.square[2] += x * z;
    s.square[3] += y * y, s.square[4] += y * z, s.square[5] += z * z;
    block[i] = int32_t(number);
  }
  for (size_t b = 0; b < sums.size(); ++b) {
    const Sums &s = sums[b];
    const double mean[3] = {s.mean[0] / s.count, s.mean[1] / s.count, s.mean[2] / s.count};
    double upper[6], values[3], *vector = normal + 3 * b;
    for (int i = 0, k = 0; i < 3; ++i)
      for (int j = i; j < 3; ++j, ++k) upper[k] = s.square[k] / s.count - mean[i] * mean[j];
    const Symmetric spread{upper[0], upper[1], upper[2], upper[3], upper[4], upper[5]};
    eigenvalues(spread, values);
    vector[0] = 0, vector[1] = 0, vector[2] = 1;
    eigenvector(spread, values[0], vector);
    flat[b] = s.count >= fewest && values[0] < thin * values[1] + 1e-12;
    for (int d = 0; d < 3; ++d) center[3 * b + d] = s.corner[d] + mean[d];
  }
  return int64_t(sums.size());
}

// Weights (n); see `weigh` in ../view.py. settings (6): range that halves, least by incidence, without a plane, at the border,
// at a jump, width of the border. image as ../range_image.py packs it; jump (columns, rows).
void weigh(int64_t n, const float *points, const double *image, int64_t rows, const float *jump, const int32_t *block,
           const double *normal, const uint8_t *flat, const double *settings, float *weight) {
  for (int64_t i = 0; i < n; ++i) {
    const float *p = points + 3 * i;
    const Direction d(p, image[0] != 0);
    const float range = std::sqrt(d.square);
    const double u = d.u - image[1], v = d.v - image[2];
    const double aside = std::min(std::min(u, image[3] - u) / image[3], std::min(v, image[4] - v) / image[4]);
    const double *of = normal + 3 * block[i];
    double amount = settings[2];
    if (flat[block[i]]) amount = std::max(std::abs(p[0] * of[0] + p[1] * of[1] + p[2] * of[2]) / std::max(double(range), 1e-6), settings[1]);
    if (aside < settings[5]) amount *= settings[3];
    if (jump[int64_t(u / image[5]) * rows + int64_t(v / image[5])] > 0.06 + 0.06 * range) amount *= settings[4];
    weight[i] = float(amount / (1 + double(d.square) / (settings[0] * settings[0])));
  }
}

// The cells that points (n, 3) fill after the transform `matrix` (3, 4); returns their number. For each cell: its key, the means
// of position, color (null without colours) and weight, the value in `saying` of most of its points (the smallest if equal) and the mean
// confidence of these points.
int64_t place(int64_t n, const float *points, const double *matrix, double cell, const uint8_t *color, const float *weight,
              const int32_t *saying, const float *confidence, int64_t *keys, float *position, float *colors, double *weights,
              int64_t *said, double *sure) {
  struct Sums {
    double position[3], weight;
    int32_t color[3], count, first;
  };
  struct Vote {
    int32_t saying, count, next;
    float sure;
  };
  // Batches of points pass three steps, so that memory for a step is fetched while other steps compute.
  constexpr int64_t kBatch = 128;
  Numbers numbers(size_t(n / 2));
  std::vector<Sums> sums;
  std::vector<Vote> votes;
  sums.reserve(size_t(n)), votes.reserve(size_t(n));
  float moved[kBatch][3];
  uint64_t batch[kBatch];
  int32_t number[kBatch];
  for (int64_t first = 0; first < n; first += kBatch) {
    const int64_t many = std::min(kBatch, n - first);
    for (int64_t i = 0; i < many; ++i) {
      const float *p = points + 3 * (first + i);
      int64_t at[3];
      for (int d = 0; d < 3; ++d) {
        const double *row = matrix + 4 * d;
        moved[i][d] = float(row[0] * p[0] + row[1] * p[1] + row[2] * p[2] + row[3]);
        at[d] = int64_t(std::floor(double(moved[i][d]) / cell));
      }
      batch[i] = uint64_t(key_of(at[0], at[1], at[2]));
      numbers.fetch(batch[i]);
    }
    for (int64_t i = 0; i < many; ++i) {
      number[i] = numbers.of(batch[i]);
      if (size_t(number[i]) == sums.size()) sums.push_back({{}, 0, {}, 0, -1});
      __builtin_prefetch(&sums[size_t(number[i])], 1);
    }
    for (int64_t i = 0; i < many; ++i) {
      const int64_t point = first + i;
      Sums &s = sums[size_t(number[i])];
      for (int d = 0; d < 3; ++d) s.position[d] += moved[i][d];
      if (color)
        for (int d = 0; d < 3; ++d) s.color[d] += color[3 * point + d];
      s.weight += weight[point], s.count += 1;
      int32_t vote = s.first;
      while (vote >= 0 && votes[size_t(vote)].saying != saying[point]) vote = votes[size_t(vote)].next;
      if (vote < 0) {
        vote = int32_t(votes.size());
        votes.push_back({saying[point], 0, s.first, 0});
        s.first = vote;
      }
      votes[size_t(vote)].count += 1, votes[size_t(vote)].sure += confidence[point];
    }
  }
  for (size_t k = 0; k < sums.size(); ++k) {
    const Sums &s = sums[k];
    keys[k] = int64_t(numbers.keys[k]);
    for (int d = 0; d < 3; ++d) {
      position[3 * k + d] = float(s.position[d] / s.count);
      if (color) colors[3 * k + d] = float(s.color[d]) / float(s.count);
    }
    weights[k] = s.weight / s.count;
    const Vote *best = &votes[size_t(s.first)];
    for (int32_t vote = best->next; vote >= 0; vote = votes[size_t(vote)].next) {
      const Vote &other = votes[size_t(vote)];
      if (other.count > best->count || (other.count == best->count && other.saying < best->saying)) best = &other;
    }
    said[k] = best->saying, sure[k] = double(best->sure) / best->count;
  }
  return int64_t(sums.size());
}

}  // namespace

KERNEL(choose, choose)
KERNEL(planes, planes)
KERNEL(weigh, weigh)
KERNEL(place, place)
