// What holds for a command's fields, in whichever encoding they came.
#pragma once

#include <string_view>

#include "http_api/command.h"
#include "hub/control.h"

namespace parley::http_api {

// The fields of publish and broadcast that need a look together.
struct RawData {
  ByteView data;
  bool is_json = true;  // else that has to be found out
  std::string_view base64;
};
void finish_publish(const RawData& raw, const CommandLimits& limits, Command& out);

// The same of the commands on connections. JSON of a subscribe or refresh is checked, not parsed.
struct RawControl {
  std::string_view info64;
  std::string_view data64;
  uint32_t code = 0;
};
void finish_control(const RawControl& raw, hub::Control control, const CommandLimits& limits,
                    Command& out);

// The same of those that are remembered, of a list of connections, and of those on statuses.
void finish_remembered(hub::Control control, const CommandLimits& limits, Command& out);
void finish_connections(hub::Control control, const CommandLimits& limits, Command& out);
void add_user(std::string_view user, const CommandLimits& limits, Command& out,
              std::vector<std::string>& users);
void finish_users(std::vector<std::string> users, Command& out);

// Adds a tag, a channel or an operation, or notes that there are too many.
void add_tag(std::string_view name, std::string_view value, const CommandLimits& limits,
             Command& out);
void add_channel(std::string_view channel, const CommandLimits& limits, Command& out);

// Where a method has exactly one channel, it may be missing (107), but there must be one outcome.
void finish_channel(Command& out);
void finish_broadcast(Command& out);
void finish_history(Command& out);
void finish_channels(Command& out);

}  // namespace parley::http_api
