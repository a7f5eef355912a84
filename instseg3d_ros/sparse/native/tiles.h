// How the work of a convolution is cut up: tiles of output rows, blocks of output channels.
#pragma once
#include <cstdint>

#include "simd.h"

constexpr int kTile = 256;

// The pairs of all tiles: those of tile t and offset o are [start[t * offsets + o], start[t * offsets + o + 1]).
struct Pairs {
  int64_t rows_out;
  int offsets;
  int identity;  // offset that joins every row with itself and has no pairs listed; -1 if there is none
  int complete;  // 1 if every output row occurs in exactly one pair
  const int64_t *start;
  const int32_t *in;   // input row
  const uint8_t *out;  // output row within the tile
};

// How the output channels are cut into blocks of at most kMaxColumns vectors, as even as can be.
struct Blocks {
  int vectors, count;
  explicit Blocks(int vectors) : vectors(vectors), count((vectors + kMaxColumns - 1) / kMaxColumns) {}
  int begin(int b) const { return int(int64_t(vectors) * b / count); }
  int width(int b) const { return begin(b + 1) - begin(b); }
};

template <class T>
Blocks blocks(int channels) { return Blocks((channels + kLanes<T> - 1) / kLanes<T>); }
