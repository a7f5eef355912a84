// Points to voxels in one pass: a hash from voxel to its sums in order of first sight, then one sort of the voxels found.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "parallel.h"

namespace {

constexpr int64_t kChunk = 1 << 14;
constexpr int kBlockBits = 8;  // as in morton.py
constexpr double kLimit = 1 << 30;

// Keys to consecutive numbers. Runs of 8 keys share a cache line or two: points that follow each other are close in space.
class Numbers {
 public:
  Numbers() : slots_(1 << 12, Slot{kEmpty, 0}) {}

  int32_t of(uint64_t key) {
    if (key == last_) return last_number_;
    size_t i = place(key);
    while (slots_[i].key != key) {
      if (slots_[i].key == kEmpty) {
        if (keys.size() * 3 > slots_.size()) {
          grow();
          i = place(key);
          continue;
        }
        slots_[i] = {key, int32_t(keys.size())};
        keys.push_back(key);
        break;
      }
      i = (i + 1) & (slots_.size() - 1);
    }
    last_ = key;
    return last_number_ = slots_[i].number;
  }

  std::vector<uint64_t> keys;

 private:
  static constexpr uint64_t kEmpty = ~uint64_t(0);
  struct Slot {
    uint64_t key;
    int32_t number;
  };

  size_t place(uint64_t key) const {
    return (((key >> 3) * 0x9E3779B97F4A7C15u >> 20) * 8 + (key & 7)) & (slots_.size() - 1);
  }

  void grow() {
    slots_.assign(slots_.size() * 4, Slot{kEmpty, 0});
    for (size_t n = 0; n < keys.size(); ++n) {
      size_t i = place(keys[n]);
      while (slots_[i].key != kEmpty) i = (i + 1) & (slots_.size() - 1);
      slots_[i] = {keys[n], int32_t(n)};
    }
  }

  std::vector<Slot> slots_;
  uint64_t last_ = kEmpty;
  int32_t last_number_ = 0;
};

struct Keyed {
  uint64_t key;
  int32_t number;
};

// Ascending by key: least significant byte first, bytes in which all keys agree left out.
void radix_sort(std::vector<Keyed> &items) {
  std::vector<Keyed> other(items.size());
  uint64_t differ = 0;
  for (const Keyed &item : items) differ |= item.key ^ items[0].key;
  for (int shift = 0; shift < 64; shift += 8) {
    if (!(differ >> shift & 0xFF)) continue;
    size_t next[257] = {};
    for (const Keyed &item : items) ++next[(item.key >> shift & 0xFF) + 1];
    for (int i = 0; i < 256; ++i) next[i + 1] += next[i];
    for (const Keyed &item : items) other[next[item.key >> shift & 0xFF]++] = item;
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

template <class T>
int64_t voxelize(int64_t threads, int64_t n, const T *points, const T *features, int64_t f, const int64_t *batch, double size,
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
    bool within = true;  // asked this way round because a NaN compares as false
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

  Numbers block_numbers, voxel_numbers;
  std::vector<double> sums;
  std::vector<int64_t> many;
  const int64_t width = 3 + f;
  for (int64_t i = 0; i < n; ++i) {
    const int32_t *c = cells.data() + 3 * i;
    uint64_t block = uint64_t((batch ? batch[i] : 0) - all.low[0]);
    for (int axis = 0; axis < 3; ++axis) block = block * wide[axis + 1] + uint64_t((c[axis] >> kBlockBits) - all.low[axis + 1]);
    const uint64_t inside = kSpread.of[c[0] & 255] << 2 | kSpread.of[c[1] & 255] << 1 | kSpread.of[c[2] & 255];
    const int32_t voxel = voxel_numbers.of(uint64_t(block_numbers.of(block)) << 3 * kBlockBits | inside);
    inverse[i] = voxel;
    if (size_t(voxel) == many.size()) {
      many.push_back(0);
      sums.resize(sums.size() + width, 0.0);
    }
    ++many[voxel];
    double *sum = sums.data() + voxel * width;
    for (int j = 0; j < 3; ++j) sum[j] += points[i * 3 + j];
    for (int64_t j = 0; j < f; ++j) sum[3 + j] += features[i * f + j];
  }

  std::vector<Keyed> order(block_numbers.keys.size());
  std::vector<uint64_t> rank(order.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = {block_numbers.keys[i], int32_t(i)};
  radix_sort(order);
  *number_of_blocks = int64_t(order.size());
  for (size_t i = 0; i < order.size(); ++i) {
    uint64_t key = order[i].key;
    rank[order[i].number] = i;
    for (int axis = 3; axis > 0; --axis) {
      blocks[i * 4 + axis] = int32_t(int64_t(key % wide[axis]) + all.low[axis]);
      key /= wide[axis];
    }
    blocks[i * 4] = int32_t(int64_t(key) + all.low[0]);
  }

  const uint64_t mask = (uint64_t(1) << 3 * kBlockBits) - 1;
  order.resize(voxel_numbers.keys.size());
  for (size_t i = 0; i < order.size(); ++i) {
    const uint64_t key = voxel_numbers.keys[i];
    order[i] = {rank[key >> 3 * kBlockBits] << 3 * kBlockBits | (key & mask), int32_t(i)};
  }
  radix_sort(order);
  std::vector<int32_t> row(order.size());
  for (size_t i = 0; i < order.size(); ++i) {
    const int32_t number = order[i].number;
    row[number] = int32_t(i);
    codes[i] = int64_t(order[i].key);
    counts[i] = many[number];
    const double *sum = sums.data() + number * width;
    for (int j = 0; j < 3; ++j) positions[i * 3 + j] = T(sum[j] / double(many[number]));
    for (int64_t j = 0; j < f; ++j) means[i * f + j] = T(sum[3 + j] / double(many[number]));
  }
  parallel(threads, tasks, [&](int64_t task) {
    for (int64_t i = task * kChunk; i < std::min(n, (task + 1) * kChunk); ++i) inverse[i] = row[inverse[i]];
  });
  return int64_t(order.size());
}

}  // namespace

// Returns the number of voxels, -1 where points are not finite or too far apart (the caller finds out which).
// codes (n), blocks (n, 4), positions (n, 3), means (n, f), counts (n) have room for one voxel per point.
#define EXPORT(T, NAME)                                                                                                 \
  extern "C" int64_t voxelize_##NAME(int64_t threads, int64_t n, const T *points, const T *features, int64_t f,         \
                                     const int64_t *batch, double size, int64_t *codes, int32_t *blocks,                \
                                     int64_t *number_of_blocks, T *positions, T *means, int64_t *inverse,               \
                                     int64_t *counts) {                                                                 \
    return voxelize<T>(threads, n, points, features, f, batch, size, codes, blocks, number_of_blocks, positions, means, \
                       inverse, counts);                                                                                \
  }

EXPORT(float, f32)
EXPORT(double, f64)
