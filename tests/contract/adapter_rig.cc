#include "tests/contract/adapter_rig.h"

#include <algorithm>

namespace parley::testing {

void publish_numbers(SessionWorld& world, int from, int to) {
  for (int n = from; n <= to; ++n) world.publish_later("room", json(std::to_string(n)));
}

std::vector<int> range(int from, int to) {
  std::vector<int> all;
  for (int n = from; n <= to; ++n) all.push_back(n);
  return all;
}

// The payloads of the messages among `heard`, as numbers.
std::vector<int> numbers(const std::vector<Heard>& heard) {
  std::vector<int> all;
  for (const Heard& one : heard)
    if (one.kind == Heard::Kind::kMessage) all.push_back(std::stoi(one.data));
  return all;
}

size_t count(const std::vector<Heard>& heard, Heard::Kind kind) {
  return static_cast<size_t>(
      std::ranges::count_if(heard, [&](const Heard& one) { return one.kind == kind; }));
}

// The position after the last thing heard, or `before` where nothing moved it.
std::string resume_after(const std::vector<Heard>& heard, std::string before) {
  for (const Heard& one : heard)
    if (!one.resume.empty()) before = one.resume;
  return before;
}

}  // namespace parley::testing
