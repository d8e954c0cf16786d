// What is wrong with a configuration, where, and what to do about it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace parley::config {

// Counted from 1, columns in bytes; 0: the place has no line.
struct Position {
  uint32_t line = 0;
  uint32_t column = 0;

  auto operator<=>(const Position&) const = default;
};

// The source a setting came from: a file with a position in it, a variable of the environment or
// the command line.
struct Place {
  std::string source;
  Position at;
};

struct Problem {
  Place place;
  std::string path;     // of the option, "client.token.audience"; may be empty
  std::string message;  // what is wrong and what to do

  // "parley.yaml:3:7: client.ping_interval: ...", the form that editors understand.
  std::string text() const;
};

inline constexpr size_t kMaxProblems = 20;

// What: collects problems so that one run tells them all. Owner: load(). What is above the limit is
// counted only.
class Report {
 public:
  void add(Problem problem);
  void add(Place place, std::string path, std::string message);
  bool empty() const { return problems_.empty(); }
  // Another problem would be counted only.
  bool full() const { return problems_.size() >= kMaxProblems; }
  // In the order of the sources' lines; empties the report.
  std::vector<Problem> take();

 private:
  std::vector<Problem> problems_;
  size_t dropped_ = 0;
};

}  // namespace parley::config
