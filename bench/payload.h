// What a published message carries: enough to find out at the subscriber what became of it.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace parley::bench {

// The text is a JSON string of exactly `bytes` bytes, quotes included, with its numbers at fixed
// places.
struct Payload {
  uint64_t message = 0;   // counts all messages
  uint64_t sequence = 0;  // counts the messages of the channel
  uint64_t channel = 0;
  uint64_t sent_ns = 0;

  static constexpr size_t kDigits = 20;
  static constexpr size_t kMinBytes = 2 + 4 * kDigits;

  void append_to(std::string& out, size_t bytes) const {
    out.push_back('"');
    for (const uint64_t number : {message, sequence, channel, sent_ns}) {
      char digits[kDigits];
      const auto end = std::to_chars(digits, digits + kDigits, number).ptr;
      out.append(kDigits - static_cast<size_t>(end - digits), '0');
      out.append(digits, end);
    }
    out.append(bytes - kMinBytes, 'x');
    out.push_back('"');
  }

  // `text` begins behind the opening quote.
  static bool parse(std::string_view text, Payload& out) {
    if (text.size() < 4 * kDigits) return false;
    uint64_t numbers[4] = {};
    for (uint64_t& number : numbers) {
      for (const char c : text.substr(0, kDigits)) {
        if (c < '0' || c > '9') return false;
        number = number * 10 + static_cast<uint64_t>(c - '0');
      }
      text.remove_prefix(kDigits);
    }
    out = {numbers[0], numbers[1], numbers[2], numbers[3]};
    return true;
  }
};

}  // namespace parley::bench
