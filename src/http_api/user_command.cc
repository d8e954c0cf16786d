// How the commands on users and their tokens are read from JSON.
#include "http_api/command_rules.h"

namespace parley::http_api {
namespace {

using codec::json::Reader;
using hub::Control;

// The fields of all that is remembered; each method has some of them.
bool read_remembered(Reader& reader, Control::Kind kind, const CommandLimits& limits,
                     Command& out) {
  if (!reader.object()) return false;
  Control control{.kind = kind};
  const bool of_token = kind == Control::Kind::kRevoke;
  const bool of_time = kind == Control::Kind::kInvalidate;
  for (std::string_view key; reader.key(key);) {
    if (reader.null()) continue;
    bool good = true;
    if (key == "user" && !of_token) good = reader.string(control.user);
    if (key == "uid" && of_token) good = reader.string(control.token);
    if (key == "expire_at") good = reader.integer(control.expire_at);
    if (key == "issued_before" && of_time) good = reader.integer(control.issued_before);
    if (key == "channel" && of_time) good = reader.string(control.channel);
    if (!good) return false;
  }
  finish_remembered(std::move(control), limits, out);
  return !reader.failed();
}

}  // namespace

bool decode_connections(Reader& reader, const CommandLimits& limits, Command& out) {
  if (!reader.object()) return false;
  Control control{.kind = Control::Kind::kList};
  for (std::string_view key; reader.key(key);) {
    if (reader.null()) continue;
    bool good = true;
    std::string expression;
    if (key == "user") good = reader.string(control.user);
    if (key == "client") good = reader.string(control.client);
    if (key == "limit") good = reader.integer(control.most);
    if (key == "expression") good = reader.string(expression);
    if (!good) return false;
    out.filtered = out.filtered || !expression.empty();
  }
  finish_connections(std::move(control), limits, out);
  return !reader.failed();
}

bool decode_users(Reader& reader, const CommandLimits& limits, Command& out) {
  if (!reader.object()) return false;
  std::vector<std::string> users;
  for (std::string_view key; reader.key(key);) {
    if (key != "users" || reader.null()) continue;
    if (!reader.array()) return false;
    while (reader.element()) {
      std::string_view user;
      if (!reader.string(user)) return false;
      add_user(user, limits, out, users);
    }
  }
  finish_users(std::move(users), out);
  return !reader.failed();
}

bool decode_block_user(Reader& reader, const CommandLimits& limits, Command& out) {
  return read_remembered(reader, Control::Kind::kBlock, limits, out);
}

bool decode_unblock_user(Reader& reader, const CommandLimits& limits, Command& out) {
  return read_remembered(reader, Control::Kind::kUnblock, limits, out);
}

bool decode_revoke_token(Reader& reader, const CommandLimits& limits, Command& out) {
  return read_remembered(reader, Control::Kind::kRevoke, limits, out);
}

bool decode_invalidate_user_tokens(Reader& reader, const CommandLimits& limits, Command& out) {
  return read_remembered(reader, Control::Kind::kInvalidate, limits, out);
}

}  // namespace parley::http_api
