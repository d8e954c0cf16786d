#include "auth/access.h"

#include <algorithm>

#include "base/utf8.h"

namespace parley::auth {

bool is_channel_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxChannelLength &&
         std::ranges::all_of(name, [](char c) { return c >= 0x20 && c < 0x7f; });
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
