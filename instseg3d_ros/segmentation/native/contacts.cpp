// Which parts touch, and in how many pairs of cells. Twin of `touching` in ../contacts.py.
#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cells.h"
#include "kernel.h"

namespace {

// part (n) int64, −1 for none, below `num`; parent, slot (n) and table (cells, kPitch) as `VoxelGrid` gives them; sparse
// (num) or null, where every part counts as sparse. Only pairs whose smaller part is less than `below` count. Writes at
// most `room` pairs and the places of each, in ascending order; returns how many pairs there are.
int64_t touching(const int64_t *part, int64_t n, const int64_t *parent, const int64_t *slot, int64_t cells,
                 const int32_t *table, const uint8_t *sparse, int64_t num, int64_t below, int64_t room, int64_t *pairs,
                 int64_t *places) {
  const Cells in(part, n, parent, slot, cells);
  const Reach reach;
  std::unordered_map<int64_t, int64_t> found;
  int64_t last = -1, *count = nullptr;  // neighbouring cells mostly repeat the pair before
  const auto add = [&](int64_t a, int64_t b) {
    const int64_t key = std::min(a, b) * num + std::max(a, b);
    if (key != last) count = &found[key], last = key;
    ++*count;
  };
  for (int64_t cell = 0; cell < cells; ++cell) {
    const int32_t begin = in.begin[cell], end = in.begin[cell + 1];
    for (int32_t i = begin; i < end; ++i)
      for (int32_t j = begin; j < i; ++j) {
        const int64_t a = in.groups[i].part, b = in.groups[j].part;
        if (std::min(a, b) < below) add(a, b);
      }
    if (begin == end) continue;
    for (int step = 0; step < kSteps; ++step) {
      const int64_t other = table[cell * kPitch + kFirst + step];
      if (other < 0) continue;
      for (int32_t i = begin; i < end; ++i) {
        const Group one = in.groups[i];
        for (int32_t j = in.begin[other]; j < in.begin[other + 1]; ++j) {
          const Group two = in.groups[j];
          if (one.part == two.part || std::min(one.part, two.part) >= below) continue;
          if (!sparse || sparse[one.part] || sparse[two.part] || (reach.slots[step][one.slots] & two.slots))
            add(one.part, two.part);
        }
      }
    }
  }
  if (int64_t(found.size()) > room) return int64_t(found.size());
  std::vector<std::pair<int64_t, int64_t>> sorted(found.begin(), found.end());
  std::sort(sorted.begin(), sorted.end());
  for (size_t i = 0; i < sorted.size(); ++i) {
    pairs[2 * i] = sorted[i].first / num;
    pairs[2 * i + 1] = sorted[i].first % num;
    places[i] = sorted[i].second;
  }
  return int64_t(sorted.size());
}

}  // namespace

KERNEL(touching, touching)
