#include "http_api/methods.h"

#include <algorithm>
#include <array>

#include "http_api/results.h"

namespace parley::http_api {
namespace {

bool run_publish(const Runner& runner, hub::StepId step, const Command& command,
                 const std::string& channel, Outcome&) {
  hub::PublishRecord record;
  record.channel = {channel, hub::Aspect::kMessages};
  record.publication = std::make_unique<hub::Publication>();
  record.publication->kind = command.publish.kind;
  record.publication->data = command.publish.data;
  record.publication->tags = command.publish.tags;
  record.publication->delta = command.publish.delta;
  record.idempotency_key = command.publish.idempotency_key;
  record.skip_history = command.publish.skip_history;
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

bool run_info(const Runner& runner, hub::StepId, const Command&, const std::string&,
              Outcome& outcome) {
  append_node_facts(outcome.result, runner.node.facts());
  return false;
}

Outcome render_publish(const Runner& runner, const Command& command, const std::string& channel,
                       const hub::AnswerValue& answer) {
  // Centrifugo names no position where nothing was stored.
  const auto options = runner.hub.rules().find(channel);
  Outcome outcome;
  const bool stored = options && options->has_history() && !command.publish.skip_history;
  append_published(outcome.result, std::get<hub::Published>(answer), stored);
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
    append_history(outcome.result, page);
  }
  return outcome;
}

Outcome render_empty(const Runner&, const Command&, const std::string&, const hub::AnswerValue&) {
  return {.result = "{}"};
}

Outcome render_presence(const Runner&, const Command&, const std::string&,
                        const hub::AnswerValue& answer) {
  Outcome outcome;
  append_presence(outcome.result, std::get<hub::PresenceSnapshot>(answer));
  return outcome;
}

Outcome render_presence_stats(const Runner&, const Command&, const std::string&,
                              const hub::AnswerValue& answer) {
  Outcome outcome;
  append_presence_stats(outcome.result, std::get<hub::PresenceCounts>(answer));
  return outcome;
}

Outcome render_channels(const Runner&, const Command&, const std::string&,
                        const hub::AnswerValue& answer) {
  Outcome outcome;
  append_channels(outcome.result, std::get<hub::ChannelCounts>(answer));
  return outcome;
}

constexpr std::array kMethods = {
    Method{"publish", decode_publish, run_publish, render_publish},
    Method{"broadcast", decode_broadcast, run_publish, render_publish, true},
    Method{"history", decode_history, run_history, render_history},
    Method{"history_remove", decode_channel_only, run_history_remove, render_empty},
    Method{"presence", decode_channel_only, run_presence, render_presence},
    Method{"presence_stats", decode_channel_only, run_presence_stats, render_presence_stats},
    Method{"channels", decode_channels, run_channels, render_channels},
    Method{"info", decode_nothing, run_info, render_empty},
};

}  // namespace

const Method* find_method(std::string_view name) {
  const auto method = std::ranges::find(kMethods, name, &Method::name);
  return method == kMethods.end() ? nullptr : &*method;
}

}  // namespace parley::http_api
