// Exact nearest neighbours on the voxel grid: for a cell, the points of the 27 cells around it are laid out once, and each
// of its own points keeps the k best of them. A point whose k-th distance may reach beyond these cells is left for wider ones.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#ifdef __AVX__
#include <immintrin.h>
#endif

#include "kernel.h"
#include "parallel.h"

namespace {

constexpr int kPitch = 28;
constexpr int64_t kChunk = 128;

// Centre first, then faces, edges, corners: the best come early, and few of the rest have to be sorted in.
constexpr int kOrder[27] = {13, 4, 10, 12, 14, 16, 22, 1, 3, 5, 7, 9, 11, 15, 17, 19, 21, 23, 25, 0, 2, 6, 8, 18, 20, 24, 26};

// A candidate is one integer: its squared distance above, whose bits order like the number itself, its row below, which
// breaks ties. Eight of them are sorted and merged at a time by a network without branches.
typedef int64_t Eight __attribute__((vector_size(64)));
constexpr int64_t kFarthest = std::numeric_limits<int64_t>::max();
constexpr int64_t kNone = int64_t(0x7F000000) << 32;  // from here on a key is no distance, but a place left empty

inline Eight smaller(Eight a, Eight b) { return a < b ? a : b; }
inline Eight larger(Eight a, Eight b) { return a < b ? b : a; }

// Lane i and lane i ^ J are put in order, the smaller one in the lower lane.
template <int J>
inline Eight exchange(Eight a) {
  const Eight b = __builtin_shuffle(a, Eight{0 ^ J, 1 ^ J, 2 ^ J, 3 ^ J, 4 ^ J, 5 ^ J, 6 ^ J, 7 ^ J});
  constexpr auto from = [](int i) { return int64_t(i < (i ^ J) ? i : i + 8); };
  return __builtin_shuffle(smaller(a, b), larger(a, b),
                           Eight{from(0), from(1), from(2), from(3), from(4), from(5), from(6), from(7)});
}

inline Eight sort_merged(Eight a) { return exchange<1>(exchange<2>(exchange<4>(a))); }
inline Eight sort_any(Eight a) { return exchange<1>(exchange<2>(exchange<7>(exchange<1>(exchange<3>(exchange<1>(a)))))); }

inline float distance_of(int64_t key) {
  const int32_t bits = int32_t(key >> 32);
  float distance;
  std::memcpy(&distance, &bits, sizeof distance);
  return distance;
}

inline bool any_within(const float *eight, float limit) {
#ifdef __AVX__
  return _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(eight), _mm256_set1_ps(limit), _CMP_LE_OQ));
#else
  int any = 0;
  for (int j = 0; j < 8; ++j) any |= eight[j] <= limit;
  return any;
#endif
}

// best (blocks of eight, ascending) becomes the smallest of all candidates. Eights with nothing closer than what there is
// are passed over; candidates come roughly from near to far, so most of them are.
template <int kBlocks>
inline void keep_best(const float *distance, const int32_t *row, size_t groups, Eight *best, int some) {
  const int blocks = kBlocks ? kBlocks : some;
  for (int b = 0; b < blocks; ++b) best[b] = Eight{} + kFarthest;
  float farthest = std::numeric_limits<float>::max();
  for (size_t g = 0; g < groups; ++g, distance += 8, row += 8) {
    if (!any_within(distance, farthest)) continue;
    alignas(64) int64_t keys[8];
    for (int j = 0; j < 8; ++j) {
      int32_t bits;
      std::memcpy(&bits, distance + j, sizeof bits);
      keys[j] = int64_t(bits) << 32 | row[j];
    }
    Eight more;
    std::memcpy(&more, keys, sizeof more);
    more = sort_any(more);
    for (int b = 0; b < blocks; ++b) {
      const Eight turned = __builtin_shuffle(more, Eight{7, 6, 5, 4, 3, 2, 1, 0});
      if (b + 1 < blocks) more = sort_merged(larger(best[b], turned));
      best[b] = sort_merged(smaller(best[b], turned));
    }
    const int64_t last = best[blocks - 1][7];
    if (last < kNone) farthest = distance_of(last);
  }
}


// first (n_coarse + 1) of a level from that of the next finer one: the finest rows of cell c are [first[c], first[c + 1]).
void first_rows(int64_t n, const int64_t *parent, const int64_t *finer, int64_t n_coarse, int64_t *first) {
  for (int64_t i = n - 1; i >= 0; --i) first[parent[i]] = finer ? finer[i] : i;
  first[n_coarse] = finer ? finer[n] : n;
}

// How many distances `nearest` would look at for the rows that have a place.
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

// xyz (V, 3), cells `size` wide with their neighbours `table` and rows `first`; for rows with a place (V) in found
// (…, k), the row itself first; the place becomes −1 where that is the answer for sure. Returns how many are left.
int64_t nearest(Threads threads, int64_t cells, const int32_t *table, const int64_t *first, const float *xyz, double size,
                           int64_t k, int32_t *place, int64_t *found) {
  std::vector<int64_t> left(size_t((cells + kChunk - 1) / kChunk));
  const int64_t count_all = first[cells], pitch = count_all + 8;
  std::vector<float> apart(size_t(3 * pitch));  // x, y and z each in a row of their own
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
          for (int64_t i = 0; i < more; i += 8) {  // by eights, past the end too: the next cell is written over that
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
        d[i - first[c]] = -1;  // the cell's own points are laid out first; the point itself wins
        if (blocks == 1) keep_best<1>(d, row.data(), (count + 7) / 8, best.data(), 1);
        else keep_best<0>(d, row.data(), (count + 7) / 8, best.data(), blocks);
        const int64_t *sorted = reinterpret_cast<const int64_t *>(best.data());
        for (int64_t j = 0; j < k; ++j) found[place[i] * k + j] = sorted[j] >= kNone ? i : sorted[j] & 0xFFFFFFFF;
        // What lies closer than the border of the 27 cells was a candidate. Where in its cell the point lies is told up
        // to rounding, which can only make it look closer to the border.
        float border = std::numeric_limits<float>::max(), far = 0;
        for (int axis = 0; axis < 3; ++axis) {
          const double p = axis == 0 ? px : axis == 1 ? py : pz, inside = p - std::floor(p / size) * size;
          border = std::min(border, float(std::min(inside, size - inside)));
          far = std::max(far, std::abs(float(p)));
        }
        const float safe = border + float(size) * 0.999f - far * 8 * std::numeric_limits<float>::epsilon();
        const int64_t last = sorted[k - 1];
        if (last < kNone && safe > 0 && (k == 1 || distance_of(last) < safe * safe)) place[i] = -1;
        else ++left[task];
      }
    }
  });
  int64_t total = 0;
  for (int64_t part : left) total += part;
  return total;
}

// new (…): each of near (n) of which `seen` was 0, in order; it is 1 then. Returns how many.
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
