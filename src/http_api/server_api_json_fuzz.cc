// Any body for any method: no crash, bounded work, and what is understood keeps the limits.
#include <cstdlib>

#include "codec/json/scratch.h"
#include "codec/json/validate.h"
#include "http_api/json_fault.h"
#include "http_api/methods.h"
#include "http_api/result_encoder.h"

namespace {

using namespace parley;
using namespace parley::http_api;

void require(bool condition) {
  if (!condition) std::abort();
}

constexpr std::string_view kMethods[] = {"",
                                         "batch",
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
                                         "rpc",
                                         "history_remove",
                                         "create_ticket",
                                         "connections",
                                         "get_user_status",
                                         "block_user",
                                         "unblock_user",
                                         "revoke_token",
                                         "invalidate_user_tokens"};
constexpr CommandLimits kLimits{.channels = 8,
                                .commands = 8,
                                .operations = 16,
                                .tags = 4,
                                .whitelist = 4,
                                .users = 4,
                                .connections = 4,
                                .id_bytes = 16};

void check(const Command& command) {
  require(!command.channels.empty() || command.error != ApiError::kNone);
  require(command.channels.size() <= kLimits.channels);
  require(command.publish.tags.size() <= kLimits.tags);
  require(command.method != nullptr || command.error != ApiError::kNone);
  if (command.control && command.error == ApiError::kNone)
    require(command.control->whitelist.size() <= kLimits.whitelist);
  if (command.control && command.control->is_remembered() && command.error == ApiError::kNone)
    require(command.control->user.size() + command.control->token.size() <= kLimits.id_bytes);
  if (command.users) require(command.users->size() <= kLimits.users);
  if (command.error == ApiError::kNone && command.publish.kind == hub::ContentKind::kJson)
    require(command.publish.data.empty() || codec::json::is_valid(command.publish.data));
}

}  // namespace

// The first byte chooses the method.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const ByteView body(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (!codec::json::is_valid(body)) require(!json_fault_place(body).empty());
  static codec::json::Scratch scratch;
  scratch.reset();
  auto list = decode_request(kMethods[data[0] % std::size(kMethods)], body, kLimits, scratch);
  if (!list || list->error != ApiError::kNone) return 0;
  require(list->commands.size() <= kLimits.commands);
  for (Command& command : list->commands) {
    check(command);
    command.outcomes.resize(std::max<size_t>(command.channels.size(), 1));
    // As every method leaves it.
    for (Outcome& outcome : command.outcomes) json_results().empty(outcome.result);
  }
  const Buffer answer = json_results().answer(*list);
  require(list->legacy || codec::json::is_valid(answer));
  return 0;
}
