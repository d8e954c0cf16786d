// What a process costs, as the kernel accounts for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace parley::bench {

// What: reads /proc. A process includes its children, as the workers of others are. Failure: no
// such process, or it is not ours to read.
class ProcessMeter {
 public:
  static Result<ProcessMeter> open(int pid);

  // Run time of all threads so far.
  uint64_t cpu_ns() const;
  // Run time of the kernel threads that work off what the process's cores put off; none where they
  // are not visible, as in most containers.
  std::optional<uint64_t> ksoftirqd_ns() const;
  // Its share of the memory that it maps (PSS).
  Result<uint64_t> memory_bytes() const;
  // What the kernel holds in its slab caches, of the whole machine.
  static uint64_t kernel_bytes();

 private:
  explicit ProcessMeter(int pid) : pid_(pid) {}
  void collect(int pid, std::vector<int>& out) const;
  std::vector<int> family() const;

  int pid_;
  std::vector<std::string> kernel_threads_;  // their schedstat files
};

}  // namespace parley::bench
