#include "http_api/methods.h"

#include <algorithm>
#include <array>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "codec/json/validate.h"
#include "http_api/result_encoder.h"

namespace parley::http_api {
namespace {

// Where the namespace wants JSON, base64 is only another way to send it.
void settle_kind(const Runner& runner, const std::string& channel, hub::Publication& publication) {
  if (publication.kind != hub::ContentKind::kBinary) return;
  const auto options = runner.hub.rules().find(channel);
  const bool json = options && (options->data_format == hub::DataFormat::kJson ||
                                options->data_format == hub::DataFormat::kJsonObject);
  if (json && codec::json::is_valid(publication.data)) publication.kind = hub::ContentKind::kJson;
}

bool run_publish(const Runner& runner, hub::StepId step, const Command& command,
                 const std::string& channel, Outcome&) {
  hub::PublishRecord record;
  record.channel = {channel, hub::Aspect::kMessages};
  record.publication = std::make_unique<hub::Publication>();
  record.publication->kind = command.publish.kind;
  record.publication->data = command.publish.data;
  settle_kind(runner, channel, *record.publication);
  record.publication->tags = command.publish.tags;
  record.publication->delta = command.publish.delta;
  record.idempotency_key = command.publish.idempotency_key;
  record.skip_history = command.publish.skip_history;
  record.version = command.publish.version;
  record.version_epoch = command.publish.version_epoch;
  runner.hub.publish(runner.who, step, std::move(record));
  return true;
}

bool run_history(const Runner& runner, hub::StepId step, const Command& command,
                 const std::string& channel, Outcome&) {
  const HistoryFields& history = command.history;
  hub::ReadQuery query{.max_bytes = runner.history_bytes, .reverse = history.reverse};
  if (history.has_since) query.since = history.since_offset;
  query.limit = history.limit < 0
                    ? UINT32_MAX
                    : static_cast<uint32_t>(std::min<int64_t>(history.limit, UINT32_MAX));
  runner.hub.history(runner.who, step, channel, query);
  return true;
}

bool run_history_remove(const Runner& runner, hub::StepId step, const Command&,
                        const std::string& channel, Outcome&) {
  runner.hub.remove_history(runner.who, step, channel);
  return true;
}

bool run_presence(const Runner& runner, hub::StepId step, const Command&,
                  const std::string& channel, Outcome&) {
  runner.hub.presence(runner.who, step, channel);
  return true;
}

bool run_presence_stats(const Runner& runner, hub::StepId step, const Command&,
                        const std::string& channel, Outcome&) {
  runner.hub.presence_counts(runner.who, step, channel);
  return true;
}

bool run_channels(const Runner& runner, hub::StepId step, const Command& command,
                  const std::string&, Outcome&) {
  runner.hub.channels(runner.who, step, command.pattern);
  return true;
}

bool run_info(const Runner& runner, hub::StepId, const Command& command, const std::string&,
              Outcome& outcome) {
  command.results->node_facts(outcome.result, runner.node.facts());
  return false;
}

ApiError error_of(auth::TicketRefusal refusal) {
  switch (refusal) {
    case auth::TicketRefusal::kMalformed:
      return ApiError::kBadRequest;
    case auth::TicketRefusal::kTooMany:
      return ApiError::kLimitExceeded;
    case auth::TicketRefusal::kOff:
      break;
  }
  return ApiError::kNotAvailable;
}

// Only JSON comes this far.
bool run_create_ticket(const Runner& runner, hub::StepId, const Command& command,
                       const std::string&, Outcome& outcome) {
  auto ticket = runner.tickets != nullptr ? runner.tickets->issue(command.ticket_order)
                                          : std::unexpected(auth::TicketRefusal::kOff);
  if (ticket) {
    outcome.result = R"({"ticket":")" + ticket->text + R"(","expire_at":)";
    append_uint(outcome.result, static_cast<uint64_t>(ticket->expire_at));
    outcome.result += '}';
  } else {
    outcome.error = error_of(ticket.error());
  }
  return false;
}

bool run_control(const Runner& runner, hub::StepId step, const Command& command,
                 const std::string& channel, Outcome& outcome) {
  const auto kind = command.control->kind;
  const bool of_channel =
      kind == hub::Control::Kind::kSubscribe || kind == hub::Control::Kind::kUnsubscribe;
  if (of_channel && channel.empty()) {
    // An unsubscribe from nothing; it does not mean all channels.
    command.results->empty(outcome.result);
    return false;
  }
  if (of_channel && !runner.hub.rules().find(channel)) {
    outcome.error = ApiError::kUnknownChannel;
    return false;
  }
  runner.hub.control(runner.who, step, command.control);
  return true;
}

bool run_rpc(const Runner&, hub::StepId, const Command&, const std::string&, Outcome& outcome) {
  outcome.error = ApiError::kNotFound;  // nothing here has methods of its own
  return false;
}

Outcome render_publish(const Runner& runner, const Command& command, const std::string& channel,
                       const hub::AnswerValue& answer) {
  // Centrifugo names no position where nothing was stored.
  const auto options = runner.hub.rules().find(channel);
  Outcome outcome;
  const bool stored = options && options->has_history() && !command.publish.skip_history;
  if (stored) {
    command.results->published(outcome.result, std::get<hub::Published>(answer).position);
  } else {
    command.results->empty(outcome.result);
  }
  return outcome;
}

Outcome render_history(const Runner&, const Command& command, const std::string&,
                       const hub::AnswerValue& answer) {
  const auto& page = std::get<hub::ReadPage>(answer);
  const HistoryFields& history = command.history;
  Outcome outcome;
  const bool same_epoch =
      history.since_epoch.empty() || history.since_epoch == hub::to_string(page.epoch);
  if (history.has_since && (!same_epoch || history.since_offset > page.top)) {
    outcome.error = ApiError::kUnrecoverablePosition;
  } else {
    command.results->history(outcome.result, page);
  }
  return outcome;
}

Outcome render_empty(const Runner&, const Command& command, const std::string&,
                     const hub::AnswerValue&) {
  Outcome outcome;
  command.results->empty(outcome.result);
  return outcome;
}

Outcome render_presence(const Runner&, const Command& command, const std::string&,
                        const hub::AnswerValue& answer) {
  Outcome outcome;
  command.results->presence(outcome.result, std::get<hub::PresenceSnapshot>(answer));
  return outcome;
}

Outcome render_presence_stats(const Runner&, const Command& command, const std::string&,
                              const hub::AnswerValue& answer) {
  Outcome outcome;
  command.results->presence_stats(outcome.result, std::get<hub::PresenceCounts>(answer));
  return outcome;
}

Outcome render_channels(const Runner&, const Command& command, const std::string&,
                        const hub::AnswerValue& answer) {
  Outcome outcome;
  command.results->channels(outcome.result, std::get<hub::ChannelCounts>(answer));
  return outcome;
}

// Milliseconds, for one, would shut the user out for ever.
constexpr int64_t kMostAhead = 24 * 3600;

bool run_remembered(const Runner& runner, hub::StepId step, const Command& command,
                    const std::string&, Outcome& outcome) {
  hub::ControlPtr control = command.control;
  const int64_t now = runner.hub.now().wall / 1000;
  if (control->expire_at != 0 && control->expire_at <= now) {
    // It would protect nothing, and nobody would notice.
    outcome.error = ApiError::kBadRequest;
    return false;
  }
  if (control->issued_before > now + kMostAhead) {
    outcome.error = ApiError::kBadRequest;
    return false;
  }
  if (control->kind == hub::Control::Kind::kInvalidate && control->issued_before == 0) {
    hub::Control timed = *control;
    timed.issued_before = now;
    control = std::make_shared<const hub::Control>(std::move(timed));
  }
  runner.hub.control(runner.who, step, std::move(control));
  return true;
}

bool run_connections(const Runner& runner, hub::StepId step, const Command& command,
                     const std::string&, Outcome& outcome) {
  if (command.filtered) {
    outcome.error = ApiError::kNotAvailable;
    return false;
  }
  runner.hub.control(runner.who, step, command.control);
  return true;
}

template <hub::StatusRequest::Kind kKind>
bool run_statuses(const Runner& runner, hub::StepId step, const Command& command,
                  const std::string&, Outcome&) {
  runner.hub.user_status(runner.who, step, {kKind, command.users});
  return true;
}

Outcome render_connections(const Runner&, const Command& command, const std::string&,
                           const hub::AnswerValue& answer) {
  // Each shard gave as many as all together may.
  const auto& found = std::get<hub::Controlled>(answer);
  const std::span all(found.connections);
  const size_t most = command.control->most;
  Outcome outcome;
  command.results->connections(outcome.result, all.first(std::min(all.size(), most)),
                               found.cut || all.size() > most);
  return outcome;
}

// In the order in which they were asked for, those of whom nothing is known too.
Outcome render_statuses(const Runner&, const Command& command, const std::string&,
                        const hub::AnswerValue& answer) {
  std::unordered_map<std::string_view, const hub::UserStatus*, SeededHash> known;
  for (const hub::UserStatus& status : std::get<hub::UserStatusList>(answer).statuses)
    known.emplace(status.user, &status);
  std::vector<hub::UserStatus> all;
  all.reserve(command.users->size());
  for (const std::string& user : *command.users) {
    const auto found = known.find(user);
    all.push_back(found == known.end() ? hub::UserStatus{.user = user} : *found->second);
  }
  Outcome outcome;
  command.results->user_statuses(outcome.result, all);
  return outcome;
}

using StatusKind = hub::StatusRequest::Kind;

// Of methods that Centrifugo does not have: what they say in Protobuf is nowhere written down.
constexpr uint32_t kNoField = 0;

constexpr std::array kMethods = {
    Method{"publish", 4, decode_publish, protobuf_publish, run_publish, render_publish,
           /*many_channels=*/false, /*keeps_order=*/true},
    Method{"broadcast", 5, decode_broadcast, protobuf_broadcast, run_publish, render_publish, true},
    Method{"subscribe", 6, decode_subscribe, protobuf_subscribe, run_control, render_empty},
    Method{"unsubscribe", 7, decode_unsubscribe, protobuf_unsubscribe, run_control, render_empty},
    Method{"disconnect", 8, decode_disconnect, protobuf_disconnect, run_control, render_empty},
    Method{"presence", 9, decode_channel_only, protobuf_channel_only, run_presence,
           render_presence},
    Method{"presence_stats", 10, decode_channel_only, protobuf_channel_only, run_presence_stats,
           render_presence_stats},
    Method{"history", 11, decode_history, protobuf_history, run_history, render_history},
    Method{"history_remove", 12, decode_channel_only, protobuf_channel_only, run_history_remove,
           render_empty},
    Method{"info", 13, decode_nothing, protobuf_nothing, run_info, render_empty},
    Method{"rpc", 14, decode_nothing, protobuf_nothing, run_rpc, render_empty},
    Method{"refresh", 15, decode_refresh, protobuf_refresh, run_control, render_empty},
    Method{"create_ticket", kNoField, decode_create_ticket, protobuf_none, run_create_ticket,
           render_empty},
    Method{"channels", 16, decode_channels, protobuf_channels, run_channels, render_channels},
    Method{"connections", 17, decode_connections, protobuf_connections, run_connections,
           render_connections},
    Method{"update_user_status", 18, decode_users, protobuf_users,
           run_statuses<StatusKind::kUpdate>, render_empty},
    Method{"get_user_status", 19, decode_users, protobuf_users, run_statuses<StatusKind::kGet>,
           render_statuses},
    Method{"delete_user_status", 20, decode_users, protobuf_users,
           run_statuses<StatusKind::kDelete>, render_empty},
    Method{"block_user", 21, decode_block_user, protobuf_block_user, run_remembered, render_empty},
    Method{"unblock_user", 22, decode_unblock_user, protobuf_unblock_user, run_remembered,
           render_empty},
    Method{"revoke_token", 23, decode_revoke_token, protobuf_revoke_token, run_remembered,
           render_empty},
    Method{"invalidate_user_tokens", 24, decode_invalidate_user_tokens,
           protobuf_invalidate_user_tokens, run_remembered, render_empty},
};

}  // namespace

const Method* find_method(std::string_view name) {
  const auto method = std::ranges::find(kMethods, name, &Method::name);
  return method == kMethods.end() ? nullptr : &*method;
}

const Method* find_method(uint32_t field) {
  if (field == kNoField) return nullptr;
  const auto method = std::ranges::find(kMethods, field, &Method::field);
  return method == kMethods.end() ? nullptr : &*method;
}

}  // namespace parley::http_api
