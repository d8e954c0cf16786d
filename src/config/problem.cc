#include "config/problem.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace parley::config {

std::string Problem::text() const {
  std::string out = place.source;
  if (place.at.line > 0) out += fmt::format(":{}:{}", place.at.line, place.at.column);
  if (!out.empty()) out += ": ";
  if (!path.empty()) out += path + ": ";
  return out + message;
}

void Report::add(Problem problem) {
  if (full()) {
    ++dropped_;
  } else {
    problems_.push_back(std::move(problem));
  }
}

void Report::add(Place place, std::string path, std::string message) {
  add(Problem{std::move(place), std::move(path), std::move(message)});
}

std::vector<Problem> Report::take() {
  std::ranges::stable_sort(problems_, {}, [](const Problem& problem) {
    return std::tie(problem.place.source, problem.place.at);
  });
  if (dropped_ > 0)
    problems_.push_back({{}, {}, fmt::format("and {} more; mend these first", dropped_)});
  dropped_ = 0;
  return std::exchange(problems_, {});
}

}  // namespace parley::config
