// Latencies, to about 3 %.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace parley::bench {

class Histogram {
 public:
  void add(uint64_t value) {
    ++counts_[index_of(value)];
    ++total_;
    max_ = std::max(max_, value);
  }
  void clear() { *this = {}; }

  uint64_t total() const { return total_; }
  uint64_t max() const { return max_; }

  // The value below which that part of all values lies; 0 when there are none.
  uint64_t quantile(double part) const {
    const auto wanted = static_cast<uint64_t>(part * static_cast<double>(total_));
    uint64_t seen = 0;
    for (size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen > wanted) return value_of(i);
    }
    return max_;
  }

 private:
  // 32 steps for each power of two.
  static constexpr int kStepBits = 5;
  static size_t index_of(uint64_t value) {
    const int shift = std::max(0, static_cast<int>(std::bit_width(value)) - kStepBits - 1);
    return (static_cast<size_t>(shift) << kStepBits) + (value >> shift);
  }
  static uint64_t value_of(size_t index) {
    const size_t shift = index < (2u << kStepBits) ? 0 : (index >> kStepBits) - 1;
    return (index - (shift << kStepBits)) << shift;
  }

  std::array<uint64_t, 64 << kStepBits> counts_{};
  uint64_t total_ = 0;
  uint64_t max_ = 0;
};

}  // namespace parley::bench
