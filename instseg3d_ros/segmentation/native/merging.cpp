// Merges the two most similar parts that touch, until none are similar enough. Twin of `merge_numpy` in ../merging.py.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <iterator>
#include <queue>
#include <tuple>
#include <vector>

#include "kernel.h"

namespace {

// A difference, both parts, and how often each part had grown when the difference was computed.
using Entry = std::tuple<double, int64_t, int64_t, int64_t, int64_t>;


// For `num` parts: points (num), sizes (num) in voxels, sums (num, dim), shares (num, classes), which are all overwritten;
// pairs (count, 2): the parts a < b that touch, each pair once, in lexicographic order. Returns the number of steps.
// steps (num, 2): each merges the second part into the first, at differences (num).
int64_t merge_alike(double *points, double *sizes, double *sums, double *shares, int64_t num, int64_t dim,
                            int64_t classes, const int64_t *pairs, int64_t count, double limit, double class_weight,
                            double allowance, double typical, int64_t *steps, double *differences) {
  std::vector<std::vector<int64_t>> touching(num);
  std::vector<int64_t> version(num, 0), joined;

  const auto difference = [&](int64_t a, int64_t b) {
    double square = 0, shared = 0;
    for (int64_t d = 0; d < dim; ++d) {
      const double step = sums[a * dim + d] / points[a] - sums[b * dim + d] / points[b];
      square += step * step;
    }
    for (int64_t c = 0; c < classes; ++c)
      shared += std::abs(shares[a * classes + c] / points[a] - shares[b * classes + c] / points[b]);
    return std::sqrt(square) + class_weight / 2 * shared - allowance * std::log(std::max(sizes[a], sizes[b]) / typical);
  };

  std::priority_queue<Entry, std::vector<Entry>, std::greater<Entry>> queue;
  const auto enqueue = [&](int64_t a, int64_t b) {
    const double apart = difference(a, b);
    if (apart <= limit) queue.emplace(apart, a, b, version[a], version[b]);
  };
  for (int64_t p = 0; p < count; ++p) {
    const int64_t a = pairs[2 * p], b = pairs[2 * p + 1];
    touching[a].push_back(b);
    touching[b].push_back(a);
    enqueue(a, b);
  }
  for (auto &others : touching) std::sort(others.begin(), others.end());

  int64_t made = 0;
  while (!queue.empty()) {
    const auto [apart, a, b, version_a, version_b] = queue.top();
    queue.pop();
    if (version[a] != version_a || version[b] != version_b) continue;
    points[a] += points[b];
    sizes[a] += sizes[b];
    for (int64_t d = 0; d < dim; ++d) sums[a * dim + d] += sums[b * dim + d];
    for (int64_t c = 0; c < classes; ++c) shares[a * classes + c] += shares[b * classes + c];
    steps[2 * made] = a;
    steps[2 * made + 1] = b;
    differences[made++] = apart;
    version[a] += 1;
    version[b] = -1;
    joined.clear();
    std::set_union(touching[a].begin(), touching[a].end(), touching[b].begin(), touching[b].end(),
                   std::back_inserter(joined));
    joined.erase(std::remove_if(joined.begin(), joined.end(), [a = a, b = b](int64_t k) { return k == a || k == b; }),
                 joined.end());
    for (const int64_t other : joined) {
      auto &theirs = touching[other];
      const auto gone = std::lower_bound(theirs.begin(), theirs.end(), b);
      if (gone != theirs.end() && *gone == b) theirs.erase(gone);
      const auto place = std::lower_bound(theirs.begin(), theirs.end(), a);
      if (place == theirs.end() || *place != a) theirs.insert(place, a);
      enqueue(std::min(a, other), std::max(a, other));
    }
    touching[a] = joined;
    touching[b].clear();
  }
  return made;
}

}  // namespace

KERNEL(merge_alike, merge_alike)
