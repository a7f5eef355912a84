// Coordinates of a point in a range image: (y/x, z/x) in a pinhole image, otherwise azimuth and elevation.
#pragma once
#include <algorithm>
#include <cmath>

struct Direction {
  float u, v, square;  // square of the range

  Direction(const float *p, bool pinhole) : square(p[0] * p[0] + p[1] * p[1] + p[2] * p[2]) {
    if (pinhole) {
      u = p[1] / p[0], v = p[2] / p[0];
    } else {
      u = std::atan2(p[1], p[0]);
      v = std::asin(std::min(1.0f, std::max(-1.0f, p[2] / std::sqrt(square))));
    }
  }
};
