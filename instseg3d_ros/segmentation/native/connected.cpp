// Connected parts of labelled voxels, where voxels up to `gap` apart (Chebyshev) touch. Twin of ../connected.py.
//
// Blocks are gap + 1 voxels wide: voxels of one label in one block always touch, and only the 26 blocks around can hold
// others in reach. So voxels are joined block by block, and two blocks are compared only until one pair touches.
#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

namespace {

struct Key {
  int64_t label, x, y, z;
  bool operator==(const Key &o) const { return label == o.label && x == o.x && y == o.y && z == o.z; }
  uint64_t hash() const {
    uint64_t h = uint64_t(label) * 0x9E3779B97F4A7C15u;
    for (const int64_t v : {x, y, z}) h = (h ^ (h >> 29) ^ uint64_t(v)) * 0xBF58476D1CE4E5B9u;
    return h ^ (h >> 32);
  }
};

// Open addressing; grows by doubling.
class Table {
 public:
  std::vector<Key> keys;  // in order of arrival
  int64_t find(const Key &key) const { return slots[place(key)]; }
  int64_t add(const Key &key) {
    uint64_t at = place(key);
    if (slots[at] >= 0) return slots[at];
    slots[at] = int32_t(keys.size());
    keys.push_back(key);
    if (2 * keys.size() > slots.size()) grow();
    return int64_t(keys.size()) - 1;
  }

 private:
  std::vector<int32_t> slots = std::vector<int32_t>(1 << 12, -1);
  uint64_t place(const Key &key) const {
    uint64_t at = key.hash() & (slots.size() - 1);
    while (slots[at] >= 0 && !(keys[slots[at]] == key)) at = (at + 1) & (slots.size() - 1);
    return at;
  }
  void grow() {
    slots.assign(4 * slots.size(), -1);
    for (size_t i = 0; i < keys.size(); ++i) slots[place(keys[i])] = int32_t(i);
  }
};

struct Voxel {
  int32_t at[3];  // within its block
};

struct Block {
  int32_t low[3], high[3];  // of its voxels, within the block
};

// Do voxels of block `a` and of block `b`, one step of `offset` away, lie within the gap? Along an axis with a step they
// do where the one towards the other block has the greater remainder; without a step always.
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

int64_t floor_divide(int64_t a, int64_t b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }

int64_t root(std::vector<int32_t> &parent, int64_t i) {
  while (parent[i] != i) i = parent[i] = parent[parent[i]];
  return i;
}

}  // namespace

// labels (n) int64, coords (n) rows of `stride` int32 of which the first three are x, y, z; n < 2^31.
// parts (n) int64, numbered from 0 in order of first appearance. Returns their number.
extern "C" int64_t connected(const int64_t *labels, const int32_t *coords, int64_t stride, int64_t n, int64_t gap,
                             int64_t *parts) {
  const int64_t width = gap + 1;
  Table table;
  std::vector<int32_t> owner(n);
  std::vector<Voxel> local(n);
  Key last{};
  for (int64_t i = 0; i < n; ++i) {
    const int32_t *c = coords + i * stride;
    const Key key{labels[i], floor_divide(c[0], width), floor_divide(c[1], width), floor_divide(c[2], width)};
    owner[i] = i && key == last ? owner[i - 1] : int32_t(table.add(key));
    local[i] = {{int32_t(c[0] - key.x * width), int32_t(c[1] - key.y * width), int32_t(c[2] - key.z * width)}};
    last = key;
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
    for (int step = 14; step < 27; ++step) {  // the half of the neighbourhood that comes after the middle
      const int offset[3] = {step / 9 - 1, step / 3 % 3 - 1, step % 3 - 1};
      const Key &k = table.keys[a];
      const int64_t b = table.find({k.label, k.x + offset[0], k.y + offset[1], k.z + offset[2]});
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
