// Points to voxels: a hash table of the sums of each voxel in the order of their first points, then a sort of the voxels.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "kernel.h"
#include "numbers.h"
#include "parallel.h"

namespace {

constexpr int64_t kChunk = 1 << 14;
constexpr int kBlockBits = 8;  // as in morton.py
constexpr double kLimit = 1 << 30;

struct Keyed {
  uint64_t key;
  int32_t number;
};

// Radix sort by key, ascending, from the lowest digit; digits that are equal in all keys are skipped.
void radix_sort(std::vector<Keyed> &items) {
  constexpr int bits = 11;
  constexpr uint64_t mask = (1 << bits) - 1;
  std::vector<Keyed> other(items.size());
  std::vector<size_t> next(mask + 2);
  uint64_t differ = 0;
  for (const Keyed &item : items) differ |= item.key ^ items[0].key;
  for (int shift = 0; shift < 64; shift += bits) {
    if (!(differ >> shift & mask)) continue;
    std::fill(next.begin(), next.end(), 0);
    for (const Keyed &item : items) ++next[(item.key >> shift & mask) + 1];
    for (size_t i = 0; i <= mask; ++i) next[i + 1] += next[i];
    for (const Keyed &item : items) other[next[item.key >> shift & mask]++] = item;
    items.swap(other);
  }
}

struct Spread {
  uint32_t of[256];
  constexpr Spread() : of() {
    for (uint32_t i = 0; i < 256; ++i)
      for (int bit = 0; bit < 8; ++bit) of[i] |= (i >> bit & 1) << 3 * bit;
  }
};
constexpr Spread kSpread;

// Rows of `pitch` sums, in pieces that are not moved when rows are added.
class Sums {
 public:
  void grow(size_t rows, int64_t pitch) {
    pitch_ = pitch;
    while (pieces_.size() * kRows < rows) pieces_.push_back(std::make_unique<double[]>(size_t(kRows * pitch)));
  }
  double *row(int64_t number) { return pieces_[size_t(number / kRows)].get() + number % kRows * pitch_; }

 private:
  static constexpr int64_t kRows = 1 << 11;
  std::vector<std::unique_ptr<double[]>> pieces_;
  int64_t pitch_ = 0;
};

// The voxels of a run of points, in the order of their first points.
struct Part {
  Numbers blocks, voxels;
  Sums sums;  // width(f) for each voxel: number of points, sums of positions, sums of features

  static int64_t width(int64_t f) { return (4 + f + 7) / 8 * 8; }  // whole cache lines

