// Mean shift with a flat kernel. Sums over balls come from a tree of boxes: a box inside the ball adds its stored sum, and
// only in boxes that the sphere cuts are points tested. Twin of ../mean_shift_torch.py; same answer as scikit-learn's
// MeanShift(bandwidth, bin_seeding=True).
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numeric>
#include <vector>

#include "kernel.h"
#include "parallel.h"
#include "simd.h"

namespace {

constexpr int LEAF = 64;  // points per leaf
constexpr int FAN = 8;    // nodes per parent
constexpr int LANES = kLanes<double>;
constexpr int CELLS_PER_BIN = 8;  // resolution of the space-filling order
constexpr int MAX_ITERATIONS = 300;
constexpr double STOP = 1e-3;    // of the bandwidth
constexpr double SLACK = 1e-12;  // boxes as near to the sphere as rounding errors: their points are tested

typedef Vector<double> Lane;
typedef int64_t Mask __attribute__((vector_size(kVectorBytes)));
typedef Vector<float> Lane32;
typedef int32_t Mask32 __attribute__((vector_size(kVectorBytes)));

// LANES values of either precision as doubles.
template <class X>
inline Lane wide(const X *x) {
  typedef X Some __attribute__((vector_size(LANES * sizeof(X))));
  Some some;
  std::memcpy(&some, x, sizeof some);
  return __builtin_convertvector(some, Lane);
}

template <int D>
struct Node {
  double low[D], high[D], sum[D];
  int64_t count = 0;
  Node() {
    for (int d = 0; d < D; ++d) {
      low[d] = std::numeric_limits<double>::infinity();
      high[d] = -low[d];
      sum[d] = 0;
    }
  }
  void add(const Node &other) {
    count += other.count;
    for (int d = 0; d < D; ++d) {
      low[d] = std::min(low[d], other.low[d]);
      high[d] = std::max(high[d], other.high[d]);
      sum[d] += other.sum[d];
    }
  }
  // Squared distances from `c` to the nearest and the farthest point of the box.
  void range(const double *c, double &nearest, double &farthest) const {
    nearest = farthest = 0;
    for (int d = 0; d < D; ++d) {
      const double below = low[d] - c[d], above = c[d] - high[d];
      const double out = std::max(0.0, std::max(below, above)), far = std::min(below, above);
      nearest += out * out;
      farthest += far * far;
    }
  }
};

// FAN nodes with the same parent; missing nodes at the end have an empty box, which no ball contains. Boxes are in float:
// `Tree::ball` allows for the rounding.
template <int D>
struct Siblings {
  float low[D][FAN], high[D][FAN];
  double sum[FAN][D] = {};
  int64_t count[FAN] = {};
  Siblings() {
    for (int i = 0; i < FAN; ++i) put(i, Node<D>());
  }
  void put(int i, const Node<D> &node) {
    count[i] = node.count;
    for (int d = 0; d < D; ++d) low[d][i] = float(node.low[d]), high[d][i] = float(node.high[d]), sum[i][d] = node.sum[d];
  }
};

// Points (n, dim) in float or double, in NumPy's layout.
template <class X>
struct Points {
  const X *data;
  const int64_t n;
  const int dim;
  double operator()(int64_t row, int d) const { return data[row * dim + d]; }
  // x / size, rounded in the precision of the points, so that a coordinate on the edge of two bins gets the same bin as in
  // NumPy.
  float bin(double x, double size) const { return float(std::rint(X(x) / X(size))); }
};

// Points in the order of a space-filling curve, divided into leaves, and the boxes of leaves and of their parents.
template <int D, class X>
struct Tree {
  const Points<X> points;
  const int64_t n, leaf_count;
  const int dim, threads;
  std::vector<uint32_t> order;
  std::vector<X> leaves;  // [leaf][dimension][LEAF]; the last leaf is padded with NaN, which no ball contains
  std::vector<Node<D>> boxes;                    // boxes of the leaves
  std::vector<std::vector<Siblings<D>>> levels;  // levels[0]: the boxes of the leaves
  double largest = 0;  // largest absolute coordinate

