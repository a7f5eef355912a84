// The division of a convolution into tiles of output rows and blocks of output channels.
#pragma once
#include <cstdint>

#include "simd.h"

constexpr int kTile = 256;

// The pairs of all tiles; tile t and offset o have the pairs [start[t * offsets + o], start[t * offsets + o + 1]).
struct Pairs {
  int64_t rows_out;
  int offsets;
  int identity;  // offset that pairs every row with itself, without listed pairs; -1: no such offset
  int complete;  // 1 if every output row occurs in exactly one pair
  const int64_t *start;
  const int32_t *in;   // input row
  const uint8_t *out;  // output row within the tile
};

// Divides the output channels into blocks of at most kMaxColumns vectors, as evenly as possible.
struct Blocks {
  int vectors, count;
  explicit Blocks(int vectors) : vectors(vectors), count((vectors + kMaxColumns - 1) / kMaxColumns) {}
  int begin(int b) const { return int(int64_t(vectors) * b / count); }
  int width(int b) const { return begin(b + 1) - begin(b); }
};

template <class T>
Blocks blocks(int channels) { return Blocks((channels + kLanes<T> - 1) / kLanes<T>); }
