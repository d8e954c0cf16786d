#include "server/memory_ladder.h"

#include <cstdio>

#include <fcntl.h>
#include <unistd.h>

#ifdef PARLEY_JEMALLOC
#include <fmt/format.h>
#include <jemalloc/jemalloc.h>
#endif

#include "io/fd.h"

#ifdef PARLEY_JEMALLOC
// Read by jemalloc before main(): what is freed goes back to the system within a second or two, by
// a thread that sleeps otherwise, so that a shard which is idle keeps nothing.
extern "C" {
// NOLINTNEXTLINE(readability-identifier-naming)
const char* malloc_conf =
    "background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0,cache_oblivious:false";
}
#endif

namespace parley::server {
namespace {

// Parts of a hundred at which a step begins.
constexpr size_t kBegin[kMemorySteps] = {0, 80, 90, 95};
constexpr size_t kLess = 5;

}  // namespace

MemoryStep MemoryLadder::update(size_t used) {
  if (limit_ == 0 || used == 0) return step_;  // 0: it could not be measured
  const double part = 100.0 * static_cast<double>(used) / static_cast<double>(limit_);
  auto step = static_cast<size_t>(step_);
  while (step + 1 < kMemorySteps && part >= static_cast<double>(kBegin[step + 1])) ++step;
  while (step > 0 && part < static_cast<double>(kBegin[step] - kLess)) --step;
  return step_ = static_cast<MemoryStep>(step);
}

#ifdef PARLEY_JEMALLOC
void return_free_memory() {
  static constexpr auto kAllArenas = MALLCTL_ARENAS_ALL;
  ::mallctl(fmt::format("arena.{}.purge", kAllArenas).c_str(), nullptr, nullptr, nullptr, 0);
}
#else
void return_free_memory() {}
#endif

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
