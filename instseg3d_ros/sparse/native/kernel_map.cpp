// Levels, neighbours and pairs of a voxel grid on a CPU; the same results as grid.py, neighbors.py and kernel_map.py.
#include <algorithm>

#ifdef __AVX512F__
#include <immintrin.h>
#endif

#include "kernel.h"
#include "parallel.h"

namespace {

constexpr int kTile = 256;      // rows per tile, as in convolution.cpp
constexpr int kPitch = 28;      // a row of 27 neighbours and an unused entry, so that four can be written at a time
constexpr int64_t kChunk = 1 << 14;

struct Four { int32_t v[4]; };

// Bit o is set where offset o has a neighbour.
inline uint32_t present(const int32_t *row) {
#ifdef __AVX512F__
  const __m512i none = _mm512_setzero_si512(), rest = _mm512_maskz_loadu_epi32(0x7FF, row + 16);
  return _mm512_cmpge_epi32_mask(_mm512_loadu_si512(row), none) |
         uint32_t(_mm512_mask_cmpge_epi32_mask(0x7FF, rest, none)) << 16;
#else
  uint32_t bits = 0;
  for (int o = 0; o < 27; ++o) bits |= uint32_t(row[o] >= 0) << o;
  return bits;
#endif
}


// codes (n) whose interleaved parts have `bits` per axis, blocks (B, 4) -> coords (n, 4), rows [scene, x, y, z].
void coords(Threads threads, int64_t n, const int64_t *codes, int64_t bits, const int32_t *blocks, int32_t *coords) {
  const auto every_third = [](int64_t code) {
    code &= 0x249249;
    code = (code | code >> 2) & 0x0C30C3;
    code = (code | code >> 4) & 0x00F00F;
    return int32_t((code | code >> 8) & 0x0000FF);
  };
  const int64_t within = (int64_t(1) << 3 * bits) - 1;
  parallel(worth(threads, n * 10), (n + kChunk - 1) / kChunk, [&](int64_t task) {
    for (int64_t i = task * kChunk; i < std::min(n, (task + 1) * kChunk); ++i) {
      const int32_t *block = blocks + (codes[i] >> 3 * bits) * 4;
      coords[i * 4] = block[0];
      for (int d = 0; d < 3; ++d)
        coords[i * 4 + 1 + d] = int32_t(uint32_t(block[1 + d]) << bits) + every_third((codes[i] & within) >> (2 - d));
    }
  });
}

// codes (n), ascending -> codes >> 3 without repetition, parent (n), slot (n). Returns the number of coarse codes.
int64_t halve(int64_t n, const int64_t *codes, int64_t *coarse, int64_t *parent, int64_t *slot) {
  int64_t count = -1, last = -1;
  for (int64_t i = 0; i < n; ++i) {
    const int64_t code = codes[i] >> 3;
    count += code != last;
    last = code;
    coarse[count] = code;
    parent[i] = count;
    slot[i] = codes[i] & 7;
  }
  return count + 1;
}

// children (coarse, 8): row of the fine voxel in each slot, -1 if the slot is empty.
void children(Threads threads, int64_t n, int64_t n_coarse, const int64_t *parent, const int64_t *slot, int32_t *table) {
  parallel(worth(threads, n_coarse), (n_coarse + kChunk - 1) / kChunk, [&](int64_t task) {
    std::fill(table + task * kChunk * 8, table + std::min(n_coarse, (task + 1) * kChunk) * 8, -1);
  });
  for (int64_t i = 0; i < n; ++i) table[parent[i] * 8 + slot[i]] = int32_t(i);
}

// Neighbours of the children (n, kPitch) from the neighbours of their parents (n_coarse, kPitch): the 4^3 cube of voxels
// around a parent is assembled once, and each child copies its 3^3 neighbourhood from it.
void neighbors_from_coarse(Threads threads, int64_t n_coarse, const int32_t *coarse, const int32_t *children, int32_t *table) {
  parallel(worth(threads, n_coarse * 100), (n_coarse + 511) / 512, [&](int64_t task) {
    int32_t cube[64 + 4];
    for (int64_t p = task * 512; p < std::min(n_coarse, task * 512 + 512); ++p) {
      const int32_t *near = coarse + p * kPitch;
      for (int x = 0; x < 4; ++x)
        for (int y = 0; y < 4; ++y) {
          // Voxel coordinate c (0…3) of the cube lies in parent (c + 1) / 2 of three, slot bit (c + 1) & 1.
          const int32_t *cells = near + (x + 1) / 2 * 9 + (y + 1) / 2 * 3;
          const int slot = ((x + 1) & 1) * 4 + ((y + 1) & 1) * 2;
          int32_t *row = cube + x * 16 + y * 4;
          row[0] = cells[0] < 0 ? -1 : children[int64_t(cells[0]) * 8 + slot + 1];
          row[1] = cells[1] < 0 ? -1 : children[int64_t(cells[1]) * 8 + slot];
          row[2] = cells[1] < 0 ? -1 : children[int64_t(cells[1]) * 8 + slot + 1];
          row[3] = cells[2] < 0 ? -1 : children[int64_t(cells[2]) * 8 + slot];
        }
      for (int s = 0; s < 8; ++s) {
        const int64_t child = children[p * 8 + s];
        if (child < 0) continue;
        const int32_t *from = cube + (s >> 2) * 16 + (s >> 1 & 1) * 4 + (s & 1);
        int32_t *to = table + child * kPitch;
        for (int x = 0; x < 3; ++x)
          for (int y = 0; y < 3; ++y) {
            Four four;
            __builtin_memcpy(&four, from + x * 16 + y * 4, sizeof four);
            __builtin_memcpy(to + x * 9 + y * 3, &four, sizeof four);
          }
        to[27] = -1;
      }
    }
  });
}

// Neighbours (n, kPitch) of blocks, by their ascending keys: a single walk along both lists for each offset.
void neighbors_of_blocks(Threads threads, int64_t n, const int64_t *keys, const int64_t *steps, int32_t *table) {
  parallel(worth(threads, n * 100), 28, [&](int64_t o) {
    if (o == 27) {  // the unused entry
      for (int64_t i = 0; i < n; ++i) table[i * kPitch + o] = -1;
      return;
    }
    int64_t j = std::lower_bound(keys, keys + n, n ? keys[0] + steps[o] : 0) - keys;
    for (int64_t i = 0; i < n; ++i) {
      const int64_t wanted = keys[i] + steps[o];
      while (j < n && keys[j] < wanted) ++j;
      table[i * kPitch + o] = j < n && keys[j] == wanted ? int32_t(j) : -1;
    }
  });
}

// start (tiles * 27 + 1): first pair of each tile and offset; the central offset has no pairs. Returns their number.
int64_t count_pairs(Threads threads, int64_t n, const int32_t *table, int64_t *start) {
  const int64_t tiles = (n + kTile - 1) / kTile;
  parallel(worth(threads, tiles * kTile * 30), tiles, [&](int64_t t) {
    int32_t count[kPitch] = {};
    for (int64_t i = t * kTile; i < std::min(n, (t + 1) * kTile); ++i)
      for (int o = 0; o < kPitch; ++o) count[o] += table[i * kPitch + o] >= 0;
    count[13] = 0;
    for (int o = 0; o < 27; ++o) start[t * 27 + o + 1] = count[o];
  });
  start[0] = 0;
  for (int64_t i = 0; i < tiles * 27; ++i) start[i + 1] += start[i];
  return start[tiles * 27];
}

void fill_pairs(Threads threads, int64_t n, const int32_t *table, const int64_t *start, int32_t *in, uint8_t *out) {
  parallel(worth(threads, n * 30), (n + kTile - 1) / kTile, [&](int64_t t) {
    int64_t next[27];
    std::copy(start + t * 27, start + t * 27 + 27, next);
    for (int64_t i = t * kTile; i < std::min(n, (t + 1) * kTile); ++i) {
      const int32_t *row = table + i * kPitch;
      for (uint32_t left = present(row) & ~(1u << 13); left; left &= left - 1) {
        const int o = __builtin_ctz(left);
        in[next[o]] = row[o];
        out[next[o]++] = uint8_t(i - t * kTile);
      }
    }
  });
}

// Pairs of a strided convolution (tiles of coarse rows) or of its inverse (tiles of fine rows).
void down_pairs(Threads threads, int64_t n_coarse, const int32_t *children, int64_t *start, int32_t *in, uint8_t *out) {
  const int64_t tiles = (n_coarse + kTile - 1) / kTile;
  for (int fill = 0; fill < 2; ++fill) {
    parallel(worth(threads, tiles * kTile * 30), tiles, [&](int64_t t) {
      const int64_t first = t * kTile, last = std::min(n_coarse, first + kTile);
      for (int s = 0; s < 8; ++s) {
        int64_t next = fill ? start[t * 8 + s] : 0;
        for (int64_t i = first; i < last; ++i) {
          const int32_t child = children[i * 8 + s];
          if (child < 0) continue;
          if (fill) in[next] = child, out[next] = uint8_t(i - first);
          ++next;
        }
        if (!fill) start[t * 8 + s + 1] = next;
      }
    });
    if (!fill) {
      start[0] = 0;
      for (int64_t i = 0; i < tiles * 8; ++i) start[i + 1] += start[i];
    }
  }
}

void up_pairs(Threads threads, int64_t n, const int64_t *parent, const int64_t *slot, int64_t *start, int32_t *in, uint8_t *out) {
  parallel(worth(threads, n * 30), (n + kTile - 1) / kTile, [&](int64_t t) {
    const int64_t first = t * kTile, last = std::min(n, first + kTile);
    int64_t next[9] = {};
    for (int64_t i = first; i < last; ++i) ++next[slot[i] + 1];
    next[0] = first;
    for (int s = 0; s < 8; ++s) next[s + 1] += next[s];
    std::copy(next, next + 8, start + t * 8);
    for (int64_t i = first; i < last; ++i) {
      const int64_t at = next[slot[i]]++;
      in[at] = int32_t(parent[i]);
      out[at] = uint8_t(i - first);
    }
  });
  start[(n + kTile - 1) / kTile * 8] = n;
}

}  // namespace

KERNEL(coords, coords)
KERNEL(halve, halve)
KERNEL(children, children)
KERNEL(neighbors_from_coarse, neighbors_from_coarse)
KERNEL(neighbors_of_blocks, neighbors_of_blocks)
KERNEL(count_pairs, count_pairs)
KERNEL(fill_pairs, fill_pairs)
KERNEL(down_pairs, down_pairs)
KERNEL(up_pairs, up_pairs)
