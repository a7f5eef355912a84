// Pairs of parts that touch, and the number of pairs of cells in which they touch. Twin of `touching` in ../contacts.py.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "cells.h"
#include "kernel.h"
#include "parallel.h"

namespace {

// Counts keys; open addressing.
class Counts {
 public:
  struct Entry {
    uint64_t key;
    int64_t count;
  };
  std::vector<Entry> slots = std::vector<Entry>(1 << 10, Entry{kEmpty, 0});

  void add(uint64_t key, int64_t count) {
    Entry *entry = &slots[place(key)];
    if (entry->key == kEmpty) {
      if (2 * ++used_ > slots.size()) {
        grow();
        entry = &slots[place(key)];
      }
      entry->key = key;
    }
    entry->count += count;
  }

  // The counted keys and their counts, by ascending key.
  std::vector<Entry> sorted() const {
    std::vector<Entry> found;
    for (const Entry &entry : slots)
      if (entry.key != kEmpty) found.push_back(entry);
    std::sort(found.begin(), found.end(), [](const Entry &a, const Entry &b) { return a.key < b.key; });
    return found;
  }

 private:
  static constexpr uint64_t kEmpty = ~uint64_t(0);
  size_t used_ = 0;
  size_t place(uint64_t key) const {
    size_t at = (key * 0x9E3779B97F4A7C15u) >> 32 & (slots.size() - 1);
    while (slots[at].key != kEmpty && slots[at].key != key) at = (at + 1) & (slots.size() - 1);
    return at;
  }
  void grow() {
    std::vector<Entry> before(4 * slots.size(), Entry{kEmpty, 0});
    before.swap(slots);
    for (const Entry &entry : before)
      if (entry.key != kEmpty) slots[place(entry.key)] = entry;
  }
};

// part (n) int64 in −1 … num − 1, −1 for voxels without a part; parent, slot (n) and table (cells, kPitch) from `VoxelGrid`;
// sparse (num), or null if every part is sparse. Only pairs whose smaller part number is less than `below` count. Writes at
// most `room` pairs and the number of places of each, in ascending order; returns the number of all pairs.
int64_t touching(Threads threads, const int64_t *part, int64_t n, const int64_t *parent, const int64_t *slot,
                 int64_t cells, const int32_t *table, const uint8_t *sparse, int64_t num, int64_t below, int64_t room,
                 int64_t *pairs, int64_t *places) {
  const Cells in(threads, part, n, parent, slot, cells);
  static const Reach reach(1);
  const auto count = [&](int64_t first, int64_t end, Counts &counts) {
    uint64_t last = 0;
    int64_t times = 0;  // of the last pair, as neighbouring cells mostly have the same pair
    const auto add = [&](int64_t a, int64_t b) {
      const uint64_t key = uint64_t(std::min(a, b)) * uint64_t(num) + uint64_t(std::max(a, b));
      if (key != last) {
        if (times) counts.add(last, times);
        last = key, times = 0;
      }
      ++times;
    };
    for (int64_t cell = first; cell < end; ++cell) {
      const int32_t begin = in.begin[cell], stop = in.begin[cell + 1];
      for (int32_t i = begin; i < stop; ++i)
        for (int32_t j = begin; j < i; ++j) {
          const int64_t a = in.groups[i].part, b = in.groups[j].part;
          if (std::min(a, b) < below) add(a, b);
        }
      if (begin == stop) continue;
      for (int step = 0; step < kSteps; ++step) {
        const int64_t other = table[cell * kPitch + kFirst + step];
        if (other < 0) continue;
        for (int32_t i = begin; i < stop; ++i) {
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
    if (times) counts.add(last, times);
  };
  constexpr int64_t tasks = 8;
  std::vector<Counts> some(tasks);
  parallel(worth(threads, cells * kSteps), tasks, [&](int64_t t) { count(cells * t / tasks, cells * (t + 1) / tasks, some[t]); });
  for (int64_t t = 1; t < tasks; ++t)
    for (const Counts::Entry &entry : some[t].slots)
      if (entry.count) some[0].add(entry.key, entry.count);
  const std::vector<Counts::Entry> found = some[0].sorted();
  if (int64_t(found.size()) > room) return int64_t(found.size());
  for (size_t i = 0; i < found.size(); ++i) {
    pairs[2 * i] = int64_t(found[i].key / uint64_t(num));
    pairs[2 * i + 1] = int64_t(found[i].key % uint64_t(num));
    places[i] = found[i].count;
  }
  return int64_t(found.size());
}

}  // namespace

KERNEL(touching, touching)
