#include "auth/access.h"

#include <algorithm>
#include <cstring>

#include "base/utf8.h"

namespace parley::auth {

bool is_printable_ascii(std::string_view text) {
  constexpr uint64_t kEachByte = 0x0101010101010101u;
  const char* at = text.data();
  const char* const end = at + text.size();
  // Sets the top bit of some byte where one is below 0x20, is 0x7f, or has it set.
  uint64_t found = 0;
  for (; end - at >= 8; at += 8) {
    uint64_t word;
    std::memcpy(&word, at, sizeof word);
    found |= (word - kEachByte * 0x20) | (word + kEachByte) | word;
  }
  return (found & kEachByte << 7) == 0 &&
         std::all_of(at, end, [](char c) { return c >= 0x20 && c < 0x7f; });
}

bool is_channel_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxChannelLength && is_printable_ascii(name);
}

bool may_be_channel_name(std::string_view name) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return !name.empty() && name.size() <= kMaxChannelLength && is_valid_utf8(name) &&
         std::ranges::none_of(name, is_control);
}

Verdict OpenAccess::decide(const Principal&, std::string_view channel, Verb, Standing) const {
  return is_channel_name(channel) ? Verdict::kAllow : Verdict::kBadName;
}

Verdict ClosedAccess::decide(const Principal&, std::string_view channel, Verb, Standing) const {
  return is_channel_name(channel) ? Verdict::kDeny : Verdict::kBadName;
}

}  // namespace parley::auth
