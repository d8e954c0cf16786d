// How the commands of the server API are read from Protobuf.
#pragma once

#include <optional>
#include <string_view>

#include "http_api/command.h"

namespace parley::http_api {

// Reads the body of POST /api/<method> with the content type application/octet-stream: the method's
// request message, or a BatchRequest. Nothing: undecodable (400). Unknown fields are skipped; of a
// field that occurs twice the last one counts, as everywhere in Protobuf.
std::optional<CommandList> decode_protobuf_request(std::string_view method, ByteView body,
                                                   const CommandLimits& limits);

// Each reads one method's request message. False: it is none.
using DecodeProtobuf = bool (*)(ByteView, const CommandLimits&, Command&);
bool protobuf_publish(ByteView message, const CommandLimits& limits, Command& out);
bool protobuf_broadcast(ByteView message, const CommandLimits& limits, Command& out);
bool protobuf_history(ByteView message, const CommandLimits& limits, Command& out);
bool protobuf_channel_only(ByteView message, const CommandLimits& limits, Command& out);
bool protobuf_channels(ByteView message, const CommandLimits& limits, Command& out);
// Of a method that speaks JSON only.
bool protobuf_none(ByteView message, const CommandLimits& limits, Command& out);
bool protobuf_nothing(ByteView message, const CommandLimits& limits, Command& out);
bool protobuf_subscribe(ByteView message, const CommandLimits& limits, Command& out);
bool protobuf_unsubscribe(ByteView message, const CommandLimits& limits, Command& out);
bool protobuf_disconnect(ByteView message, const CommandLimits& limits, Command& out);
bool protobuf_refresh(ByteView message, const CommandLimits& limits, Command& out);
bool protobuf_connections(ByteView message, const CommandLimits& limits, Command& out);
bool protobuf_users(ByteView message, const CommandLimits& limits, Command& out);
bool protobuf_block_user(ByteView message, const CommandLimits& limits, Command& out);
bool protobuf_unblock_user(ByteView message, const CommandLimits& limits, Command& out);
bool protobuf_revoke_token(ByteView message, const CommandLimits& limits, Command& out);
bool protobuf_invalidate_user_tokens(ByteView message, const CommandLimits& limits, Command& out);

}  // namespace parley::http_api
