#include "session/transport_link.h"

#include <algorithm>

namespace parley::session {

std::string_view Handshake::header(std::string_view name) const {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  for (const auto& [key, value] : headers)
    if (std::ranges::equal(key, name, {}, lower, lower)) return value;
  return {};
}

}  // namespace parley::session
