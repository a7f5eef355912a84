// The voxels of each part in each cell of 2 × 2 × 2 voxels, and the neighbours of voxels in neighbouring cells.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "parallel.h"

// The voxels of a part in a cell: bit 4 x + 2 y + z of `slots` for the voxel at (x, y, z).
struct Group {
  int64_t part;
  uint8_t slots;
};

// Cell c has the groups begin[c] … begin[c + 1] − 1; voxel i is in group owner[i], −1 if part[i] < 0. The voxels of a cell
// are consecutive.
struct Cells {
  std::vector<Group> groups;
  std::vector<int32_t> begin, owner;

  Cells(int64_t threads, const int64_t *part, int64_t n, const int64_t *parent, const int64_t *slot, int64_t cells)
      : begin(size_t(cells + 1)), owner(size_t(n)) {
    // Each task takes the voxels of whole cells and numbers its groups from 0; afterwards the numbers are shifted.
    constexpr int64_t tasks = 8;
    std::vector<Group> some[tasks];
    int64_t first[tasks + 1], offset[tasks + 1] = {};
    for (int64_t task = 0; task <= tasks; ++task) {
      first[task] = n * task / tasks;
      while (first[task] > 0 && first[task] < n && parent[first[task]] == parent[first[task] - 1]) ++first[task];
    }
    threads = worth(threads, n);
    parallel(threads, tasks, [&](int64_t task) {
      std::vector<Group> &found = some[task];
      found.reserve(size_t((first[task + 1] - first[task]) / 2 + 1));
      for (int64_t i = first[task], cell = -1; i < first[task + 1]; ++i) {
        if (parent[i] != cell) begin[cell = parent[i]] = int32_t(found.size());
        owner[i] = -1;
        if (part[i] < 0) continue;
        size_t g = size_t(begin[cell]);
        while (g < found.size() && found[g].part != part[i]) ++g;
        if (g == found.size()) found.push_back({part[i], 0});
        found[g].slots |= uint8_t(1 << slot[i]);
        owner[i] = int32_t(g);
      }
    });
    for (int64_t task = 0; task < tasks; ++task) offset[task + 1] = offset[task] + int64_t(some[task].size());
    groups.resize(size_t(offset[tasks]));
    begin[cells] = int32_t(offset[tasks]);
    parallel(threads, tasks, [&](int64_t task) {
      std::copy(some[task].begin(), some[task].end(), groups.begin() + offset[task]);
      for (int64_t i = first[task], cell = -1; i < first[task + 1]; ++i) {
        if (parent[i] != cell) begin[cell = parent[i]] += int32_t(offset[task]);
        if (owner[i] >= 0) owner[i] += int32_t(offset[task]);
      }
    });
  }
};

// The steps to the 13 neighbours after the cell itself, of 26: columns 14 … 26 of the table of neighbours.
constexpr int kSteps = 13, kFirst = 14, kPitch = 28;

// slots[step][s]: the voxels of the cell a step away that are at most `gap`, 1 or 2, from any of the voxels `s`.
struct Reach {
  uint8_t slots[kSteps][256] = {};

  explicit Reach(int gap = 1) {
    for (int step = 0; step < kSteps; ++step) {
      const int column = step + kFirst, offset[3] = {column / 9 - 1, column / 3 % 3 - 1, column % 3 - 1};
      for (int from = 0; from < 8; ++from)
        for (int to = 0; to < 8; ++to) {
          bool near = true;
          for (int d = 0; d < 3; ++d) near &= std::abs(2 * offset[d] + (to >> (2 - d) & 1) - (from >> (2 - d) & 1)) <= gap;
          if (near) slots[step][1 << from] |= uint8_t(1 << to);
        }
      for (int some = 1; some < 256; ++some)
        for (int s = 0; s < 8; ++s)
          if (some >> s & 1) slots[step][some] |= slots[step][1 << s];
    }
  }
};
