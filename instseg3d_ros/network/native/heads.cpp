// Both heads in a single pass over the voxels: class probabilities, embeddings, and the voxels that are probably things.
// Twin of the layers in ../model.py and of ../heads.py.
//
// A tile of rows stays in cache from the features to the result. A single thread computes each number, in a fixed order.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "exp.h"
#include "kernel.h"
#include "parallel.h"
#include "product.h"
#include "tiles.h"

namespace {

constexpr int kRows = 64;  // rows of a tile
constexpr int L = kLanes<float>;

// A linear layer in torch's layout: weight (out, in), bias (out), or null for zeros. Outputs are padded to whole vectors
// with the value `rest`.
struct Linear {
  const int in;
  const Blocks cut;
  std::vector<float> packed, bias;

  Linear(const float *weight, const float *given, int64_t out, int64_t in, float rest)
      : in(int(in)), cut(blocks<float>(int(out))), packed(size_t(wide() * in)), bias(size_t(wide()), rest) {
    for (int64_t o = 0; o < out; ++o) bias[o] = given ? given[o] : 0;
    for (int b = 0; b < cut.count; ++b) {
      const int64_t first = cut.begin(b) * L, width = cut.width(b) * L;
      for (int64_t k = 0; k < in; ++k)
        for (int64_t c = 0; c < std::min(width, out - first); ++c)
          packed[first * in + k * width + c] = weight[(first + c) * in + k];
    }
  }

  int64_t wide() const { return int64_t(cut.vectors) * L; }