  Tree(const Points<X> &points, double bandwidth, int threads)
      : points(points), n(points.n), leaf_count((n + LEAF - 1) / LEAF), dim(points.dim), threads(threads) {
    sort_along_curve(bandwidth);
    leaves.resize(leaf_count * D * LEAF);
    boxes.resize(leaf_count);
    parallel(threads, (leaf_count + 63) / 64, [&](int64_t task) {
      for (int64_t leaf = task * 64; leaf < std::min(leaf_count, task * 64 + 64); ++leaf) fill(leaf);
    });
    std::vector<Node<D>> nodes = boxes, coarse;
    do {
      std::vector<Siblings<D>> level((nodes.size() + FAN - 1) / FAN);
      coarse.assign(level.size(), Node<D>());
      for (size_t i = 0; i < nodes.size(); ++i) {
        level[i / FAN].put(i % FAN, nodes[i]);
        coarse[i / FAN].add(nodes[i]);
      }
      levels.push_back(std::move(level));
      nodes.swap(coarse);
    } while (nodes.size() > 4);
  }

  const X *leaf_points(int64_t leaf) const { return &leaves[leaf * D * LEAF]; }

  void fill(int64_t leaf) {
    X *out = &leaves[leaf * D * LEAF];
    Node<D> node;
    node.count = std::min<int64_t>(LEAF, n - leaf * LEAF);
    for (int i = 0; i < LEAF; ++i) {
      if (i >= node.count) {
        for (int d = 0; d < D; ++d) out[d * LEAF + i] = std::numeric_limits<X>::quiet_NaN();
        continue;
      }
      for (int d = 0; d < D; ++d) {
        const double x = d < dim ? points(order[leaf * LEAF + i], d) : 0;
        out[d * LEAF + i] = X(x);
        node.low[d] = std::min(node.low[d], x);
        node.high[d] = std::max(node.high[d], x);
        node.sum[d] += x;
      }
    }
    boxes[leaf] = node;
  }

  // Z-order of cells that are aligned with the bins of the seeds, so that the points of a bin are adjacent.
  void sort_along_curve(double bandwidth) {
    const int64_t chunk = 1 << 13, chunks = (n + chunk - 1) / chunk;
    std::vector<double> low(chunks * D, 0), high(chunks * D, 0);
    parallel(threads, chunks, [&](int64_t task) {
      for (int d = 0; d < dim; ++d) low[task * D + d] = high[task * D + d] = points(task * chunk, d);
      for (int64_t i = task * chunk; i < std::min(n, (task + 1) * chunk); ++i)
        for (int d = 0; d < dim; ++d) {
          low[task * D + d] = std::min(low[task * D + d], points(i, d));
          high[task * D + d] = std::max(high[task * D + d], points(i, d));
        }
    });
    double origin[D], extent = 0;
    for (int d = 0; d < dim; ++d) {
      for (int64_t task = 1; task < chunks; ++task) {
        low[d] = std::min(low[d], low[task * D + d]);
        high[d] = std::max(high[d], high[task * D + d]);
      }
      origin[d] = (std::rint(low[d] / bandwidth) - 0.5) * bandwidth;
      extent = std::max(extent, high[d] - origin[d]);
      largest = std::max(largest, std::max(std::abs(low[d]), std::abs(high[d])));
    }
    const int used = std::min(dim, 64), most = std::min(16, 64 / used);
    double cell = bandwidth / CELLS_PER_BIN;
    while (extent / cell >= double(1 << most)) cell *= 2;
    int bits = 1;
    while (extent / cell >= double(1 << bits)) ++bits;
    std::vector<uint64_t> spread(256);  // a byte with `used` − 1 zeros between its bits
    for (int byte = 0; byte < 256; ++byte)
      for (int bit = 0; bit < 8; ++bit)
        if (byte >> bit & 1 && bit * used < 64) spread[byte] |= uint64_t(1) << bit * used;
    std::vector<Entry> entries(n);
    parallel(threads, chunks, [&](int64_t task) {
      for (int64_t i = task * chunk; i < std::min(n, (task + 1) * chunk); ++i) {
        uint64_t key = 0;
        for (int d = 0; d < used; ++d) {
          const double place = std::max(0.0, (points(i, d) - origin[d]) / cell);
          const unsigned at = std::min(unsigned(place), (1u << bits) - 1);
          uint64_t wide = spread[at & 255];
          if (bits > 8) wide |= spread[at >> 8] << 8 * used;
          key |= wide << d;
        }
        entries[i] = {key, uint32_t(i)};
      }
    });
    radix_sort(entries, bits * used);
    order.resize(n);
    for (int64_t i = 0; i < n; ++i) order[i] = entries[i].row;
  }

