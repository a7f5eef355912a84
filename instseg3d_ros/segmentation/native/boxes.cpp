// Smallest upright boxes around groups of points. Twin of ../boxes.py.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernel.h"
#include "parallel.h"

namespace {

struct Point {
  double x, y;
  bool operator<(const Point &o) const { return x != o.x ? x < o.x : y < o.y; }
  bool operator==(const Point &o) const { return x == o.x && y == o.y; }
};

// Twice the area of the triangle; positive where a, b, c turn left.
double turn(const Point &a, const Point &b, const Point &c) {
  return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}

// Drops the points strictly inside the octagon of the extremes in eight directions, which are nearly all points.
void thin(std::vector<Point> &points) {
  constexpr double directions[8][2] = {{1, 0}, {1, 1}, {0, 1}, {-1, 1}, {-1, 0}, {-1, -1}, {0, -1}, {1, -1}};
  Point corners[8];
  for (int d = 0; d < 8; ++d) {
    double most = -std::numeric_limits<double>::infinity();
    for (const Point &p : points) {
      const double along = p.x * directions[d][0] + p.y * directions[d][1];
      if (along > most) {
        most = along;
        corners[d] = p;
      }
    }
  }
  points.erase(std::remove_if(points.begin(), points.end(),
                              [&](const Point &p) {
                                for (int d = 0; d < 8; ++d) {
                                  const Point &a = corners[d], &b = corners[(d + 1) % 8];
                                  if (!(a == b) && !(turn(a, b, p) > 0)) return false;
                                }
                                return true;
                              }),
               points.end());
}

// Convex hull, anticlockwise, without points on its edges (Andrew's chains).
std::vector<Point> hull(std::vector<Point> points) {
  if (points.size() > 16) thin(points);
  std::sort(points.begin(), points.end());
  points.erase(std::unique(points.begin(), points.end()), points.end());
  if (points.size() < 3) return points;
  std::vector<Point> chain(2 * points.size());
  size_t k = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    while (k >= 2 && turn(chain[k - 2], chain[k - 1], points[i]) <= 0) --k;
    chain[k++] = points[i];
  }
  for (size_t i = points.size() - 1, lower = k + 1; i-- > 0;) {
    while (k >= lower && turn(chain[k - 2], chain[k - 1], points[i]) <= 0) --k;
    chain[k++] = points[i];
  }
  chain.resize(k - 1);
  return chain;
}

struct Rectangle {
  double area, cosine, sine, low[2], high[2];
};

// The smallest rectangle around a convex polygon has a side along an edge of the polygon (Freeman and Shapira 1975).
Rectangle least_rectangle(const std::vector<Point> &outline) {
  Rectangle best{std::numeric_limits<double>::infinity(), 1, 0, {}, {}};
  for (size_t i = 0; i < outline.size(); ++i) {
    const Point &a = outline[i], &b = outline[(i + 1) % outline.size()];
    const double length = std::hypot(b.x - a.x, b.y - a.y);
    Rectangle r{0, length > 0 ? (b.x - a.x) / length : 1, length > 0 ? (b.y - a.y) / length : 0, {}, {}};
    for (int d = 0; d < 2; ++d) {
      r.low[d] = std::numeric_limits<double>::infinity();
      r.high[d] = -r.low[d];
    }
    for (const Point &p : outline) {
      const double at[2] = {r.cosine * p.x + r.sine * p.y, r.cosine * p.y - r.sine * p.x};
      for (int d = 0; d < 2; ++d) {
        r.low[d] = std::min(r.low[d], at[d]);
        r.high[d] = std::max(r.high[d], at[d]);
      }
    }
    r.area = (r.high[0] - r.low[0]) * (r.high[1] - r.low[1]);
    if (r.area < best.area) best = r;
  }
  return best;
}


// points (n, 3) float32; group g has the points rows[begin[g]] … rows[begin[g + 1] − 1] and is not empty.
// boxes (groups, 8): center x y z, size along the box's x y z, cosine and sine of its yaw.
void upright_boxes(const float *points, const int64_t *rows, const int64_t *begin, int64_t groups,
                              Threads threads, double *boxes) {
  parallel(threads, groups, [&](int64_t g) {
    std::vector<Point> flat(begin[g + 1] - begin[g]);
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (size_t i = 0; i < flat.size(); ++i) {
      const float *p = points + 3 * rows[begin[g] + i];
      flat[i] = {p[0], p[1]};
      low = std::min<double>(low, p[2]);
      high = std::max<double>(high, p[2]);
    }
    const Rectangle r = least_rectangle(hull(std::move(flat)));
    const double along = (r.low[0] + r.high[0]) / 2, across = (r.low[1] + r.high[1]) / 2;
    double *box = boxes + 8 * g;
    box[0] = r.cosine * along - r.sine * across;
    box[1] = r.sine * along + r.cosine * across;
    box[2] = (low + high) / 2;
    box[3] = r.high[0] - r.low[0];
    box[4] = r.high[1] - r.low[1];
    box[5] = high - low;
    box[6] = r.cosine;
    box[7] = r.sine;
  });
}

}  // namespace

KERNEL(upright_boxes, upright_boxes)
