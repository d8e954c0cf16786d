#include "server/memory_ladder.h"

#include <cstdio>
#include <cstdlib>

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include "io/fd.h"

namespace parley::server {
namespace {

// Parts of a hundred at which a step begins.
constexpr size_t kBegin[kMemorySteps] = {0, 80, 90, 95};
constexpr size_t kLess = 5;
// A block of its own costs some microseconds, little beside what so many bytes cost anyway.
constexpr int kLargeBlock = 32 << 10;
// What may stay free at the end of a heap, as glibc has it at first.
constexpr int kFreeEnd = 128 << 10;

}  // namespace

MemoryStep MemoryLadder::update(size_t used) {
  if (limit_ == 0 || used == 0) return step_;  // 0: it could not be measured
  const double part = 100.0 * static_cast<double>(used) / static_cast<double>(limit_);
  auto step = static_cast<size_t>(step_);
  while (step + 1 < kMemorySteps && part >= static_cast<double>(kBegin[step + 1])) ++step;
  while (step > 0 && part < static_cast<double>(kBegin[step] - kLess)) --step;
  return step_ = static_cast<MemoryStep>(step);
}

void return_free_memory() { ::malloc_trim(0); }

void return_end_of_heap() {
  // What is freed next to so much at the end of a heap takes all of that along; were there less,
  // this would be a block of its own, which leaves nothing either.
  void* volatile block = ::malloc(kFreeEnd);
  ::free(block);
}

void return_large_blocks_at_once() {
  ::mallopt(M_MMAP_THRESHOLD, kLargeBlock);
  // A block of 4 MiB, with which the configuration is read, has made this 8 MiB: twice the largest
  // that was freed.
  ::mallopt(M_TRIM_THRESHOLD, kFreeEnd);
}

size_t resident_bytes() {
  const io::UniqueFd fd(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
  if (!fd) return 0;
  char text[128] = {};
  if (::read(fd.get(), text, sizeof text - 1) <= 0) return 0;
  unsigned long long total = 0;
  unsigned long long resident = 0;
  if (std::sscanf(text, "%llu %llu", &total, &resident) != 2) return 0;
  return resident * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace parley::server