  struct Entry {
    uint64_t key;
    uint32_t row;
  };

  static void radix_sort(std::vector<Entry> &entries, int bits) {
    const int passes = std::max(1, (bits + 10) / 11), digit = (bits + passes - 1) / passes;
    std::vector<Entry> other(entries.size());
    std::vector<uint32_t> start((size_t(1) << digit) + 1);
    for (int pass = 0; pass < passes; ++pass) {
      const int shift = pass * digit;
      const uint64_t mask = (uint64_t(1) << digit) - 1;
      std::fill(start.begin(), start.end(), 0);
      for (const Entry &e : entries) ++start[(e.key >> shift & mask) + 1];
      std::partial_sum(start.begin(), start.end(), start.begin());
      for (const Entry &e : entries) other[start[e.key >> shift & mask]++] = e;
      entries.swap(other);
    }
  }

  // Bound on the error of float in a squared distance near `square`, for coordinates as large as those of the points.
  double doubt(double square) const {
    const double radius = std::sqrt(square);
    return (16 + 2 * D) * double(std::numeric_limits<float>::epsilon()) * (largest + radius) * radius;
  }

  // Number and sum of the points within sqrt(square) of `c`.
  int64_t ball(const double *c, double square, double *sum) const {
    Ball found(*this, c, square);
    for (size_t at = 0; at < levels.back().size(); ++at) found.visit(int(levels.size()) - 1, at);
    return found.total(sum);
  }

  struct Ball {
    const Tree &tree;
    const double *c;
    const double square;
    const float sure, possible;  // squared distances below which a box is surely inside, above which it is surely outside
    Lane sums[D];                // of single points
    double whole_sum[D];         // of whole boxes
    int64_t count = 0;

    Ball(const Tree &tree, const double *c, double square)
        : tree(tree), c(c), square(square), sure(float(square - tree.doubt(square))),
          possible(float(square + tree.doubt(square))) {
      for (int d = 0; d < D; ++d) sums[d] = Lane{}, whole_sum[d] = 0;
    }

    void visit(int level, int64_t at) {
      const Siblings<D> &nodes = tree.levels[level][at];
      for (int part = 0; part < FAN; part += kHalf) {
        Floats nearest = {}, farthest = {};
        for (int d = 0; d < D; ++d) {
          const float center = float(c[d]);
          const Floats below = load_floats(nodes.low[d] + part) - center, above = center - load_floats(nodes.high[d] + part);
          const Floats larger = below < above ? above : below, far = below < above ? below : above;
          const Floats out = larger > Floats{} ? larger : Floats{};
          nearest += out * out;
          farthest += far * far;
        }
        const uint32_t whole = bits_of(farthest < Floats{} + sure);
        // In this form, the points are tested if a distance has overflowed or is NaN.
        const uint32_t cut = ~bits_of(nearest > Floats{} + possible) & ~whole & ((1u << kHalf) - 1);
        for (uint32_t left = whole; left; left &= left - 1) {
          const int i = part + __builtin_ctz(left);
          count += nodes.count[i];
          for (int d = 0; d < D; ++d) whole_sum[d] += nodes.sum[i][d];
        }
        for (uint32_t left = cut; left; left &= left - 1) {
          const int64_t child = at * FAN + part + __builtin_ctz(left);
          if (level > 0) visit(level - 1, child);
          else if (child < tree.leaf_count) add_inside(child);
        }
      }
    }