  // Batches of points pass four steps, so that the data of a step is fetched from memory while other steps compute.
  template <class T, class F>
  void gather(int64_t begin, int64_t end, const T *points, const F *features, int64_t f, const int64_t *batch,
              const int32_t *cells, const int64_t *low, const uint64_t *wide, int64_t *numbers) {
    constexpr int64_t kBatch = 128;
    const int64_t pitch = width(f);
    uint64_t keys[kBatch];
    for (int64_t first = begin; first < end; first += kBatch) {
      const int64_t last = std::min(first + kBatch, end);
      for (int64_t i = first; i < last; ++i) {
        const int32_t *c = cells + 3 * i;
        uint64_t block = uint64_t((batch ? batch[i] : 0) - low[0]);
        for (int axis = 0; axis < 3; ++axis)
          block = block * wide[axis + 1] + uint64_t((c[axis] >> kBlockBits) - low[axis + 1]);
        const uint64_t inside = kSpread.of[c[0] & 255] << 2 | kSpread.of[c[1] & 255] << 1 | kSpread.of[c[2] & 255];
        keys[i - first] = uint64_t(blocks.of(block)) << 3 * kBlockBits | inside;
        voxels.fetch(keys[i - first]);
      }
      for (int64_t i = first; i < last; ++i) numbers[i] = voxels.of(keys[i - first]);
      sums.grow(voxels.keys.size(), pitch);
      for (int64_t i = first; i < last; ++i) __builtin_prefetch(sums.row(numbers[i]), 1);
      for (int64_t i = first; i < last; ++i) {
        double *sum = sums.row(numbers[i]);
        sum[0] += 1;
        for (int j = 0; j < 3; ++j) sum[1 + j] += points[i * 3 + j];
        if (f == 3)
          for (int j = 0; j < 3; ++j) sum[4 + j] += features[i * 3 + j];
        else
          for (int64_t j = 0; j < f; ++j) sum[4 + j] += features[i * f + j];
      }
    }
  }
};

// Returns the number of voxels, or -1 if points are not finite or too far apart (the caller determines which).
// codes (n), blocks (n, 4), positions (n, 3), means (n, f), counts (n) have room for a voxel per point.
template <class T, class F>
int64_t voxelize(Threads threads, int64_t n, const T *points, const F *features, int64_t f, const int64_t *batch, double size,
                 int64_t *codes, int32_t *blocks, int64_t *number_of_blocks, T *positions, T *means, int64_t *inverse,
                 int64_t *counts) {
  if (!n) return *number_of_blocks = 0;
  std::vector<int32_t> cells(size_t(3 * n));
  const int64_t tasks = (n + kChunk - 1) / kChunk;
  struct Extent {
    int64_t low[4], high[4];
    bool bad;
  };
  std::vector<Extent> extents{size_t(tasks)};
  parallel(threads, tasks, [&](int64_t task) {
    const int64_t first = task * kChunk, last = std::min(n, first + kChunk);
    bool within = true;  // in this form a NaN gives false
    for (int64_t i = first * 3; i < last * 3; ++i) {
      const double cell = std::floor(double(points[i]) / size);
      within &= std::abs(cell) < kLimit;
      cells[i] = std::abs(cell) < kLimit ? int32_t(cell) : 0;
    }
    Extent e{{INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX}, {INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN}, !within};
    for (int64_t i = first; i < last; ++i)
      for (int axis = 0; axis < 4; ++axis) {
        const int64_t value = axis ? cells[i * 3 + axis - 1] >> kBlockBits : batch ? batch[i] : 0;
        e.low[axis] = std::min(e.low[axis], value);
        e.high[axis] = std::max(e.high[axis], value);
      }
    extents[task] = e;
  });
  Extent all = extents[0];
  for (const Extent &e : extents) {
    all.bad |= e.bad;
    for (int axis = 0; axis < 4; ++axis) {
      all.low[axis] = std::min(all.low[axis], e.low[axis]);
      all.high[axis] = std::max(all.high[axis], e.high[axis]);
    }
  }
  double space = 1;
  uint64_t wide[4];
  for (int axis = 0; axis < 4; ++axis) wide[axis] = uint64_t(all.high[axis] - all.low[axis] + 3), space *= double(wide[axis]);
  if (all.bad || space >= double(int64_t(1) << 62)) return -1;

  // Parts of the points are hashed in parallel; their number depends only on the points, so that the sums are reproducible.
  const int64_t many = std::clamp<int64_t>(2 * (n >> 16), 1, 16);
  std::vector<Part> parts{size_t(many)};
  parallel(threads, many, [&](int64_t p) {
    parts[p].gather(n * p / many, n * (p + 1) / many, points, features, f, batch, cells.data(), all.low, wide, inverse);
  });

  // The blocks of all parts in order, and the rank of each block.
  std::vector<Keyed> order;
  for (Part &part : parts)
    for (uint64_t key : part.blocks.keys) order.push_back({key, int32_t(order.size())});
  std::vector<uint64_t> rank(order.size());
  radix_sort(order);
  int64_t found = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    uint64_t key = order[i].key;
    if (i && key == order[i - 1].key) {
      rank[order[i].number] = uint64_t(found - 1);
      continue;
    }
    rank[order[i].number] = uint64_t(found);
    for (int axis = 3; axis > 0; --axis) {
      blocks[found * 4 + axis] = int32_t(int64_t(key % wide[axis]) + all.low[axis]);
      key /= wide[axis];
    }
    blocks[found++ * 4] = int32_t(int64_t(key) + all.low[0]);
  }
  *number_of_blocks = found;

