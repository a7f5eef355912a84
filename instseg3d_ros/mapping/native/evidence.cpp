// Adds the evidence of a view to its cells. Twin of ../evidence.py; rows are distinct.
#include <algorithm>
#include <cmath>

#include "kernel.h"

namespace {

constexpr int kSlots = 4;
constexpr int64_t kAhead = 12;  // number of cells by which memory is fetched in advance

void add_classes(int64_t n, const int64_t *rows, const int64_t *label, const double *amount, double most, int64_t classes,
                 float *evidence) {
  for (int64_t i = 0; i < n; ++i) {
    if (i + kAhead < n) {
      const float *next = evidence + rows[i + kAhead] * classes;
      for (int64_t c = 0; c < classes; c += 16) __builtin_prefetch(next + c, 1);
    }
    float *of = evidence + rows[i] * classes;
    of[label[i]] = float(double(of[label[i]]) + amount[i]);
    if (of[label[i]] <= most) continue;  // the other classes did not grow
    const double shrink = most / double(of[label[i]]);
    for (int64_t c = 0; c < classes; ++c) of[c] = float(of[c] * shrink);
  }
}

void add_votes(int64_t n, const int64_t *rows, const int64_t *fragment, const double *amount, double most, int32_t *ids,
               float *votes, int32_t *leads, int64_t *lead) {
  for (int64_t i = 0; i < n; ++i) {
    if (i + kAhead < n) {
      __builtin_prefetch(ids + rows[i + kAhead] * kSlots, 1);
      __builtin_prefetch(votes + rows[i + kAhead] * kSlots, 1);
    }
    int32_t *id = ids + rows[i] * kSlots;
    float *vote = votes + rows[i] * kSlots;
    int slot = -1, weakest = 0;
    for (int s = 0; s < kSlots; ++s) {
      if (slot < 0 && id[s] == fragment[i] && vote[s] > 0) slot = s;
      if (vote[s] < vote[weakest]) weakest = s;
    }
    double left;
    if (slot >= 0) {
      left = double(vote[slot]) + amount[i];
    } else {
      slot = weakest;
      left = amount[i] - double(vote[slot]);
      if (left > 0) id[slot] = int32_t(fragment[i]);
    }
    vote[slot] = float(std::min(std::abs(left), most));
    int best = 0;
    for (int s = 1; s < kSlots; ++s)
      if (vote[s] > vote[best] || (vote[s] == vote[best] && id[s] < id[best])) best = s;
    lead[i] = leads[rows[i]] = id[best];
  }
}

// color is null for a cloud without colours.
void add_places(int64_t n, const int64_t *rows, const float *position, const float *color, const double *weight, double heaviest,
                double hit, double most, float *positions, float *colors, float *weights, float *occupied) {
  for (int64_t i = 0; i < n; ++i) {
    if (i + kAhead < n) {
      const int64_t next = rows[i + kAhead];
      __builtin_prefetch(positions + 3 * next, 1);
      if (color) __builtin_prefetch(colors + 3 * next, 1);
    }
    const int64_t row = rows[i];
    const double before = std::min(double(weights[row]), heaviest);
    const float share = float(weight[i] / (before + weight[i]));
    for (int d = 0; d < 3; ++d) {
      positions[3 * row + d] += share * (position[3 * i + d] - positions[3 * row + d]);
      if (color) colors[3 * row + d] += share * (color[3 * i + d] - colors[3 * row + d]);
    }
    weights[row] = float(before + weight[i]);
    occupied[row] = float(std::min(std::max(double(occupied[row]), 0.0) + hit, most));
  }
}

}  // namespace

KERNEL(add_classes, add_classes)
KERNEL(add_votes, add_votes)
KERNEL(add_places, add_places)
