// Finds the rows of a map's cells by their keys, as in ../cells.py: sorted blocks of 8 x 8 x 8 cells, each with a table of 512 rows.
#pragma once
#include <algorithm>
#include <cstdint>

constexpr int kBits = 21;  // bits of a key for each axis
constexpr int64_t kOrigin = int64_t(1) << (kBits - 1);
constexpr int64_t kInside = int64_t(7) << 2 * kBits | int64_t(7) << kBits | 7;  // bits of the place within a block
constexpr int64_t kTable = 512;

inline int64_t key_of(int64_t x, int64_t y, int64_t z) {
  return (x + kOrigin) << 2 * kBits | (y + kOrigin) << kBits | (z + kOrigin);
}

class Blocks {
 public:
  Blocks(int64_t count, const int64_t *keys, const int32_t *slots, const int32_t *table)
      : count_(count), keys_(keys), slots_(slots), table_(table) {}

  // −1 if the map lacks the cell. Consecutive keys are often in the same block.
  int64_t row(int64_t key) {
    const int64_t block = key & ~kInside;
    if (block != last_) {
      const int64_t *at = std::lower_bound(keys_, keys_ + count_, block);
      rows_ = at != keys_ + count_ && *at == block ? table_ + slots_[at - keys_] * kTable : nullptr;
      last_ = block;
    }
    return rows_ ? rows_[(key >> 2 * kBits & 7) << 6 | (key >> kBits & 7) << 3 | (key & 7)] : -1;
  }

 private:
  const int64_t count_, *keys_;
  const int32_t *slots_, *table_;
  int64_t last_ = -1;
  const int32_t *rows_ = nullptr;
};
