// check_history FILE...: judges the history that the files hold together, as README.md says.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "tests/history/checker.h"
#include "tests/history/read_json.h"

namespace {

using parley::history::Event;

bool read(const char* name, std::vector<Event>& events) {
  std::ifstream file(name);
  if (!file) {
    std::fprintf(stderr, "%s: cannot be read\n", name);
    return false;
  }
  size_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.empty()) continue;
    auto event = parley::history::read_event(line);
    if (!event) {
      std::fprintf(stderr, "%s:%zu: %s\n", name, number, event.error().c_str());
      return false;
    }
    events.push_back(std::move(*event));
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: check_history FILE...\n");
    return 2;
  }
  std::vector<Event> events;
  for (int i = 1; i < argc; ++i)
    if (!read(argv[i], events)) return 2;
  // Each file is in order already, and the clock is one for all.
  std::ranges::stable_sort(events, {}, &Event::at);
  parley::history::Checker checker;
  for (const Event& event : events) checker.add(event);
  events = {};
  const auto violations = checker.finish();
  size_t count = 0;
  for (const auto& violation : violations) {
    std::printf("(%c) %s\n", violation.rule, violation.text.c_str());
    count += violation.count;
  }
  std::printf("%zu events, %zu violations\n", checker.events(), count);
  return violations.empty() ? 0 : 1;
}
