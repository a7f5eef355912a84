// Exact nearest neighbours on the voxel grid: for each cell, the points of its 27 cells (itself and its neighbours) are
// collected once, and each point of the cell selects the k nearest. A point whose k-th distance may reach beyond the 27
// cells is left for larger cells.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "kernel.h"
#include "parallel.h"
#include "simd.h"

namespace {

constexpr int kPitch = 28;
constexpr int64_t kChunk = 128;

// Centre first, then faces, edges, corners: the nearest points come early, so that few later points must be inserted.
constexpr int kOrder[27] = {13, 4, 10, 12, 14, 16, 22, 1, 3, 5, 7, 9, 11, 15, 17, 19, 21, 23, 25, 0, 2, 6, 8, 18, 20, 24, 26};

constexpr float kNone = std::numeric_limits<float>::max();  // the distance of an empty place

// Eight candidates, squared distances and rows. Sorting networks without branches sort and merge them; the order of equal
// distances is not defined.
constexpr int kParts = 8 / kHalf;
struct Eight {
  Floats distance[kParts];
  FloatsMask row[kParts];
};

// A mask with all bits set in the lanes of part P that receive the smaller of lanes i and i ^ J.
template <int J, int P>
inline FloatsMask lower() {
  FloatsMask mask;
  for (int lane = 0; lane < kHalf; ++lane) mask[lane] = (lane + P * kHalf) < ((lane + P * kHalf) ^ J) ? -1 : 0;
  return mask;
}

// Sorts the pairs of lanes i and i ^ J: the smaller value goes to the lower lane.
template <int J>
inline Eight ordered(const Eight &a) {
  Eight result;
  const auto part = [&](auto index) {
    constexpr int p = index(), other = (p * kHalf ^ J) / kHalf;
    const Floats mine = a.distance[p], theirs = exchanged<J % kHalf>(a.distance[other]);
    const FloatsMask keep = lower<J, p>(), takes = ((theirs < mine) & keep) | ((mine < theirs) & ~keep);
    result.distance[p] = takes ? theirs : mine;
    result.row[p] = takes ? exchanged<J % kHalf>(a.row[other]) : a.row[p];
  };
  part(std::integral_constant<int, 0>());
  if constexpr (kParts == 2) part(std::integral_constant<int, 1>());
  return result;
}

inline Eight sort_merged(const Eight &a) { return ordered<1>(ordered<2>(ordered<4>(a))); }
inline Eight sort_any(const Eight &a) { return ordered<1>(ordered<2>(ordered<7>(ordered<1>(ordered<3>(ordered<1>(a)))))); }

// The smaller of lane i of `a` and lane 7 − i of `b`, and the larger in `rest`.
inline Eight smaller(const Eight &a, const Eight &b, Eight &rest) {
  Eight result;
  for (int p = 0; p < kParts; ++p) {
    const int q = kParts - 1 - p;
    const Floats theirs = exchanged<kHalf - 1>(b.distance[q]);
    const FloatsMask row = exchanged<kHalf - 1>(b.row[q]), takes = theirs < a.distance[p];
    result.distance[p] = takes ? theirs : a.distance[p], rest.distance[p] = takes ? a.distance[p] : theirs;
    result.row[p] = takes ? row : a.row[p], rest.row[p] = takes ? a.row[p] : row;
  }
  return result;
}

// Updates best (blocks of eight, ascending) with new candidates. Blocks without a closer candidate are skipped, which are
// most blocks, because candidates come roughly from near to far.
template <int kBlocks>
inline void keep_best(const float *distance, const int32_t *row, size_t groups, Eight *best, int some) {
  const int blocks = kBlocks ? kBlocks : some;
  for (int b = 0; b < blocks; ++b)
    for (int p = 0; p < kParts; ++p) best[b].distance[p] = Floats{} + kNone, best[b].row[p] = FloatsMask{};
  float farthest = kNone;
  for (size_t g = 0; g < groups; ++g, distance += 8, row += 8) {
    Eight more;
    uint32_t closer = 0;
    for (int p = 0; p < kParts; ++p) {
      more.distance[p] = load_floats(distance + p * kHalf);
      closer |= bits_of(more.distance[p] < Floats{} + farthest);
    }
    if (!closer) continue;
    for (int p = 0; p < kParts; ++p) std::memcpy(&more.row[p], row + p * kHalf, sizeof more.row[p]);
    more = sort_any(more);
    for (int b = 0; b < blocks; ++b) {
      Eight rest;
      best[b] = sort_merged(smaller(best[b], more, rest));
      if (b + 1 < blocks) more = sort_merged(rest);
    }
    farthest = best[blocks - 1].distance[kParts - 1][kHalf - 1];
  }
}

// first (n_coarse + 1) of a level from `first` of the next finer level: the rows of cell c are [first[c], first[c + 1]).
void first_rows(int64_t n, const int64_t *parent, const int64_t *finer, int64_t n_coarse, int64_t *first) {
  for (int64_t i = n - 1; i >= 0; --i) first[parent[i]] = finer ? finer[i] : i;
  first[n_coarse] = finer ? finer[n] : n;
}

// The number of distances that `nearest` would compute for the rows with a place.
int64_t nearest_work(Threads threads, int64_t cells, const int32_t *table, const int64_t *first, const int32_t *place) {
  std::vector<int64_t> work(size_t((cells + kChunk - 1) / kChunk));
  parallel(worth(threads, cells * 30), int64_t(work.size()), [&](int64_t task) {
    for (int64_t c = task * kChunk; c < std::min(cells, (task + 1) * kChunk); ++c) {
      int64_t queries = 0, candidates = 0;
      for (int64_t i = first[c]; i < first[c + 1]; ++i) queries += place[i] >= 0;
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

// xyz (V, 3), cells of width `size` with their neighbours `table` and rows `first`. For each row with a place (V ≥ 0), writes
// the k nearest rows to found (…, k), the row itself first. The place becomes −1 if the result is certain. Returns the number
// of rows that are left.
int64_t nearest(Threads threads, int64_t cells, const int32_t *table, const int64_t *first, const float *xyz, double size,
                           int64_t k, int32_t *place, int64_t *found) {
  std::vector<int64_t> left(size_t((cells + kChunk - 1) / kChunk));
  const int64_t count_all = first[cells], pitch = count_all + 8;
  std::vector<float> apart(size_t(3 * pitch));  // x, y and z, a row for each
  float *xs = apart.data(), *ys = xs + pitch, *zs = ys + pitch;
  for (int64_t i = 0; i < count_all; ++i) xs[i] = xyz[i * 3], ys[i] = xyz[i * 3 + 1], zs[i] = xyz[i * 3 + 2];
  parallel(worth(threads, cells * 1000), int64_t(left.size()), [&](int64_t task) {
    const int blocks = int((k + 7) / 8);
    std::vector<float> x, y, z, distance;
    std::vector<int32_t> row;
    std::vector<Eight> best(static_cast<size_t>(blocks));
    for (int64_t c = task * kChunk; c < std::min(cells, (task + 1) * kChunk); ++c) {
      if (std::all_of(place + first[c], place + first[c + 1], [](int32_t p) { return p < 0; })) continue;
      size_t count = 0;
      for (int o : kOrder)
        if (const int64_t near = table[c * kPitch + o]; near >= 0) {
          const int64_t begin = first[near], more = first[near + 1] - begin;
          if (count + more + 16 > x.size()) {
            const size_t room = (count + more) * 2 + 16;
            x.resize(room), y.resize(room), z.resize(room), row.resize(room), distance.resize(room);
          }
          for (int64_t i = 0; i < more; i += 8) {  // in blocks of eight, also beyond the end: the next cell overwrites it
            const size_t at = count + i;
            std::memcpy(&x[at], xs + begin + i, 32);
            std::memcpy(&y[at], ys + begin + i, 32);
            std::memcpy(&z[at], zs + begin + i, 32);
            for (int j = 0; j < 8; ++j) row[at + j] = int32_t(begin + i) + j;
          }
          count += more;
        }
      for (int64_t i = first[c]; i < first[c + 1]; ++i) {
        if (place[i] < 0) continue;
        const float px = xs[i], py = ys[i], pz = zs[i];
        float *__restrict d = distance.data();
        for (size_t j = 0; j < count; ++j) {
          const float dx = x[j] - px, dy = y[j] - py, dz = z[j] - pz;
          d[j] = dx * dx + dy * dy + dz * dz;
        }
        for (size_t j = count; j % 8; ++j) d[j] = std::numeric_limits<float>::max(), row[j] = 0;
        d[i - first[c]] = -1;  // the points of the cell come first; the point itself wins
        if (blocks == 1) keep_best<1>(d, row.data(), (count + 7) / 8, best.data(), 1);
        else keep_best<0>(d, row.data(), (count + 7) / 8, best.data(), blocks);
        const auto distance_of = [&](int64_t j) { return best[j / 8].distance[j % 8 / kHalf][j % kHalf]; };
        const auto row_of = [&](int64_t j) { return best[j / 8].row[j % 8 / kHalf][j % kHalf]; };
        int64_t *to = found + place[i] * k;
        for (int64_t j = 0; j < k; ++j) to[j] = distance_of(j) == kNone ? i : int64_t(row_of(j));
        // All points closer than the border of the 27 cells were candidates. Rounding of the point's position in its cell
        // can only make the border seem closer.
        float border = std::numeric_limits<float>::max(), far = 0;
        for (int axis = 0; axis < 3; ++axis) {
          const double p = axis == 0 ? px : axis == 1 ? py : pz, inside = p - std::floor(p / size) * size;
          border = std::min(border, float(std::min(inside, size - inside)));
          far = std::max(far, std::abs(float(p)));
        }
        const float safe = border + float(size) * 0.999f - far * 8 * std::numeric_limits<float>::epsilon();
        const float last = distance_of(k - 1);
        if (last < kNone && safe > 0 && (k == 1 || last < safe * safe)) place[i] = -1;
        else ++left[task];
      }
    }
  });
  int64_t total = 0;
  for (int64_t part : left) total += part;
  return total;
}

// fresh (…): the rows of near (n) for which `seen` was 0, in order; sets `seen` to 1. Returns their number.
int64_t unseen(int64_t n, const int64_t *near, uint8_t *seen, int64_t *fresh) {
  int64_t count = 0;
  for (int64_t i = 0; i < n; ++i)
    if (!seen[near[i]]) seen[near[i]] = 1, fresh[count++] = near[i];
  return count;
}

}  // namespace

KERNEL(first_rows, first_rows)
KERNEL(nearest_work, nearest_work)
KERNEL(nearest, nearest)
KERNEL(unseen, unseen)
