// Which seeds a run tries, and what is said when one fails.
#pragma once

#include <cstdint>
#include <string>

namespace parley::sim {

struct Seeds {
  uint64_t first = 1;
  uint64_t count = 0;
};
// SIM_SEEDS and SIM_FIRST; without them `otherwise` seeds from 1 on.
Seeds seeds_from_environment(uint64_t otherwise);

// What: while it lives, a crash of the process tells the seed, too. One at a time. Owner: the test.
class SeedOnTrial {
 public:
  SeedOnTrial(const std::string& binary, const std::string& test, uint64_t seed);
  ~SeedOnTrial();
  // Seed, commit, and the command that repeats it.
  std::string report(const std::string& failure) const;

 private:
  std::string told_;
};

}  // namespace parley::sim