    int64_t total(double *sum) const {
      for (int d = 0; d < D; ++d) {
        sum[d] = whole_sum[d];
        for (int lane = 0; lane < LANES; ++lane) sum[d] += sums[d][lane];
      }
      return count;
    }

    // Adds the points of a leaf that are in the ball.
    void add_inside(int64_t leaf) {
      if constexpr (sizeof(X) == sizeof(float))
        if (add_inside_in_float(leaf)) return;
      const X *x = tree.leaf_points(leaf);
      Mask counts = {};
      for (int at = 0; at < LEAF; at += LANES) {
        Lane distance = {};
        for (int d = 0; d < D; ++d) {
          const Lane step = wide(x + d * LEAF + at) - c[d];
          distance += step * step;
        }
        const Mask inside = distance <= Lane{} + square;
        counts -= inside;  // true is −1
        for (int d = 0; d < D; ++d) sums[d] += (Lane)(inside & (Mask)wide(x + d * LEAF + at));
      }
      for (int lane = 0; lane < LANES; ++lane) count += counts[lane];
    }

    // The same for twice as many points at once, in float; returns false, and adds nothing, if rounding could move a point
    // across the sphere.
    bool add_inside_in_float(int64_t leaf) {
      const X *x = tree.leaf_points(leaf);
      const Lane32 surely = Lane32{} + sure, maybe = Lane32{} + possible;
      Lane32 partial[D] = {};
      Mask32 found = {}, unsure = {};
      for (int at = 0; at < LEAF; at += 2 * LANES) {
        Lane32 distance = {};
        for (int d = 0; d < D; ++d) {
          const Lane32 step = load(x + d * LEAF + at) - float(c[d]);
          distance += step * step;
        }
        const Mask32 inside = distance <= surely;
        unsure |= inside ^ (distance <= maybe);
        found -= inside;
        for (int d = 0; d < D; ++d) partial[d] += (Lane32)(inside & (Mask32)load(x + d * LEAF + at));
      }
      int32_t any = 0, inside = 0;
      for (int i = 0; i < 2 * LANES; ++i) any |= unsure[i], inside += found[i];
      if (any) return false;
      count += inside;
      for (int d = 0; d < D; ++d) {
        float both[2 * LANES];
        std::memcpy(both, &partial[d], sizeof both);
        sums[d] += wide(both) + wide(both + LANES);
      }
      return true;
    }
  };
};

template <int D>
struct Mode {
  double at[D];
  int64_t count;  // points within the bandwidth of the previous position; 0: no points
  bool operator<(const Mode &other) const {  // order of modes: by count, then by coordinates, both descending
    if (count != other.count) return count > other.count;
    return std::lexicographical_compare(other.at, other.at + D, at, at + D);
  }
};

// Moves a mode to the mean of the points around it; returns the distance. The count becomes 0 if there are no points.
template <int D, class X>
double step(const Tree<D, X> &tree, Mode<D> &mode, double bandwidth) {
  double sum[D], shift = 0;
  mode.count = tree.ball(mode.at, bandwidth * bandwidth, sum);
  for (int d = 0; d < D && mode.count; ++d) {
    const double next = sum[d] / double(mode.count);
    shift += (next - mode.at[d]) * (next - mode.at[d]);
    mode.at[d] = next;
  }
  return std::sqrt(shift);
}

// The seeds of a bandwidth on their way to the modes.
template <int D>
struct Climb {
  double bandwidth;
  std::vector<Mode<D>> modes;
};

// Numbers cells of the embedding by the first seed that enters them: open addressing, doubled when half full.
template <int D>
class Visited {
 public:
  struct Cell {
    int64_t at[D];
    bool operator==(const Cell &o) const { return std::equal(at, at + D, o.at); }
  };

  // The seed that entered the cell first, which is `seed` if the cell is new.
  int32_t first(const Cell &cell, int32_t seed) {
    if (2 * entries_.size() >= slots_.size()) grow();
    int32_t &slot = slots_[place(cell)];
    if (slot < 0) {
      slot = int32_t(entries_.size());
      entries_.push_back({cell, seed});
    }
    return entries_[slot].seed;
  }

