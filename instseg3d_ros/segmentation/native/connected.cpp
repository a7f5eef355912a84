// Connected parts of labelled voxels, where voxels up to `gap` apart (Chebyshev) touch. Twin of ../connected.py.
//
// A block is gap + 1 voxels wide. Voxels with the same label in the same block always touch, and all other voxels that they
// touch lie in the 26 neighbouring blocks. So voxels are joined block by block, and the comparison of two blocks ends at the
// first pair that touches.
#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "cells.h"
#include "kernel.h"
#include "parallel.h"

namespace {

// Numbers distinct keys in the order of their first appearance; open addressing, grows by doubling.
class Table {
 public:
  std::vector<uint64_t> keys;
  int32_t find(uint64_t key) const { return slots[place(key)]; }
  int32_t add(uint64_t key) {
    const uint64_t at = place(key);
    if (slots[at] >= 0) return slots[at];
    slots[at] = int32_t(keys.size());
    keys.push_back(key);
    if (2 * keys.size() > slots.size()) grow();
    return int32_t(keys.size()) - 1;
  }

 private:
  std::vector<int32_t> slots = std::vector<int32_t>(1 << 14, -1);
  uint64_t place(uint64_t key) const {
    uint64_t at = (key * 0x9E3779B97F4A7C15u) >> 32 & (slots.size() - 1);
    while (slots[at] >= 0 && keys[slots[at]] != key) at = (at + 1) & (slots.size() - 1);
    return at;
  }
  void grow() {
    slots.assign(4 * slots.size(), -1);
    for (size_t i = 0; i < keys.size(); ++i) slots[place(keys[i])] = int32_t(i);
  }
};

struct Voxel {
  int32_t at[3];  // position in the voxel's block
};

struct Block {
  int32_t low[3], high[3];  // bounds of the positions of its voxels in the block
};

// Whether a voxel of block `a` touches a voxel of block `b`, its neighbour in direction `offset`. Along an axis on which
// `offset` is not zero, two voxels touch if the voxel on the lower side has the greater position in its block; along the
// other axes they always touch.
bool touch(const Block &a, const Block &b, const int *offset, const Voxel *a_begin, const Voxel *a_end,
           const Voxel *b_begin, const Voxel *b_end) {
  int steps = 0;
  for (int d = 0; d < 3; ++d) {
    if (offset[d] > 0 && b.low[d] >= a.high[d]) return false;
    if (offset[d] < 0 && a.low[d] >= b.high[d]) return false;
    steps += offset[d] != 0;
  }
  if (steps == 1) return true;
  for (const Voxel *p = a_begin; p < a_end; ++p)
    for (const Voxel *q = b_begin; q < b_end; ++q) {
      bool near = true;
      for (int d = 0; d < 3; ++d)
        near &= offset[d] == 0 || (offset[d] > 0 ? q->at[d] < p->at[d] : p->at[d] < q->at[d]);
      if (near) return true;
    }
  return false;
}

int64_t root(std::vector<int32_t> &parent, int64_t i) {
  while (parent[i] != i) i = parent[i] = parent[parent[i]];
  return i;
}


// labels (n) int64, coords (n, 3) int32, n < 2^31, 1 <= gap < 2^20. parts (n) int64, numbered from 0 in order of first
// appearance. Returns the number of parts, or -1 if labels and coordinates span more blocks than 62 bits can number.
int64_t connected(const int64_t *labels, const int32_t *coords, int64_t n, int64_t gap, int64_t *parts) {
  const int64_t width = gap + 1;
  int64_t low[3] = {INT64_MAX, INT64_MAX, INT64_MAX}, high[3] = {INT64_MIN, INT64_MIN, INT64_MIN};
  int64_t first = INT64_MAX, last = INT64_MIN;
  for (int64_t i = 0; i < n; ++i) {
    for (int d = 0; d < 3; ++d) {
      low[d] = std::min<int64_t>(low[d], coords[3 * i + d]);
      high[d] = std::max<int64_t>(high[d], coords[3 * i + d]);
    }
    first = std::min(first, labels[i]);
    last = std::max(last, labels[i]);
  }
  // A block's key is its place in the box of all blocks of all labels, with a margin that no step leaves.
  const double extent[3] = {double((high[0] - low[0]) / width + 3), double((high[1] - low[1]) / width + 3),
                            double((high[2] - low[2]) / width + 3)};
  if ((double(last) - double(first) + 1) * extent[0] * extent[1] * extent[2] > 4e18) return -1;
  const int64_t stride[3] = {int64_t(extent[1] * extent[2]), int64_t(extent[2]), 1};
  const int64_t label_stride = int64_t(extent[0]) * stride[0];
  const double inverse = 1.0 / double(width);
  Table table;
  std::vector<int32_t> owner(n);
  std::vector<Voxel> local(n);
  uint64_t before = 0;
  for (int64_t i = 0; i < n; ++i) {
    int64_t key = (labels[i] - first) * label_stride;
    for (int d = 0; d < 3; ++d) {
      const int64_t at = coords[3 * i + d] - low[d];
      const int64_t block = int64_t((double(at) + 0.5) * inverse);  // exact: half a voxel away from every whole number
      local[i].at[d] = int32_t(at - block * width);
      key += (block + 1) * stride[d];
    }
    owner[i] = i && uint64_t(key) == before ? owner[i - 1] : table.add(uint64_t(key));
    before = uint64_t(key);
  }
  const int64_t blocks = table.keys.size();
  std::vector<int64_t> begin(blocks + 1, 0);
  for (int64_t i = 0; i < n; ++i) ++begin[owner[i] + 1];
  std::partial_sum(begin.begin(), begin.end(), begin.begin());
  std::vector<int64_t> next(begin.begin(), begin.end() - 1);
  std::vector<Voxel> sorted(n);
  std::vector<Block> boxes(blocks);
  for (int64_t i = 0; i < n; ++i) {
    Block &box = boxes[owner[i]];
    const bool fresh = next[owner[i]] == begin[owner[i]];
    for (int d = 0; d < 3; ++d) {
      box.low[d] = fresh ? local[i].at[d] : std::min(box.low[d], local[i].at[d]);
      box.high[d] = fresh ? local[i].at[d] : std::max(box.high[d], local[i].at[d]);
    }
    sorted[next[owner[i]]++] = local[i];
  }
  std::vector<int32_t> parent(blocks);
  std::iota(parent.begin(), parent.end(), 0);
  for (int64_t a = 0; a < blocks; ++a)
    for (int step = 14; step < 27; ++step) {  // the neighbours after the centre, so that each pair is visited once
      const int offset[3] = {step / 9 - 1, step / 3 % 3 - 1, step % 3 - 1};
      const int64_t to = offset[0] * stride[0] + offset[1] * stride[1] + offset[2] * stride[2];
      const int64_t b = table.find(table.keys[a] + uint64_t(to));
      if (b < 0) continue;
      const int64_t i = root(parent, a), j = root(parent, b);
      if (i != j && touch(boxes[a], boxes[b], offset, &sorted[begin[a]], &sorted[0] + begin[a + 1], &sorted[begin[b]],
                          &sorted[0] + begin[b + 1]))
        parent[std::max(i, j)] = int32_t(std::min(i, j));
    }
  std::vector<int64_t> number(blocks);
  int64_t found = 0;
  for (int64_t a = 0; a < blocks; ++a) number[a] = parent[a] == a ? found++ : number[root(parent, a)];
  for (int64_t i = 0; i < n; ++i) parts[i] = number[owner[i]];
  return found;
}

// Joins groups of the same label with voxels at most `gap`, 1 or 2, apart; only `chosen` groups, or all if that is empty.
// Returns the number of each group's component, in the order of their first groups; `found` is the number of components.
std::vector<int64_t> join(int64_t threads, const Cells &in, int gap, const std::vector<uint8_t> &chosen,
                          const int32_t *table, int64_t &found) {
  static const Reach near(1), wide(2);
  const Reach &reach = gap == 1 ? near : wide;
  const std::vector<Group> &groups = in.groups;
  const int64_t cells = int64_t(in.begin.size()) - 1;
  // All threads search pairs that touch; the pairs are joined afterwards.
  constexpr int64_t tasks = 8;
  std::vector<std::vector<std::pair<int32_t, int32_t>>> pairs(tasks);
  parallel(worth(threads, cells * kSteps), tasks, [&](int64_t task) {
    for (int64_t cell = cells * task / tasks; cell < cells * (task + 1) / tasks; ++cell) {
      if (in.begin[cell] == in.begin[cell + 1]) continue;
      for (int step = 0; step < kSteps; ++step) {
        const int64_t other = table[cell * kPitch + kFirst + step];
        if (other < 0) continue;
        for (int32_t a = in.begin[cell]; a < in.begin[cell + 1]; ++a)
          for (int32_t b = in.begin[other]; b < in.begin[other + 1]; ++b)
            if (groups[a].part == groups[b].part && (chosen.empty() || (chosen[a] && chosen[b])) &&
                (reach.slots[step][groups[a].slots] & groups[b].slots))
              pairs[task].emplace_back(a, b);
      }
    }
  });
  std::vector<int32_t> above(groups.size());
  std::iota(above.begin(), above.end(), 0);
  for (const auto &some : pairs)
    for (const auto &[a, b] : some) {
      if (above[a] == above[b]) continue;
      const int64_t i = root(above, a), j = root(above, b);
      above[std::max(i, j)] = int32_t(std::min(i, j));
    }
  std::vector<int64_t> number(groups.size(), -1);
  found = 0;
  for (size_t g = 0; g < groups.size(); ++g)
    if (chosen.empty() || chosen[g]) number[g] = above[g] == int32_t(g) ? found++ : number[root(above, g)];
  return number;
}

// parts (n): number of each voxel's group, −1 for voxels in no group.
void write(int64_t threads, const Cells &in, const std::vector<int64_t> &number, int64_t *parts) {
  const int64_t n = int64_t(in.owner.size()), chunk = 1 << 13;
  parallel(worth(threads, n), (n + chunk - 1) / chunk, [&](int64_t task) {
    for (int64_t i = task * chunk; i < std::min(n, (task + 1) * chunk); ++i)
      parts[i] = in.owner[i] < 0 ? -1 : number[in.owner[i]];
  });
}

// `connected` for gap 1 and all voxels of a grid (see sparse/grid.py). Voxels with a negative label get part −1. A block is
// a cell of the next coarser level, whose neighbours are in the table (cells, 28). A group is the voxels of a cell that have
// the same label, described by the slots that they occupy.
int64_t connected_on_grid(Threads threads, const int64_t *labels, int64_t n, const int64_t *parent, const int64_t *slot, int64_t cells,
                          const int32_t *table, int64_t *parts) {
  const Cells in(threads, labels, n, parent, slot, cells);
  int64_t found;
  const std::vector<int64_t> number = join(threads, in, 1, {}, table, found);
  write(threads, in, number, parts);
  return found;
}

// `connected_on_grid`, after which parts with fewer than `sparse` points per voxel are replaced by their parts for gap 2.
// counts (n): points of each voxel. The parts that stay are numbered before the replaced ones.
int64_t split_by_density(Threads threads, const int64_t *labels, const int64_t *counts, int64_t n, double sparse, const int64_t *parent,
                         const int64_t *slot, int64_t cells, const int32_t *table, int64_t *parts) {
  const Cells in(threads, labels, n, parent, slot, cells);
  int64_t found;
  std::vector<int64_t> number = join(threads, in, 1, {}, table, found);
  std::vector<int64_t> voxels(size_t(found), 0), points(size_t(found), 0);
  for (int64_t i = 0; i < n; ++i)
    if (in.owner[i] >= 0) voxels[number[in.owner[i]]] += 1, points[number[in.owner[i]]] += counts[i];
  std::vector<int64_t> rank(static_cast<size_t>(found));
  int64_t dense = 0, anew = 0;
  for (int64_t k = 0; k < found; ++k) rank[k] = double(points[k]) < sparse * double(voxels[k]) ? -1 : dense++;
  std::vector<uint8_t> again(number.size());
  for (size_t g = 0; g < number.size(); ++g) again[g] = rank[number[g]] < 0;
  const std::vector<int64_t> second = again.empty() ? number : join(threads, in, 2, again, table, anew);
  for (size_t g = 0; g < number.size(); ++g) number[g] = again[g] ? dense + second[g] : rank[number[g]];
  write(threads, in, number, parts);
  return dense + anew;
}

}  // namespace

KERNEL(connected, connected)
KERNEL(connected_on_grid, connected_on_grid)
KERNEL(split_by_density, split_by_density)