  // The same for voxels: entries of several parts with the same code are the same voxel.
  const uint64_t mask = (uint64_t(1) << 3 * kBlockBits) - 1;
  std::vector<int64_t> offset(size_t(many + 1));
  int64_t block_offset = 0;
  order.clear();
  for (int64_t p = 0; p < many; ++p) {
    for (uint64_t key : parts[p].voxels.keys)
      order.push_back({rank[block_offset + (key >> 3 * kBlockBits)] << 3 * kBlockBits | (key & mask), int32_t(order.size())});
    block_offset += int64_t(parts[p].blocks.keys.size());
    offset[p + 1] = int64_t(order.size());
  }
  radix_sort(order);
  std::vector<int32_t> row(order.size()), start;
  start.reserve(order.size() + 1);
  for (size_t i = 0; i < order.size(); ++i) {
    if (!i || order[i].key != order[i - 1].key) {
      codes[start.size()] = int64_t(order[i].key);
      start.push_back(int32_t(i));
    }
    row[order[i].number] = int32_t(start.size() - 1);
  }
  const int64_t rows = int64_t(start.size());
  start.push_back(int32_t(order.size()));

  // In the order of the sums in memory; a voxel of several parts is written by the first part.
  parallel(threads, many, [&](int64_t p) {
    const int64_t pitch = Part::width(f);
    std::vector<double> joined(static_cast<size_t>(pitch));
    for (int64_t number = offset[p]; number < offset[p + 1]; ++number) {
      const int32_t r = row[number], first = start[r], last = start[r + 1];
      if (order[first].number != number) continue;
      const double *sum = parts[p].sums.row(number - offset[p]), *all = sum;
      if (last - first > 1) {
        std::copy(sum, sum + pitch, joined.begin());
        for (int32_t i = first + 1; i < last; ++i) {
          const int64_t other = std::upper_bound(offset.begin(), offset.end(), int64_t(order[i].number)) - offset.begin() - 1;
          const double *more = parts[other].sums.row(order[i].number - offset[other]);
          for (int64_t j = 0; j < pitch; ++j) joined[j] += more[j];
        }
        all = joined.data();
      }
      counts[r] = int64_t(all[0]);
      for (int j = 0; j < 3; ++j) positions[r * 3 + j] = T(all[1 + j] / all[0]);
      for (int64_t j = 0; j < f; ++j) means[r * f + j] = T(all[4 + j] / all[0]);
    }
    for (int64_t i = n * p / many; i < n * (p + 1) / many; ++i) inverse[i] = row[offset[p] + inverse[i]];
  });
  return rows;
}

// (n, 3) through y = R x + t, matrix (3, 4) = [R t], each sum in double. NaN stays NaN; values beyond float become infinite.
void transform(Threads threads, int64_t n, const float *points, const double *matrix, float *out) {
  parallel(worth(threads, n * 4), (n + kChunk - 1) / kChunk, [&](int64_t task) {
    for (int64_t i = task * kChunk; i < std::min(n, (task + 1) * kChunk); ++i) {
      const double x = points[i * 3], y = points[i * 3 + 1], z = points[i * 3 + 2];
      for (int d = 0; d < 3; ++d) {
        const double *row = matrix + d * 4;
        out[i * 3 + d] = float(row[0] * x + row[1] * y + row[2] * z + row[3]);
      }
    }
  });
}

// usable (n): 1 if a point is finite and at most `limit` from the origin. Returns the number of usable points.
int64_t usable(Threads threads, int64_t n, const float *points, double limit, uint8_t *usable) {
  std::vector<int64_t> counts(size_t((n + kChunk - 1) / kChunk));
  parallel(worth(threads, n * 2), int64_t(counts.size()), [&](int64_t task) {
    const float square = float(limit * limit);
    const int64_t begin = task * kChunk, end = std::min(n, begin + kChunk);
    int32_t count = 0;
    for (int64_t i = begin; i < end; ++i) {
      const float x = points[i * 3], y = points[i * 3 + 1], z = points[i * 3 + 2];
      const uint8_t near = x * x + y * y + z * z <= square;  // false for NaN and overflow
      usable[i] = near;
      count += near;
    }
    counts[size_t(task)] = count;
  });
  int64_t total = 0;
  for (int64_t count : counts) total += count;
  return total;
}

}  // namespace

KERNEL(voxelize_f32, voxelize<float, float>)
KERNEL(voxelize_f64, voxelize<double, double>)
KERNEL(voxelize_f32_u8, voxelize<float, uint8_t>)
KERNEL(voxelize_f64_u8, voxelize<double, uint8_t>)
KERNEL(transform, transform)
KERNEL(usable, usable)
