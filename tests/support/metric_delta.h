// How much a metric has grown, read as an operator reads it: from the text of /metrics.
#pragma once

#include <charconv>
#include <string>

#include "base/metrics.h"

namespace parley::testing {

// What: remembers the sample's value when it is made; names it as /metrics does, labels included:
//   MetricDelta refused(R"(parley_x_refused_total{reason="too_deep"})");
//   ...
//   EXPECT_EQ(refused(), 1);
class MetricDelta {
 public:
  explicit MetricDelta(std::string sample) : sample_(std::move(sample)), before_(value()) {}
  int64_t operator()() const { return value() - before_; }

 private:
  // A sample that does not exist is 0 and never grows.
  int64_t value() const {
    const std::string text = "\n" + metrics::render();
    const size_t found = text.find("\n" + sample_ + " ");
    int64_t value = 0;
    if (found != std::string::npos)
      std::from_chars(text.data() + found + sample_.size() + 2, text.data() + text.size(), value);
    return value;
  }

  std::string sample_;
  int64_t before_;
};

}  // namespace parley::testing
