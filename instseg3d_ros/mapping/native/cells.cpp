// Work on the cells of a map whose time depends on the cells in view, not on the size of the map.
// Twin of ../cells.py (find), ../alignment.py (meet) and ../free_space.py (carve).
#include <cmath>
#include <limits>

#include "blocks.h"
#include "kernel.h"

namespace {

constexpr int64_t kLines = 5;  // the normal, and lines beside it
constexpr double kAside = 2;   // their distance in cells

void find(int64_t n, const int64_t *keys, int64_t count, const int64_t *blocks, const int32_t *slots, const int32_t *table,
          int64_t *rows) {
  Blocks index(count, blocks, slots, table);
  for (int64_t i = 0; i < n; ++i) rows[i] = index.row(keys[i]);
}

// For planes with center (n, 3) and unit normal (n, 3): the distance (n) along the normal to the map's surface, NaN if no
// cell lies within `reach` cells along the normal; see `meet` in ../alignment.py.
void meet(int64_t n, const double *center, const double *normal, int64_t reach, double cell, int64_t count,
          const int64_t *blocks, const int32_t *slots, const int32_t *table, const float *position, double *distance) {
  Blocks index(count, blocks, slots, table);
  for (int64_t i = 0; i < n; ++i) {
    const double *p = center + 3 * i, *d = normal + 3 * i;
    distance[i] = std::numeric_limits<double>::quiet_NaN();
    auto along = [&](int64_t row) {
      const float *q = position + 3 * row;
      return d[0] * (q[0] - p[0]) + d[1] * (q[1] - p[1]) + d[2] * (q[2] - p[2]);
    };
    int least = 0;
    for (int axis = 1; axis < 3; ++axis)
      if (std::abs(d[axis]) < std::abs(d[least])) least = axis;
    double unit[3] = {}, aside[2][3];
    unit[least] = 1;
    const double length = std::sqrt(1 - d[least] * d[least]);
    for (int axis = 0; axis < 3; ++axis) {
      const int next = (axis + 1) % 3, last = (axis + 2) % 3;
      aside[0][axis] = (d[next] * unit[last] - d[last] * unit[next]) / length;
    }
    for (int axis = 0; axis < 3; ++axis) {
      const int next = (axis + 1) % 3, last = (axis + 2) % 3;
      aside[1][axis] = d[next] * aside[0][last] - d[last] * aside[0][next];
    }
    for (int64_t sample = 0; sample < kLines * (2 * reach + 1); ++sample) {
      const int64_t line = sample / (2 * reach + 1), step = sample % (2 * reach + 1);
      const double way = double(step % 2 ? (step + 1) / 2 : -(step / 2)), *lateral = aside[line > 2];
      const double across = line ? (line % 2 ? kAside : -kAside) : 0;
      int64_t at[3];
      for (int axis = 0; axis < 3; ++axis)
        at[axis] = int64_t(std::floor((p[axis] + cell * (way * d[axis] + across * lateral[axis])) / cell));
      const int64_t met = index.row(key_of(at[0], at[1], at[2]));
      if (met < 0) continue;
      const double first = along(met);
      double sum = 0;
      int64_t cells = 0;
      for (int64_t x = -1; x <= 1; ++x)
        for (int64_t y = -1; y <= 1; ++y)
          for (int64_t z = -1; z <= 1; ++z) {
            const int64_t row = index.row(key_of(at[0] + x, at[1] + y, at[2] + z));
            if (row < 0) continue;
            const double gap = along(row);
            if (std::abs(gap - first) < cell) sum += gap, ++cells;
          }
      distance[i] = sum / double(cells);  // at least the cell itself counts
      break;
    }
  }
}

struct Image {
  bool pinhole;
  double low[2], extent[2], bin, farthest;

  explicit Image(const double *values)
      : pinhole(values[0] != 0), low{values[1], values[2]}, extent{values[3], values[4]}, bin(values[5]), farthest(values[6]) {}

  // Whether a sphere may overlap the view of the image.
  bool may_see(const double *p, double radius) const {
    const double square = p[0] * p[0] + p[1] * p[1] + p[2] * p[2], far = farthest + radius;
    if (square > far * far) return false;
    if (!pinhole) return true;
    if (p[0] < -radius) return false;
    for (int axis = 0; axis < 2; ++axis) {
      const double lower = low[axis], upper = low[axis] + extent[axis];
      if (p[axis + 1] - upper * p[0] > radius * std::sqrt(1 + upper * upper)) return false;
      if (lower * p[0] - p[axis + 1] > radius * std::sqrt(1 + lower * lower)) return false;
    }
    return true;
  }
};

// Adds `miss` to the log-odds of the cells that rays passed through and that view number `view` did not see. Writes the rows
// of cells that are then empty to `empty` and returns their number. matrix (3, 4): body axes ← map; image: as ../range_image.py
// packs it; before (…, rows): range below which all rays around a bin passed. A ray must end `slack` metres and `noise`
// times the square of the range behind a cell.
int64_t carve(int64_t count, const int64_t *blocks, const int32_t *slots, const int32_t *table, double cell,
              const float *position, float *occupied, const int32_t *seen, int64_t view, const double *matrix,
              const double *packed, int64_t rows, const float *before, double slack, double noise,
              double miss, int64_t *empty) {
  const Image image(packed);
  const double radius = 4 * cell * std::sqrt(3.0);
  int64_t emptied = 0;
  for (int64_t block = 0; block < count; ++block) {
    const int64_t mask = (int64_t(1) << kBits) - 1, key = blocks[block];
    const double middle[3] = {cell * double((key >> 2 * kBits) - kOrigin + 4), cell * double((key >> kBits & mask) - kOrigin + 4),
                              cell * double((key & mask) - kOrigin + 4)};
    double p[3];
    for (int d = 0; d < 3; ++d) {
      const double *row = matrix + 4 * d;
      p[d] = row[0] * middle[0] + row[1] * middle[1] + row[2] * middle[2] + row[3];
    }
    if (!image.may_see(p, radius)) continue;
    const int32_t *inside = table + slots[block] * kTable;
    for (int64_t place = 0; place < kTable; ++place) {
      const int64_t cell_row = inside[place];
      if (cell_row < 0 || seen[cell_row] == view) continue;
      const float *q = position + 3 * cell_row;
      float b[3];
      for (int d = 0; d < 3; ++d) {
        const double *row = matrix + 4 * d;
        b[d] = float(row[0] * q[0] + row[1] * q[1] + row[2] * q[2] + row[3]);
      }
      const float range = std::sqrt(b[0] * b[0] + b[1] * b[1] + b[2] * b[2]);
      if (range >= image.farthest || (image.pinhole && b[0] <= 0)) continue;
      const float u = image.pinhole ? b[1] / b[0] : std::atan2(b[1], b[0]);
      const float v = image.pinhole ? b[2] / b[0] : std::asin(std::min(1.0f, std::max(-1.0f, b[2] / range)));
      const double du = double(u) - image.low[0], dv = double(v) - image.low[1];
      if (!(du >= 0 && du <= image.extent[0] && dv >= 0 && dv <= image.extent[1])) continue;
      const int64_t bin = int64_t(du / image.bin) * rows + int64_t(dv / image.bin);
      if (!(before[bin] > double(range) + slack + noise * double(range) * double(range))) continue;
      occupied[cell_row] += float(miss);
      if (occupied[cell_row] <= 0) empty[emptied++] = cell_row;
    }
  }

  return emptied;
}

}  // namespace

KERNEL(find, find)
KERNEL(meet, meet)
KERNEL(carve, carve)
