// The range image of a view. Twin of ../range_image.py.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "direction.h"
#include "kernel.h"

namespace {

// extent (6): whether the view is a pinhole image, least and largest u, least and largest v, largest range.
void extent(int64_t n, const float *points, double steep, double *extent) {
  bool pinhole = true;
  for (int64_t i = 0; i < n && pinhole; ++i) {
    const float *p = points + 3 * i;
    pinhole = std::max(std::abs(p[1]), std::abs(p[2])) < float(steep) * p[0];
  }
  const float far = std::numeric_limits<float>::infinity();
  float low[2] = {far, far}, high[2] = {-far, -far}, square = 0;
  for (int64_t i = 0; i < n; ++i) {
    const Direction d(points + 3 * i, pinhole != 0);
    low[0] = std::min(low[0], d.u), high[0] = std::max(high[0], d.u);
    low[1] = std::min(low[1], d.v), high[1] = std::max(high[1], d.v);
    square = std::max(square, d.square);
  }
  const double values[6] = {double(pinhole), low[0], high[0], low[1], high[1], std::sqrt(square)};
  std::copy(values, values + 6, extent);
}

// nearest (columns, rows): the least range of the points in each bin, infinite without one.
void fill(int64_t n, const float *points, int64_t pinhole, double low_u, double low_v, double bin, int64_t columns, int64_t rows,
          float *nearest) {
  std::fill(nearest, nearest + columns * rows, std::numeric_limits<float>::infinity());
  for (int64_t i = 0; i < n; ++i) {
    const Direction d(points + 3 * i, pinhole != 0);
    float &range = nearest[int64_t((d.u - low_u) / bin) * rows + int64_t((d.v - low_v) / bin)];
    range = std::min(range, d.square);
  }
  for (int64_t i = 0; i < columns * rows; ++i) nearest[i] = std::sqrt(nearest[i]);
}

// Over a bin and its eight neighbours: before, the least range, 0 if the bin is empty; jump, the largest range (0 for
// an empty bin) minus the least.
void around(int64_t columns, int64_t rows, const float *nearest, float *before, float *jump) {
  std::vector<float> least(size_t(columns * rows)), most(size_t(columns * rows));
  auto finite = [](float x) { return x < std::numeric_limits<float>::infinity() ? x : 0.0f; };
  for (int64_t c = 0; c < columns; ++c)
    for (int64_t r = 0; r < rows; ++r) {
      const float *row = nearest + c * rows;
      const float a = row[std::max<int64_t>(r - 1, 0)], b = row[r], d = row[std::min(r + 1, rows - 1)];
      least[c * rows + r] = std::min(std::min(a, b), d);
      most[c * rows + r] = std::max(std::max(finite(a), finite(b)), finite(d));
    }
  for (int64_t c = 0; c < columns; ++c) {
    const int64_t one = std::max<int64_t>(c - 1, 0) * rows, two = c * rows, three = std::min(c + 1, columns - 1) * rows;
    for (int64_t r = 0; r < rows; ++r) {
      const float low = std::min(std::min(least[one + r], least[two + r]), least[three + r]);
      before[two + r] = finite(nearest[two + r]) ? low : 0;
      jump[two + r] = std::max(std::max(most[one + r], most[two + r]), most[three + r]) - low;
    }
  }
}

}  // namespace

KERNEL(extent, extent)
KERNEL(fill, fill)
KERNEL(around, around)
