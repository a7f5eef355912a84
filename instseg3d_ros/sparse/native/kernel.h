// The only way from Python to a kernel: KERNEL(name, function) exports a C++ function under a name, with a description of its
// parameters, by which kernels.py checks every argument, and with a guard that converts exceptions to return codes.
#pragma once
#include <cstdint>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

#include "simd.h"

// The number of threads that a kernel may use. kernels.py sets this parameter; callers do not pass it.
struct Threads {
  int64_t count;
  operator int64_t() const { return count; }
};

// Return codes of a kernel after an exception; kernels.py raises MemoryError or RuntimeError.
constexpr int64_t kOutOfMemory = INT64_MIN, kFailed = INT64_MIN + 1;

namespace kernel {

template <class T>
inline const char *type_name() {
  if constexpr (std::is_same_v<T, Threads>) return "threads";
  else if constexpr (std::is_same_v<T, int64_t>) return "int64";
  else if constexpr (std::is_same_v<T, double>) return "float64";
  else if constexpr (std::is_same_v<T, float>) return "float32";
  else if constexpr (std::is_same_v<T, int32_t>) return "int32";
  else if constexpr (std::is_same_v<T, int16_t>) return "int16";
  else if constexpr (std::is_same_v<T, uint8_t>) return "uint8";
  else {
    static_assert(std::is_same_v<T, Bf16>, "kernels.py knows no such type");
    return "bfloat16";
  }
}

template <class T>
inline std::string parameter() {
  if constexpr (!std::is_pointer_v<T>) return type_name<T>();
  else if constexpr (std::is_const_v<std::remove_pointer_t<T>>)
    return std::string("const ") + type_name<std::remove_const_t<std::remove_pointer_t<T>>>() + "*";
  else return std::string(type_name<std::remove_pointer_t<T>>()) + "*";
}

// Parameters in order, with a semicolon after each.
template <class R, class... A>
inline std::string signature(R (*)(A...)) {
  std::string text;
  ((text += parameter<A>() + ";"), ...);
  return text;
}

template <class T>
inline T argument(const char *packed, size_t index) {
  static_assert(sizeof(T) == 8, "arguments are packed in eight bytes each");
  T value;
  std::memcpy(&value, packed + 8 * index, sizeof value);
  return value;
}

template <class R, class... A, size_t... I>
inline int64_t apply(R (*function)(A...), const char *packed, std::index_sequence<I...>) {
  if constexpr (std::is_void_v<R>) return function(argument<A>(packed, I)...), 0;
  else return function(argument<A>(packed, I)...);
}

inline std::string &last_error() {
  static thread_local std::string text;
  return text;
}

template <class R, class... A>
inline int64_t guarded(R (*function)(A...), const char *packed) noexcept {
  try {
    return apply(function, packed, std::index_sequence_for<A...>());
  } catch (const std::bad_alloc &) {
    return kOutOfMemory;
  } catch (const std::exception &error) {
    try {
      last_error() = error.what();
    } catch (...) {
      return kOutOfMemory;  // there is no memory for the message either
    }
    return kFailed;
  } catch (...) {
    last_error().clear();
    return kFailed;
  }
}

}  // namespace kernel

#define KERNEL(name, ...)                                                                                      \
  extern "C" int64_t kernel_##name(const char *packed) { return kernel::guarded(&__VA_ARGS__, packed); }      \
  extern "C" const char *signature_##name() {                                                                 \
    static const std::string text = kernel::signature(&__VA_ARGS__);                                          \
    return text.c_str();                                                                                      \
  }

// The message of the last kernel of this thread that returned kFailed.
extern "C" inline __attribute__((used)) const char *kernel_error() { return kernel::last_error().c_str(); }
