// The voxels of each part in each cell of 2 × 2 × 2 voxels, and the neighbours of voxels in neighbouring cells.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <vector>

// The voxels of a part in a cell: bit 4 x + 2 y + z of `slots` for the voxel at (x, y, z).
struct Group {
  int64_t part;
  uint8_t slots;
};

// The groups of cell c are begin[c] … begin[c + 1] − 1; voxel i is in group owner[i], −1 where part[i] < 0.
// The voxels of a cell follow each other.
struct Cells {
  std::vector<Group> groups;
  std::vector<int32_t> begin, owner;

  Cells(const int64_t *part, int64_t n, const int64_t *parent, const int64_t *slot, int64_t cells)
      : begin(cells + 1), owner(n) {
    groups.reserve(cells + cells / 4);
    int64_t cell = -1;
    for (int64_t i = 0; i < n; ++i) {
      while (cell < parent[i]) begin[++cell] = int32_t(groups.size());
      owner[i] = -1;
      if (part[i] < 0) continue;
      size_t g = begin[cell];
      while (g < groups.size() && groups[g].part != part[i]) ++g;
      if (g == groups.size()) groups.push_back({part[i], 0});
      groups[g].slots |= uint8_t(1 << slot[i]);
      owner[i] = int32_t(g);
    }
    begin[cells] = int32_t(groups.size());
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
