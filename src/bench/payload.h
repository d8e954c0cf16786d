// What a published message carries: enough to find out at the subscriber what became of it.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace parley::bench {

// The text is a JSON string of exactly `bytes` bytes, quotes included, with its numbers at fixed
// places. It begins with a tag, so that it is found in whatever a protocol wraps around it.
struct Payload {
  uint64_t run = 0;  // which run of the generator
  uint64_t stream = 0;
  uint64_t sequence = 0;  // counts the messages of the stream
  uint64_t sent_ns = 0;

  static constexpr std::string_view kTag = "\"b#";
  static constexpr std::array<size_t, 4> kDigits{10, 7, 12, 19};
  static constexpr size_t kNumberBytes = 10 + 7 + 12 + 19;
  static constexpr size_t kMinBytes = kTag.size() + kNumberBytes + 1;

  void append_to(std::string& out, size_t bytes) const {
    out.append(kTag);
    const std::array<uint64_t, 4> numbers{run, stream, sequence, sent_ns};
    for (size_t i = 0; i < numbers.size(); ++i) {
      char digits[20];
      const auto end = std::to_chars(digits, digits + sizeof digits, numbers[i]).ptr;
      const auto length = static_cast<size_t>(end - digits);
      out.append(length < kDigits[i] ? kDigits[i] - length : 0, '0');
      out.append(digits, length);
    }
    out.append(bytes - kMinBytes, 'x');
    out.push_back('"');
  }

  // Finds the payload in `text`. False: there is none.
  static bool find(std::string_view text, Payload& out) {
    const size_t at = text.find(kTag);
    if (at == std::string_view::npos) return false;
    text.remove_prefix(at + kTag.size());
    if (text.size() < kNumberBytes) return false;
    std::array<uint64_t, 4> numbers{};
    const char* next = text.data();
    for (size_t i = 0; i < numbers.size(); ++i) {
      for (const char* end = next + kDigits[i]; next < end; ++next) {
        if (*next < '0' || *next > '9') return false;
        numbers[i] = numbers[i] * 10 + static_cast<uint64_t>(*next - '0');
      }
    }
    out = {numbers[0], numbers[1], numbers[2], numbers[3]};
    return true;
  }
};

}  // namespace parley::bench
