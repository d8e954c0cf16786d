// How the commands on users and their tokens are read from Protobuf.
#include "http_api/command_rules.h"
#include "http_api/protobuf_command.h"
#include "http_api/protobuf_fields.h"

namespace parley::http_api {

using hub::Control;

bool protobuf_connections(ByteView message, const CommandLimits& limits, Command& out) {
  Control control{.kind = Control::Kind::kList};
  std::string expression;
  ProtobufFields fields(message);
  while (fields.next()) {
    if (fields.number() == 1) fields.text(control.user);
    if (fields.number() == 2) fields.text(expression);
  }
  out.filtered = !expression.empty();
  finish_connections(std::move(control), limits, out);
  return fields.good();
}

bool protobuf_users(ByteView message, const CommandLimits& limits, Command& out) {
  std::vector<std::string> users;
  ProtobufFields fields(message);
  while (fields.next()) {
    if (fields.number() != 1) continue;
    std::string_view user;
    fields.text(user);
    add_user(user, limits, out, users);
  }
  finish_users(std::move(users), out);
  return fields.good();
}

bool protobuf_block_user(ByteView message, const CommandLimits& limits, Command& out) {
  Control control{.kind = Control::Kind::kBlock};
  ProtobufFields fields(message);
  while (fields.next()) {
    if (fields.number() == 1) fields.number(control.expire_at);
    if (fields.number() == 2) fields.text(control.user);
  }
  finish_remembered(std::move(control), limits, out);
  return fields.good();
}

bool protobuf_unblock_user(ByteView message, const CommandLimits& limits, Command& out) {
  Control control{.kind = Control::Kind::kUnblock};
  ProtobufFields fields(message);
  while (fields.next())
    if (fields.number() == 1) fields.text(control.user);
  finish_remembered(std::move(control), limits, out);
  return fields.good();
}

bool protobuf_revoke_token(ByteView message, const CommandLimits& limits, Command& out) {
  Control control{.kind = Control::Kind::kRevoke};
  ProtobufFields fields(message);
  while (fields.next()) {
    if (fields.number() == 1) fields.number(control.expire_at);
    if (fields.number() == 2) fields.text(control.token);
  }
  finish_remembered(std::move(control), limits, out);
  return fields.good();
}

bool protobuf_invalidate_user_tokens(ByteView message, const CommandLimits& limits, Command& out) {
  Control control{.kind = Control::Kind::kInvalidate};
  ProtobufFields fields(message);
  while (fields.next()) {
    if (fields.number() == 1) fields.number(control.expire_at);
    if (fields.number() == 2) fields.text(control.user);
    if (fields.number() == 3) fields.number(control.issued_before);
    if (fields.number() == 4) fields.text(control.channel);
  }
  finish_remembered(std::move(control), limits, out);
  return fields.good();
}

}  // namespace parley::http_api
