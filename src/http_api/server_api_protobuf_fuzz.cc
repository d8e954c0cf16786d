// Any body for any method: no crash, bounded work, and what is understood keeps the limits.
#include <cstdlib>

#include "http_api/methods.h"
#include "http_api/protobuf_command.h"
#include "http_api/result_encoder.h"

namespace {

using namespace parley;
using namespace parley::http_api;

void require(bool condition) {
  if (!condition) std::abort();
}

constexpr std::string_view kMethods[] = {"batch",
                                         "publish",
                                         "broadcast",
                                         "subscribe",
                                         "unsubscribe",
                                         "disconnect",
                                         "presence",
                                         "presence_stats",
                                         "history",
                                         "info",
                                         "refresh",
                                         "channels",
                                         "history_remove",
                                         "connections",
                                         "get_user_status",
                                         "block_user",
                                         "unblock_user",
                                         "revoke_token",
                                         "invalidate_user_tokens"};

}  // namespace

// The first byte chooses the method.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const ByteView body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const CommandLimits limits{
      .channels = 8, .commands = 8, .operations = 16, .tags = 4, .whitelist = 4};
  auto list = decode_protobuf_request(kMethods[data[0] % std::size(kMethods)], body, limits);
  if (!list || list->error != ApiError::kNone) return 0;
  require(list->commands.size() <= limits.commands);
  for (Command& command : list->commands) {
    require(!command.channels.empty() || command.error != ApiError::kNone);
    require(command.channels.size() <= limits.channels);
    require(command.publish.tags.size() <= limits.tags);
    require(command.method != nullptr || command.error != ApiError::kNone);
    if (command.control && command.error == ApiError::kNone)
      require(command.control->whitelist.size() <= limits.whitelist);
    command.outcomes.resize(std::max<size_t>(command.channels.size(), 1));
  }
  protobuf_results().answer(*list);
  return 0;
}
