// A hash table that numbers distinct keys in the order of their first appearance.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

// Runs of 8 keys share one or two cache lines, because consecutive points are close in space.
class Numbers {
 public:
  // Room for `expected` keys; the table grows if there are more.
  explicit Numbers(size_t expected = 0) {
    size_t size = 1 << 12;
    while (size < expected * 2) size *= 2;
    slots_.assign(size, Slot{kEmpty, 0});
  }

  int32_t of(uint64_t key) {
    if (key == last_) return last_number_;
    size_t i = place(key);
    while (slots_[i].key != key) {
      if (slots_[i].key == kEmpty) {
        if (keys.size() * 3 > slots_.size()) {
          grow();
          i = place(key);
          continue;
        }
        slots_[i] = {key, int32_t(keys.size())};
        keys.push_back(key);
        break;
      }
      i = (i + 1) & (slots_.size() - 1);
    }
    last_ = key;
    return last_number_ = slots_[i].number;
  }

  void fetch(uint64_t key) const { __builtin_prefetch(&slots_[place(key)]); }

  std::vector<uint64_t> keys;

 private:
  static constexpr uint64_t kEmpty = ~uint64_t(0);
  struct Slot {
    uint64_t key;
    int32_t number;
  };

  size_t place(uint64_t key) const {
    return (((key >> 3) * 0x9E3779B97F4A7C15u >> 20) * 8 + (key & 7)) & (slots_.size() - 1);
  }

  void grow() {
    slots_.assign(slots_.size() * 4, Slot{kEmpty, 0});
    for (size_t n = 0; n < keys.size(); ++n) {
      size_t i = place(keys[n]);
      while (slots_[i].key != kEmpty) i = (i + 1) & (slots_.size() - 1);
      slots_[i] = {keys[n], int32_t(n)};
    }
  }

  std::vector<Slot> slots_;
  uint64_t last_ = kEmpty;
  int32_t last_number_ = 0;
};