  // The products y (count, wide) of x (count, in), without the bias; rows of x are `pitch` apart. Adds to y, or sets y.
  template <bool kFresh>
  void multiply(const float *x, int64_t pitch, int count, float *y) const {
    const float *from[kMaxRows];
    float *to[kMaxRows];
    for (int b = 0; b < cut.count; ++b) {
      const float *w = packed.data() + int64_t(cut.begin(b)) * L * in;
      as_constant<kMaxColumns>(cut.width(b), [&](auto n) {
        for (int i = 0; i < count; i += kMaxRows) {
          const int some = std::min(kMaxRows, count - i);
          for (int r = 0; r < some; ++r) from[r] = x + (i + r) * pitch, to[r] = y + (i + r) * wide() + cut.begin(b) * L;
          if (some == kMaxRows) rows<float, kMaxRows, n(), kFresh>(from, to, w, in);
          else rest<float, n(), kFresh>(some, from, to, w, in);
        }
      });
    }
  }
};

// A head: linear, ReLU, linear. The caller adds the bias of the second layer.
struct Head {
  Linear first, second;
  void multiply(const float *x, int64_t pitch, int count, float *hidden, float *y) const {
    const int64_t wide = first.wide();
    first.multiply<true>(x, pitch, count, hidden);
    for (int r = 0; r < count; ++r)
      for (int64_t c = 0; c < wide; c += L) {
        const Vector<float> h = load(hidden + r * wide + c) + load(first.bias.data() + c);
        store(hidden + r * wide + c, h < Vector<float>{} ? Vector<float>{} : h);  // NaN stays NaN
      }
    second.multiply<true>(hidden, wide, count, y);
  }
};

// Reduces all lanes to a single number, by halves.
template <class Op>
inline float folded(Vector<float> v, Op &&op) {
  Floats parts[L / kHalf];
  std::memcpy(parts, &v, sizeof parts);
  Floats part = L > kHalf ? op(parts[0], parts[L / kHalf - 1]) : parts[0];
  if constexpr (kHalf == 8) part = op(part, exchanged<4>(part));
  part = op(part, exchanged<2>(part));
  part = op(part, exchanged<1>(part));
  return part[0];
}

// Replaces scores (wide) plus bias, which is −infinity beyond the classes, by probabilities without a common factor, which
// is returned in `part`. Returns the probability of the classes for which `marks` (wide) is 1.
inline float softmax(float *scores, const float *bias, const float *marks, int64_t wide, float &part) {
  const auto larger = [](auto a, auto b) { return a > b ? a : b; };
  const auto sum = [](auto a, auto b) { return a + b; };
  Vector<float> most = load(scores) + load(bias), total = {}, marked = {};
  for (int64_t c = L; c < wide; c += L) most = larger(load(scores + c) + load(bias + c), most);
  const float highest = folded(most, larger);
  for (int64_t c = 0; c < wide; c += L) {
    const Vector<float> power = exps_of(load(scores + c) + load(bias + c) - highest);
    store(scores + c, power);
    total += power;
    marked += power * load(marks + c);
  }
  part = 1 / folded(total, sum);
  return folded(marked, sum) * part;
}

// Writes a row of `out` (count, width) from a row of `wide` ≥ width numbers, times a. Whole vectors may reach into the next
// rows, which are written later, but not beyond the end of `out`.
inline void put(const float *row, int64_t wide, float a, const float *bias, int64_t r, int64_t count, int64_t width,
                float *out) {
  float *to = out + r * width;
  if (r * width + wide <= count * width)
    for (int64_t c = 0; c < wide; c += L) store(to + c, load(row + c) * a + (bias ? load(bias + c) : Vector<float>{}));
  else
    for (int64_t c = 0; c < width; ++c) to[c] = row[c] * a + (bias ? bias[c] : 0);
}

// x (n, m) features, position (n, 3) or null. Weights of the semantic head, (m, m), (m), (classes, m), (classes), and of the
// embedding head with `dim` in place of the classes; anchor (dim, 3) or null. `shift` (classes) is subtracted from the class
// scores; `stuff` (classes) is 1 for classes of stuff. probability (n, classes), embedding (n, dim); things (n): the rows
// in which stuff has a probability of at most `limit`, in order. Returns their number.
int64_t heads(Threads threads, int64_t n, int64_t m, const float *x, const float *position, int64_t classes, int64_t dim,
              const float *semantic1, const float *semantic_bias1, const float *semantic2, const float *semantic_bias2,
              const float *embed1, const float *embed_bias1, const float *embed2, const float *embed_bias2,
              const float *anchor, const float *shift, const float *stuff, double limit, float *probability,
              float *embedding, int64_t *things) {
  std::vector<float> shifted(semantic_bias2, semantic_bias2 + classes);
  for (int64_t c = 0; c < classes; ++c) shifted[c] -= shift[c];
  const Head semantic{{semantic1, semantic_bias1, m, m, 0},
                      {semantic2, shifted.data(), classes, m, -std::numeric_limits<float>::infinity()}};
  const Head embed{{embed1, embed_bias1, m, m, 0}, {embed2, embed_bias2, dim, m, 0}};
  const std::vector<float> nothing(size_t(dim * 3));
  const Linear shifts(anchor ? anchor : nothing.data(), nullptr, dim, 3, 0);
  const int64_t wide = semantic.second.wide(), wide_embedding = embed.second.wide(), tiles = (n + kRows - 1) / kRows;
  std::vector<float> marks(size_t(wide), 0);
  std::copy(stuff, stuff + classes, marks.begin());
  std::vector<uint8_t> thing(static_cast<size_t>(n));
  const int64_t group = 8;  // tiles of a task, which share buffers
  parallel(worth(threads, n * m * (2 * m + classes + dim)), (tiles + group - 1) / group, [&](int64_t task) {
    std::vector<float> hidden(size_t(kRows * semantic.first.wide()));
    std::vector<float> scores(size_t(kRows * wide)), e(size_t(kRows * wide_embedding));
    for (int64_t t = task * group; t < std::min(tiles, (task + 1) * group); ++t) {
      const int64_t begin = t * kRows;
      const int count = int(std::min<int64_t>(kRows, n - begin));
      semantic.multiply(x + begin * m, m, count, hidden.data(), scores.data());
      for (int r = 0; r < count; ++r) {
        float *row = scores.data() + r * wide, part;
        thing[begin + r] = softmax(row, semantic.second.bias.data(), marks.data(), wide, part) <= limit;
        put(row, wide, part, nullptr, r, count, classes, probability + begin * classes);
      }
      embed.multiply(x + begin * m, m, count, hidden.data(), e.data());
      if (anchor && position) shifts.multiply<false>(position + begin * 3, 3, count, e.data());
      for (int r = 0; r < count; ++r)
        put(e.data() + r * wide_embedding, wide_embedding, 1, embed.second.bias.data(), r, count, dim, embedding + begin * dim);
    }
  });
  int64_t found = 0;
  for (int64_t i = 0; i < n; ++i)
    if (thing[i]) things[found++] = i;
  return found;
}

}  // namespace

KERNEL(heads, heads)
