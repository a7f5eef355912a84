// Eigenvalues and eigenvectors of symmetric 3 × 3 matrices, such as the covariance of points, in closed form.
#pragma once
#include <algorithm>
#include <cmath>

struct Symmetric {
  double xx = 0, xy = 0, xz = 0, yy = 0, yz = 0, zz = 0;
};

// values (3), ascending: the roots of a cubic (Smith 1961).
inline void eigenvalues(const Symmetric &a, double *values) {
  const double mean = (a.xx + a.yy + a.zz) / 3, x = a.xx - mean, y = a.yy - mean, z = a.zz - mean;
  const double p = std::sqrt((x * x + y * y + z * z + 2 * (a.xy * a.xy + a.xz * a.xz + a.yz * a.yz)) / 6);
  if (!(p > 0)) {
    std::fill(values, values + 3, mean);
    return;
  }
  const double determinant = x * (y * z - a.yz * a.yz) - a.xy * (a.xy * z - a.yz * a.xz) + a.xz * (a.xy * a.yz - y * a.xz);
  const double angle = std::acos(std::clamp(determinant / (2 * p * p * p), -1.0, 1.0)) / 3;
  const double third = 2.0943951023931953;  // 2 π / 3
  values[0] = mean + 2 * p * std::cos(angle + third);
  values[1] = mean + 2 * p * std::cos(angle - third);
  values[2] = mean + 2 * p * std::cos(angle);
}

// The unit vector that a maps to `value` times itself: perpendicular to the rows of a − value, so that it is the longest
// cross product of two of them. Returns false, and leaves `vector` unchanged, if the rows are parallel.
inline bool eigenvector(const Symmetric &a, double value, double *vector) {
  const double rows[3][3] = {{a.xx - value, a.xy, a.xz}, {a.xy, a.yy - value, a.yz}, {a.xz, a.yz, a.zz - value}};
  double largest = 0;
  for (int i = 0; i < 3; ++i) {
    const double *u = rows[i], *v = rows[(i + 1) % 3];
    const double cross[3] = {u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]};
    const double square = cross[0] * cross[0] + cross[1] * cross[1] + cross[2] * cross[2];
    if (square <= largest) continue;
    largest = square;
    for (int d = 0; d < 3; ++d) vector[d] = cross[d] / std::sqrt(square);
  }
  return largest > 0;
}
