// Runs independent tasks on a given number of threads. Tasks are handed out one by one, so unequal ones stay balanced;
// a task must write only what is its own, which makes the result independent of who ran it.
#pragma once
#include <cstdint>

#ifdef _OPENMP
#include <atomic>
#endif

// As many threads as `operations` simple steps are worth: waking one costs as much as some tens of thousands of them.
inline int64_t worth(int64_t threads, int64_t operations) {
  return operations < 50000 ? 1 : threads;
}

template <class Task>
inline void parallel(int64_t threads, int64_t tasks, Task &&task) {
#ifdef _OPENMP
  if (threads > 1 && tasks > 1) {
    std::atomic<int64_t> next{0};
#pragma omp parallel num_threads(int(threads < tasks ? threads : tasks))
    for (int64_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < tasks;) task(i);
    return;
  }
#endif
  // One thread never enters the OpenMP runtime: it cannot be used in a process forked from one that did.
  for (int64_t i = 0; i < tasks; ++i) task(i);
}
