// Exact nearest neighbours on the voxel grid: for a cell, the points of the 27 cells around it are laid out once, and each
// of its own points keeps the k best of them. A point whose k-th distance may reach beyond these cells stays open.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "parallel.h"

namespace {

constexpr int kPitch = 28;
constexpr int64_t kChunk = 128;

// Centre first, then faces, edges, corners: the best come early, and few of the rest have to be sorted in.
constexpr int kOrder[27] = {13, 4, 10, 12, 14, 16, 22, 1, 3, 5, 7, 9, 11, 15, 17, 19, 21, 23, 25, 0, 2, 6, 8, 18, 20, 24, 26};

struct Best {
  float distance;
  int32_t row;
  bool operator<(const Best &other) const { return distance < other.distance || (distance == other.distance && row < other.row); }
};

}  // namespace

// first (n_coarse + 1) of a level from that of the next finer one: the finest rows of cell c are [first[c], first[c + 1]).
extern "C" void first_rows(int64_t, int64_t n, const int64_t *parent, const int64_t *finer, int64_t n_coarse, int64_t *first) {
  for (int64_t i = n - 1; i >= 0; --i) first[parent[i]] = finer ? finer[i] : i;
  first[n_coarse] = finer ? finer[n] : n;
}

// How many distances `nearest` would look at for the rows that are open.
extern "C" int64_t nearest_work(int64_t threads, int64_t cells, const int32_t *table, const int64_t *first, const uint8_t *open) {
  std::vector<int64_t> work(size_t((cells + kChunk - 1) / kChunk));
  parallel(worth(threads, cells * 30), int64_t(work.size()), [&](int64_t task) {
    for (int64_t c = task * kChunk; c < std::min(cells, (task + 1) * kChunk); ++c) {
      int64_t queries = 0, candidates = 0;
      for (int64_t i = first[c]; i < first[c + 1]; ++i) queries += open[i];
      if (!queries) continue;
      for (int o = 0; o < 27; ++o)
        if (const int64_t near = table[c * kPitch + o]; near >= 0) candidates += first[near + 1] - first[near];
      work[task] += queries * candidates;
    }
  });
  int64_t total = 0;
  for (int64_t part : work) total += part;
  return total;
}

// xyz (V, 3), cells `size` wide with their neighbours `table` and rows `first`; for rows that are open (V): found (V, k),
// the row itself first, and open is cleared where that is the answer for sure. Returns how many stay open.
extern "C" int64_t nearest(int64_t threads, int64_t cells, const int32_t *table, const int64_t *first, const float *xyz, double size,
                           int64_t k, uint8_t *open, int64_t *found) {
  std::vector<int64_t> left(size_t((cells + kChunk - 1) / kChunk));
  parallel(worth(threads, cells * 1000), int64_t(left.size()), [&](int64_t task) {
    std::vector<float> x, y, z, distance;
    std::vector<int32_t> row;
    std::vector<Best> best(size_t(k) + 1);
    for (int64_t c = task * kChunk; c < std::min(cells, (task + 1) * kChunk); ++c) {
      if (!std::any_of(open + first[c], open + first[c + 1], [](uint8_t o) { return o; })) continue;
      size_t count = 0;
      for (int o : kOrder)
        if (const int64_t near = table[c * kPitch + o]; near >= 0) {
          const size_t more = size_t(first[near + 1] - first[near]);
          if (count + more > x.size()) {
            const size_t room = (count + more) * 2;
            x.resize(room), y.resize(room), z.resize(room), row.resize(room), distance.resize(room);
          }
          for (int64_t i = first[near]; i < first[near + 1]; ++i, ++count)
            x[count] = xyz[i * 3], y[count] = xyz[i * 3 + 1], z[count] = xyz[i * 3 + 2], row[count] = int32_t(i);
        }
      for (int64_t i = first[c]; i < first[c + 1]; ++i) {
        if (!open[i]) continue;
        const float px = xyz[i * 3], py = xyz[i * 3 + 1], pz = xyz[i * 3 + 2];
        float *__restrict d = distance.data();
        for (size_t j = 0; j < count; ++j) {
          const float dx = x[j] - px, dy = y[j] - py, dz = z[j] - pz;
          d[j] = dx * dx + dy * dy + dz * dz;
        }
        d[i - first[c]] = -1;  // the cell's own points were laid out first, and the point itself comes first
        int64_t have = 0;
        for (size_t j = 0; j < count; ++j) {
          if (have == k && d[j] > best[k - 1].distance) continue;
          const Best one{d[j], row[j]};
          int64_t at = have < k ? have++ : k;  // best[k] is a place for the one that falls out
          while (at > 0 && one < best[at - 1]) best[at] = best[at - 1], --at;
          best[at] = one;
        }
        for (int64_t j = 0; j < k; ++j) found[i * k + j] = j < have ? best[j].row : i;
        // What lies closer than the border of the 27 cells was a candidate. Where in its cell the point lies is told up
        // to rounding, which can only make it look closer to the border.
        float border = std::numeric_limits<float>::max(), far = 0;
        for (int axis = 0; axis < 3; ++axis) {
          const double p = xyz[i * 3 + axis], inside = p - std::floor(p / size) * size;
          border = std::min(border, float(std::min(inside, size - inside)));
          far = std::max(far, std::abs(float(p)));
        }
        const float safe = border + float(size) * 0.999f - far * 8 * std::numeric_limits<float>::epsilon();
        if (have == k && safe > 0 && best[k - 1].distance < safe * safe) open[i] = 0;
        else ++left[task];
      }
    }
  });
  int64_t total = 0;
  for (int64_t part : left) total += part;
  return total;
}