 private:
  struct Entry {
    Cell cell;
    int32_t seed;
  };

  size_t place(const Cell &cell) const {
    uint64_t hash = 0;
    for (int64_t v : cell.at) hash = (hash ^ uint64_t(v)) * 0x9E3779B97F4A7C15u, hash ^= hash >> 29;
    size_t at = hash & (slots_.size() - 1);
    while (slots_[at] >= 0 && !(entries_[slots_[at]].cell == cell)) at = (at + 1) & (slots_.size() - 1);
    return at;
  }

  void grow() {
    slots_.assign(2 * slots_.size(), -1);
    for (size_t i = 0; i < entries_.size(); ++i) slots_[place(entries_[i].cell)] = int32_t(i);
  }

  std::vector<Entry> entries_;
  std::vector<int32_t> slots_ = std::vector<int32_t>(1 << 12, -1);
};

// All seeds of all bandwidths move a step at a time. A seed that enters a cell in which another seed of its bandwidth has
// been stops there, because it would mostly follow the path of that seed; its count becomes 0. Cells are `meet` bandwidths
// wide.
template <int D, class X>
void climb_together(const Tree<D, X> &tree, std::vector<Climb<D>> &climbs, double meet) {
  struct Seed {
    int32_t scale, number;
  };
  struct Move {
    double shift;
    typename Visited<D>::Cell cell;
  };
  std::vector<Seed> active;
  std::vector<std::vector<int32_t>> follows(climbs.size());
  for (size_t s = 0; s < climbs.size(); ++s) {
    follows[s].resize(climbs[s].modes.size());
    std::iota(follows[s].begin(), follows[s].end(), 0);
    for (const int32_t i : follows[s]) active.push_back({int32_t(s), i});
  }
  std::vector<Visited<D>> visited(climbs.size());
  std::vector<Move> moves(active.size());
  for (int iteration = 0; iteration <= MAX_ITERATIONS && !active.empty(); ++iteration) {
    // Threads take a seed at a time: a step takes much longer than the assignment, and most rounds have few seeds.
    parallel(tree.threads, int64_t(active.size()), [&](int64_t i) {
      const auto [scale, number] = active[i];
      const double bandwidth = climbs[scale].bandwidth, width = meet * bandwidth;
      Mode<D> &mode = climbs[scale].modes[number];
      moves[i].shift = step(tree, mode, bandwidth);
      for (int d = 0; d < D; ++d) moves[i].cell.at[d] = int64_t(std::floor(mode.at[d] / width));
    });
    size_t left = 0;
    for (size_t i = 0; i < active.size(); ++i) {
      const auto [scale, number] = active[i];
      Mode<D> &mode = climbs[scale].modes[number];
      if (!mode.count || moves[i].shift <= STOP * climbs[scale].bandwidth) continue;  // at rest
      std::vector<int32_t> &leads = follows[scale];
      int32_t leader = visited[scale].first(moves[i].cell, number);
      while (leads[leader] != leader) leader = leads[leader] = leads[leads[leader]];
      leads[number] = leader;
      if (leader == number) active[left++] = active[i];
      else mode.count = 0;
    }
    active.resize(left);
  }
}

// A seed at the centre of each occupied bin; at the points if no two points share a bin.
template <int D, class X>
std::vector<Mode<D>> seeds(const Tree<D, X> &tree, double bandwidth, bool at_points) {
  struct Bin {
    float at[D];
    uint32_t row;
    bool operator<(const Bin &o) const { return std::lexicographical_compare(at, at + D, o.at, o.at + D); }
    bool operator==(const Bin &o) const { return std::equal(at, at + D, o.at); }
  };
  // Neighbours on the curve mostly share a bin, so that few entries are left to be sorted.
  constexpr int64_t group = 32;
  std::vector<std::vector<Bin>> found((tree.leaf_count + group - 1) / group);
  parallel(tree.threads, int64_t(found.size()), [&](int64_t task) {
    for (int64_t i = task * group * LEAF; i < std::min(tree.n, (task + 1) * group * LEAF); ++i) {
      Bin bin{};
      bin.row = tree.order[i];
      const X *x = tree.leaf_points(i / LEAF) + i % LEAF;
      for (int d = 0; d < tree.dim; ++d) bin.at[d] = tree.points.bin(x[d * LEAF], bandwidth);
      if (found[task].empty() || !(found[task].back() == bin)) found[task].push_back(bin);
    }
  });
  std::vector<Bin> bins;
  for (const auto &some : found) bins.insert(bins.end(), some.begin(), some.end());
  std::stable_sort(bins.begin(), bins.end());
  bins.erase(std::unique(bins.begin(), bins.end()), bins.end());
  at_points |= int64_t(bins.size()) == tree.n;
  std::vector<Mode<D>> result(bins.size(), Mode<D>{});
  for (size_t i = 0; i < bins.size(); ++i)
    for (int d = 0; d < tree.dim; ++d)
      result[i].at[d] = at_points ? tree.points(bins[i].row, d) : bins[i].at[d] * float(bandwidth);
  return result;
}

// Moves the seeds of all bandwidths to their modes, and removes seeds that ended without points or met another seed.
template <int D, class X>
void climb_all(const Tree<D, X> &tree, std::vector<Climb<D>> &climbs, double meet) {
  if (meet > 0) climb_together(tree, climbs, meet);
  for (Climb<D> &climb : climbs) {
    std::vector<Mode<D>> &modes = climb.modes;
    if (!(meet > 0))
      parallel(tree.threads, int64_t(modes.size()), [&](int64_t i) {
        for (int iteration = 0; iteration <= MAX_ITERATIONS; ++iteration)
          if (step(tree, modes[i], climb.bandwidth) <= STOP * climb.bandwidth || !modes[i].count) return;
      });
    modes.erase(std::remove_if(modes.begin(), modes.end(), [](const Mode<D> &m) { return !m.count; }), modes.end());
  }
}

template <int D>
double squared_distance(const double *a, const double *b) {
  double square = 0;
  for (int d = 0; d < D; ++d) square += (a[d] - b[d]) * (a[d] - b[d]);
  return square;
}

// Removes modes that lie within a bandwidth of a better mode.
template <int D>
std::vector<Mode<D>> suppress(std::vector<Mode<D>> modes, double bandwidth) {
  std::sort(modes.begin(), modes.end());
  std::vector<Mode<D>> kept;
  for (const auto &mode : modes) {
    bool fresh = true;
    for (size_t i = 0; fresh && i < kept.size(); ++i)
      fresh = squared_distance<D>(kept[i].at, mode.at) > bandwidth * bandwidth;
    if (fresh) kept.push_back(mode);
  }
  return kept;
}

// Centres that may be the nearest to some point of the box.
template <int D>
void candidates(const Node<D> &box, const std::vector<Mode<D>> &centers, const std::vector<int> &from,
                std::vector<int> &to) {
  to.clear();
  double reach = std::numeric_limits<double>::infinity();
  for (int c : from) {
    double nearest, farthest;
    box.range(centers[c].at, nearest, farthest);
    if (nearest > reach * (1 + SLACK)) continue;
    reach = std::min(reach, farthest);
    to.push_back(c);
  }
  to.erase(std::remove_if(to.begin(), to.end(),
                          [&](int c) {
                            double nearest, farthest;
                            box.range(centers[c].at, nearest, farthest);
                            return nearest > reach * (1 + SLACK);
                          }),
           to.end());
}

// labels (n) of each scale: the nearest of its centers to each point.
template <int D, class X>
void assign(const Tree<D, X> &tree, const std::vector<std::vector<Mode<D>>> &scales, int64_t *all_labels) {
  const int64_t group = 32, groups = (tree.leaf_count + group - 1) / group;
  parallel(tree.threads, groups * int64_t(scales.size()), [&](int64_t task) {
    const std::vector<Mode<D>> &centers = scales[task / groups];
    int64_t *labels = all_labels + task / groups * tree.n;
    const int64_t begin = task % groups * group, end = std::min(tree.leaf_count, begin + group);
    Node<D> box;
    for (int64_t i = begin; i < end; ++i) box.add(tree.boxes[i]);
    std::vector<int> all(centers.size()), some, few;
    std::iota(all.begin(), all.end(), 0);
    candidates(box, centers, all, some);
    for (int64_t i = begin; i < end; ++i) {
      const Node<D> &leaf = tree.boxes[i];
      candidates(leaf, centers, some, few);
      alignas(64) int64_t nearest[LEAF];
      for (int block = 0; block < LEAF / LANES; ++block) {
        const X *x = tree.leaf_points(i) + block * LANES;
        Mask best = Mask{} + few[0];
        Lane least = Lane{} + std::numeric_limits<double>::infinity();
        for (size_t k = 0; few.size() > 1 && k < few.size(); ++k) {
          Lane distance = {};
          for (int d = 0; d < D; ++d) {
            const Lane step = wide(x + d * LEAF) - centers[few[k]].at[d];
            distance += step * step;
          }
          const Mask closer = distance < least;
          least = closer ? distance : least;
          best = closer ? Mask{} + few[k] : best;
        }
        std::memcpy(nearest + block * LANES, &best, sizeof best);
      }
      for (int64_t j = 0; j < leaf.count; ++j) labels[tree.order[i * LEAF + j]] = nearest[j];
    }
  });
}

template <int D, class X>
void run(const Points<X> &points, const double *bandwidths, int64_t scales, double meet, int threads, int64_t *labels,
         double *out, int64_t *counts) {
  // Cells of the curve are aligned with the bins of the widest bandwidth, and with those of its halves.
  const Tree<D, X> tree(points, bandwidths[0], threads);
  std::vector<Climb<D>> climbs;
  for (int64_t s = 0; s < scales; ++s) climbs.push_back({bandwidths[s], seeds(tree, bandwidths[s], false)});
  climb_all(tree, climbs, meet);
  std::vector<std::vector<Mode<D>>> centers;
  for (Climb<D> &climb : climbs) {
    if (climb.modes.empty()) {  // in many dimensions, a bin's centre can be too far from all points
      std::vector<Climb<D>> again{{climb.bandwidth, seeds(tree, climb.bandwidth, true)}};
      climb_all(tree, again, meet);
      climb.modes.swap(again[0].modes);
    }
    centers.push_back(suppress(std::move(climb.modes), climb.bandwidth));
  }
  for (int64_t s = 0; s < scales; ++s, out += points.n * points.dim) {
    counts[s] = int64_t(centers[s].size());
    for (int64_t i = 0; i < counts[s]; ++i) std::copy(centers[s][i].at, centers[s][i].at + points.dim, out + i * points.dim);
  }
  assign(tree, centers, labels);
}

// points (n, dim), n < 2^32, dim ≤ 32; bandwidths (scales): the first bandwidth, or a half, a quarter … of it. For each
// scale: labels (n), centers with room for (n, dim), those with the most points first, and their number. meet: 0 for the
// exact answer, or the width of the cells, in bandwidths, in which seeds meet.
template <class X>
void mean_shift(Threads threads, const X *data, int64_t n, int64_t dim, const double *bandwidths, int64_t scales, double meet,
                int64_t *labels, double *centers, int64_t *counts) {
  const Points<X> points{data, n, int(dim)};
  const auto answer = [&](auto size) {
    run<size()>(points, bandwidths, scales, meet, int(threads), labels, centers, counts);
  };
  // Between these sizes, dimensions are padded with zeros, which do not change the result.
  if (dim <= 4) answer(std::integral_constant<int, 4>());
  else if (dim <= 8) answer(std::integral_constant<int, 8>());
  else answer(std::integral_constant<int, 32>());
}

}  // namespace

KERNEL(mean_shift_f32, mean_shift<float>)
KERNEL(mean_shift_f64, mean_shift<double>)
