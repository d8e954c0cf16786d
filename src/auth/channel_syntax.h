// What the parts of a channel's name mean: which namespace it is in, whether it is private, and
// whose it is.
#pragma once

#include <string>
#include <string_view>

#include "auth/access.h"

namespace parley::auth {

// The marks inside channel names. "" switches a mark off, and with it what it means.
struct ChannelSyntax {
  std::string private_prefix = "$";      // at the beginning: subscribing needs a token
  std::string namespace_boundary = ":";  // behind the namespace's name
  std::string user_boundary = "#";       // before the users that may subscribe
  std::string user_separator = ",";      // between them
  size_t max_length = kMaxChannelLength;
};

// A name taken apart. Borrows the name and the syntax.
struct ChannelName {
  std::string_view name_space;  // "": none, so the options for channels without a namespace hold
  std::string_view rest;   // what a namespace's channel_regex is about: all behind the boundary,
                           // or the whole name where there is no namespace
  std::string_view users;  // behind the last user boundary
  std::string_view separator;  // between them; "": `users` is one user
  bool is_private = false;
  bool user_limited = false;  // it has a user boundary; a namespace may not care

  // Whether `user` is one of `users`. The anonymous user never is.
  bool lists(std::string_view user) const;
};

// Takes any bytes; what may be in a name is for permissions to say. Shared by them and by the
// lookup of a channel's options, which must agree on the namespace.
ChannelName parse_channel(const ChannelSyntax& syntax, std::string_view channel);
// Its `name_space` alone.
std::string_view namespace_of(const ChannelSyntax& syntax, std::string_view channel);

}  // namespace parley::auth
