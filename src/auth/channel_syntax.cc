#include "auth/channel_syntax.h"

namespace parley::auth {
namespace {

// Marks are nearly always one character, which is found faster: this is done for each publish.
size_t find(std::string_view text, std::string_view mark) {
  return mark.size() == 1 ? text.find(mark[0]) : text.find(mark);
}

size_t find_last(std::string_view text, std::string_view mark) {
  // Few names have one, and to look from the front for none at all is faster.
  const size_t first = find(text, mark);
  return first == text.npos ? first : text.rfind(mark);
}

// Of all but the users.
ChannelName parse_front(const ChannelSyntax& syntax, std::string_view channel) {
  ChannelName name{.rest = channel, .separator = syntax.user_separator};
  std::string_view plain = channel;
  if (const std::string& prefix = syntax.private_prefix;
      !prefix.empty() && channel.starts_with(prefix[0]) && channel.starts_with(prefix)) {
    name.is_private = true;
    plain.remove_prefix(prefix.size());
  }
  if (const std::string& boundary = syntax.namespace_boundary; !boundary.empty()) {
    if (const size_t at = find(plain, boundary); at != plain.npos) {
      name.name_space = plain.substr(0, at);
      name.rest = plain.substr(at + boundary.size());
    }
  }
  return name;
}

}  // namespace

bool ChannelName::lists(std::string_view user) const {
  if (!user_limited || user.empty()) return false;
  if (separator.empty()) return user == users;
  for (std::string_view left = users;;) {
    const size_t end = left.find(separator);
    if (left.substr(0, end) == user) return true;
    if (end == left.npos) return false;
    left.remove_prefix(end + separator.size());
  }
}

std::string_view namespace_of(const ChannelSyntax& syntax, std::string_view channel) {
  return parse_front(syntax, channel).name_space;
}

ChannelName parse_channel(const ChannelSyntax& syntax, std::string_view channel) {
  ChannelName name = parse_front(syntax, channel);
  if (const std::string& boundary = syntax.user_boundary; !boundary.empty()) {
    if (const size_t at = find_last(channel, boundary); at != channel.npos) {
      name.user_limited = true;
      name.users = channel.substr(at + boundary.size());
    }
  }
  return name;
}

}  // namespace parley::auth
