// Feeds a byte string to a decoder whole, byte by byte, and at random cuts. Every decoder's test
// uses it.
#pragma once

#include <cstdint>
#include <random>
#include <string_view>
#include <vector>

namespace parley::testing {

// Calls `run(pieces)` for: the whole input, every single cut, byte by byte, and `random` random
// partitions (seeded).
template <class Run>
void for_each_cut(std::string_view input, Run run, int random = 20, uint32_t seed = 1) {
  run(std::vector<std::string_view>{input});
  for (size_t i = 1; i < input.size(); ++i)
    run(std::vector<std::string_view>{input.substr(0, i), input.substr(i)});
  std::vector<std::string_view> bytes;
  for (size_t i = 0; i < input.size(); ++i) bytes.push_back(input.substr(i, 1));
  run(bytes);
  std::mt19937 rng(seed);
  for (int n = 0; n < random && input.size() > 1; ++n) {
    std::vector<std::string_view> pieces;
    for (size_t at = 0; at < input.size();) {
      const size_t take = 1 + rng() % (input.size() - at);
      pieces.push_back(input.substr(at, take));
      at += take;
    }
    run(pieces);
  }
}

}  // namespace parley::testing
