// Runs recorded calls of kernels: replay IN OUT. The kernels are linked in and found by name. Both files are little-endian.
//
// IN: for each call the length of its name and the name, the number of arguments, and each argument: 0 and eight bytes
// (a number), or 1 and a length and so many bytes (a buffer), or 2 (a null pointer). OUT: for each call the result, then
// the buffers after the call.
#include <dlfcn.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

static int64_t number(FILE *file, bool *end = nullptr) {
  int64_t value = 0;
  const bool read = fread(&value, sizeof value, 1, file) == 1;
  if (end) *end = !read;
  return value;
}

int main(int, char **names) {
  FILE *in = fopen(names[1], "rb"), *out = fopen(names[2], "wb");
  if (!in || !out) return 2;
  for (bool end = false;;) {
    std::string name(size_t(number(in, &end)), ' ');
    if (end) break;
    if (fread(name.data(), 1, name.size(), in) != name.size()) return 3;
    const auto kernel = reinterpret_cast<int64_t (*)(const char *)>(dlsym(RTLD_DEFAULT, ("kernel_" + name).c_str()));
    if (!kernel) return fprintf(stderr, "no kernel %s\n", name.c_str()), 4;
    const int64_t count = number(in);
    std::vector<int64_t> packed(static_cast<size_t>(count));
    std::vector<std::vector<char>> buffers;
    for (int64_t &argument : packed) {
      const int64_t kind = number(in);
      if (kind == 0) argument = number(in);
      if (kind != 1) continue;
      std::vector<char> &buffer = buffers.emplace_back(static_cast<size_t>(number(in)));
      if (fread(buffer.data(), 1, buffer.size(), in) != buffer.size()) return 5;
      argument = reinterpret_cast<int64_t>(buffer.data());
    }
    const int64_t result = kernel(reinterpret_cast<const char *>(packed.data()));
    fwrite(&result, sizeof result, 1, out);
    for (const auto &buffer : buffers) fwrite(buffer.data(), 1, buffer.size(), out);
  }
  return fclose(out) ? 6 : 0;
}
