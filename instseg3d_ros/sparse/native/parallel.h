// Runs independent tasks on a given number of threads. Tasks are assigned one at a time, so that tasks of unequal cost stay
// balanced. A task must write only data that no other task uses; the result is then independent of the threads.
//
// Why not OpenMP: its regions end when every thread of the team has arrived, so on a busy machine each of a network's hundred
// regions waits until the system has scheduled the last thread. Here the caller runs the tasks, helpers take some of them
// once they are scheduled, and the caller waits only for tasks that a helper has begun.
#pragma once
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>

#if defined(__x86_64__) || defined(__i386__)
#define INSTSEG3D_PAUSE() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define INSTSEG3D_PAUSE() asm volatile("yield")
#else
#define INSTSEG3D_PAUSE()
#endif

class Pool {
 public:
  typedef void (*Call)(void *task, int64_t index);

  // A single pool for all libraries of the process: the linker merges the variable. It is never destroyed, because helpers
  // may outlive it.
  static Pool &shared() {
    static Pool *pool = new Pool;
    if (pool->process_ != getpid()) pool = new Pool;  // helpers do not survive a fork
    return *pool;
  }

  void run(int64_t threads, int64_t tasks, Call call, void *task) {
    if (busy_.exchange(true, std::memory_order_acquire)) {  // another thread uses the pool, or a task calls `run` itself
      for (int64_t i = 0; i < tasks; ++i) call(task, i);
      return;
    }
    const int64_t wanted = (threads < tasks ? threads : tasks) - 1;
    try {
      for (; helpers_ < wanted; ++helpers_) std::thread(&Pool::help, this).detach();
    } catch (const std::exception &) {  // no memory or thread is available: fewer helpers suffice
    }
    call_ = call, task_ = task, tasks_ = tasks;
    next_.store(0, std::memory_order_relaxed);
    room_.store(wanted, std::memory_order_relaxed);
    state_.store(0, std::memory_order_release);  // open, nobody inside
    jobs_.fetch_add(1, std::memory_order_seq_cst);
    if (sleeping_.load(std::memory_order_seq_cst)) {
      std::lock_guard<std::mutex> lock(mutex_);
      wake_.notify_all();
    }
    work();
    state_.fetch_or(kClosed, std::memory_order_acq_rel);
    for (int spins = 0; state_.load(std::memory_order_acquire) != kClosed; ++spins)
      if (spins < 2000) INSTSEG3D_PAUSE();
      else sched_yield();
    const std::exception_ptr error = std::exchange(error_, nullptr);
    busy_.store(false, std::memory_order_release);
    if (error) std::rethrow_exception(error);
  }

 private:
  static constexpr int64_t kClosed = int64_t(1) << 32;  // below it in `state_`: how many helpers are inside
  static constexpr auto kPatience = std::chrono::microseconds(200);  // about the time between two layers

  // A task that throws ends the work: tasks that have not begun are skipped, and `run` throws the first exception.
  void work() {
    for (int64_t i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < tasks_;) {
      try {
        call_(task_, i);
      } catch (...) {
        std::lock_guard<std::mutex> lock(mutex_);
        if (!error_) error_ = std::current_exception();
        next_.store(tasks_, std::memory_order_relaxed);
      }
    }
  }

  void help() {
    for (int64_t seen = 0;;) {
      seen = wait(seen);
      if (room_.fetch_sub(1, std::memory_order_relaxed) <= 0) continue;
      int64_t inside = state_.load(std::memory_order_relaxed);
      while (!(inside & kClosed) && !state_.compare_exchange_weak(inside, inside + 1, std::memory_order_acq_rel)) {
      }
      if (inside & kClosed) continue;
      work();
      state_.fetch_sub(1, std::memory_order_release);
    }
  }

  // Waits for a job after number `seen`: spins for kPatience, then sleeps.
  int64_t wait(int64_t seen) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    do {
      for (int i = 0; i < 64; ++i) {
        const int64_t now = jobs_.load(std::memory_order_acquire);
        if (now != seen) return now;
        INSTSEG3D_PAUSE();
      }
    } while (std::chrono::steady_clock::now() < until);
    std::unique_lock<std::mutex> lock(mutex_);
    sleeping_.fetch_add(1, std::memory_order_seq_cst);
    wake_.wait(lock, [&] { return jobs_.load(std::memory_order_seq_cst) != seen; });
    sleeping_.fetch_sub(1, std::memory_order_relaxed);
    return jobs_.load(std::memory_order_acquire);
  }

  const pid_t process_ = getpid();
  std::atomic<bool> busy_{false};
  int64_t helpers_ = 0;
  Call call_ = nullptr;
  void *task_ = nullptr;
  int64_t tasks_ = 0;
  std::exception_ptr error_;
  alignas(64) std::atomic<int64_t> next_{0};
  alignas(64) std::atomic<int64_t> state_{kClosed}, room_{0}, jobs_{0};
  std::atomic<int> sleeping_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
};

// The number of threads that `operations` simple steps justify: waking a thread costs as much as tens of thousands of steps.
inline int64_t worth(int64_t threads, int64_t operations) {
  return operations < 50000 ? 1 : threads;
}

template <class Task>
inline void parallel(int64_t threads, int64_t tasks, Task &&task) {
  Pool::Call call = [](void *object, int64_t index) { (*static_cast<std::remove_reference_t<Task> *>(object))(index); };
  // A single copy of the task's code for any number of threads: two compiled copies could differ in the last digits.
  asm volatile("" : "+r"(call));
  void *object = const_cast<void *>(static_cast<const void *>(&task));
  if (threads > 1 && tasks > 1) return Pool::shared().run(threads, tasks, call, object);
  for (int64_t i = 0; i < tasks; ++i) call(object, i);
}
