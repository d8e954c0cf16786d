#include "bench/plan.h"

#include <algorithm>
#include <array>
#include <functional>

#include <fmt/format.h>

#include "bench/payload.h"
#include "bench/target.h"

namespace parley::bench {
namespace {

constexpr uint64_t kMaxConnections = 10'000'000;
// What was to be counted has this long, unless said otherwise.
constexpr double kCountSeconds = 60;
// So long a load runs before it is measured, unless said otherwise.
constexpr double kWarmSeconds = 0.5;

// What of its own a scenario can be told.
enum Knob : uint8_t {
  kConnections = 1,
  kManyChannels = 2,
  kSubscribers = 4,
  kSlowOnes = 8,
  kPublishers = 16,
  kPaced = 32,
  kOneWindow = 64,
  kBatch = 128,
};

struct ScenarioRow {
  const char* name;
  uint8_t knobs;
  uint32_t connections;  // or subscribers of each channel
  uint32_t channels;
  double rate;  // 0: a window
  uint32_t window;
  double seconds;
};

constexpr std::array<ScenarioRow, 8> kScenarios{{
    {"connect", kConnections | kManyChannels, 1000, 1, 0, 0, 0},
    {"fanout", kSubscribers | kPublishers | kPaced | kOneWindow, 1000, 1, 20, 0, 2},
    {"channels", kManyChannels | kSubscribers | kPublishers | kPaced | kOneWindow, 5, 1000, 4000, 0,
     2},
    {"echo", kConnections | kOneWindow, 100, 0, 0, 1, 2},
    {"ingest", kPublishers | kOneWindow, 1, 1, 0, 256, 2},
    {"api", kConnections | kBatch | kOneWindow, 16, 1, 0, 64, 2},
    {"idle", kConnections | kManyChannels, 10'000, 1, 0, 0, 30},
    {"slow", kManyChannels | kSubscribers | kSlowOnes | kPublishers | kPaced | kOneWindow, 100, 1,
     1000, 0, 2},
}};

std::vector<std::string> names_of_scenarios() {
  std::vector<std::string> names;
  names.reserve(kScenarios.size());
  for (const ScenarioRow& row : kScenarios) names.emplace_back(row.name);
  return names;
}

Result<void> check_knobs(const Wishes& wishes, const ScenarioRow& row) {
  struct Given {
    bool given;
    uint8_t knob;
    const char* option;
  };
  const std::array<Given, 8> all{{
      {wishes.connections.has_value(), kConnections, "--connections"},
      {wishes.channels.has_value(), kManyChannels, "--channels"},
      {wishes.subscribers.has_value(), kSubscribers, "--subscribers"},
      {wishes.slow.has_value(), kSlowOnes, "--slow"},
      {wishes.publishers.has_value(), kPublishers, "--publishers"},
      {wishes.rate.has_value(), kPaced, "--rate"},
      {wishes.window.has_value(), kOneWindow, "--window"},
      {wishes.batch.has_value(), kBatch, "--batch"},
  }};
  for (const Given& one : all)
    if (one.given && (row.knobs & one.knob) == 0)
      return fail(fmt::format("parley bench {} has no use for {}", row.name, one.option));
  if (wishes.rate && wishes.window)
    return fail("--rate and --window: a load has a rate, or a window of messages in flight");
  return {};
}

Result<void> check_protocol(const Request& request) {
  const bool speaks_all = request.plan.protocol == Protocol::kCentrifuge;
  const bool listens =
      request.plan.protocol == Protocol::kHttpStream || request.plan.protocol == Protocol::kSse;
  if (listens && request.scenario == Scenario::kIdle)
    return fail("over http_stream and sse nothing answers pings, so nobody stays idle for long");
  const bool has_channel_to_answer =
      request.scenario == Scenario::kFanOut || request.scenario == Scenario::kChannels ||
      request.scenario == Scenario::kIngest || request.scenario == Scenario::kIdle ||
      request.scenario == Scenario::kConnect || request.scenario == Scenario::kSlow;
  if (speaks_all || has_channel_to_answer) return {};
  if (request.plan.protocol == Protocol::kNats && request.scenario == Scenario::kEcho) return {};
  return fail(
      "echo and api publish over the connections of the Centrifuge protocol: leave out "
      "--protocol");
}

Result<void> set_pace(const Wishes& wishes, const ScenarioRow& row, Plan& plan) {
  if (plan.api) {
    plan.pace = Pace::kOneRequest;
    plan.window = wishes.window.value_or(std::max(row.window, 2 * plan.publishers * plan.batch));
    if (plan.window < plan.batch)
      return fail("--window must be at least --batch, or no request would ever be sent");
  } else if (wishes.rate || (row.rate > 0 && !wishes.window)) {
    plan.pace = Pace::kRate;
    plan.rate = wishes.rate.value_or(row.rate);
  } else {
    plan.pace = plan.echo ? Pace::kOwnWindow : Pace::kWindow;
    plan.window = wishes.window.value_or(row.window);
  }
  return {};
}

// Who is there, and how many.
Result<void> set_members(const Wishes& wishes, const ScenarioRow& row, Request& request) {
  Plan& plan = request.plan;
  const uint32_t connections = wishes.connections.value_or(row.connections);
  plan.channels = wishes.channels.value_or(row.channels);
  plan.publishers = wishes.publishers.value_or(1);
  switch (request.scenario) {
    case Scenario::kConnect:
    case Scenario::kIdle:
      if (connections % plan.channels != 0)
        return fail("--connections must be a multiple of --channels, so that each has as many");
      plan.subscribers = connections / plan.channels;
      plan.publishers = 0;
      break;
    case Scenario::kEcho:
      plan.echo = true;
      plan.channels = connections;
      plan.publishers = 0;
      break;
    case Scenario::kApi:
      plan.api = true;
      plan.publishers = connections;
      plan.batch = wishes.batch.value_or(1);
      break;
    case Scenario::kFanOut:
    case Scenario::kChannels:
    case Scenario::kIngest:
    case Scenario::kSlow:
      plan.subscribers = wishes.subscribers.value_or(row.connections);
      break;
  }
  if (request.scenario == Scenario::kSlow) plan.slow = wishes.slow.value_or(10);
  if (uint64_t{plan.channels} * plan.subscribers + plan.publishers + plan.slow > kMaxConnections)
    return fail(
        fmt::format("more than {} connections are too many for one process", kMaxConnections));
  return {};
}

}  // namespace

const std::vector<std::string>& scenario_names() {
  static const std::vector<std::string> names = names_of_scenarios();
  return names;
}

const std::vector<std::string>& protocol_names() {
  static const std::vector<std::string> names = {"centrifuge", "http_stream", "sse", "eventsource",
                                                 "nchan",      "nchan_sse",   "nats"};
  return names;
}

Result<Request> to_request(const Wishes& wishes) {
  const auto scenario = std::ranges::find(kScenarios, std::string_view(wishes.scenario),
                                          [](const ScenarioRow& row) { return row.name; });
  const auto protocol = std::ranges::find(protocol_names(), wishes.protocol);
  if (scenario == kScenarios.end() || protocol == protocol_names().end())
    return fail("no such scenario or protocol");
  TRY(check_knobs(wishes, *scenario));
  TRY(parse_target(wishes.url));
  if (wishes.payload_bytes < Payload::kMinBytes)
    return fail(fmt::format("--payload must be at least {} bytes, for what is counted",
                            Payload::kMinBytes));
  Request request{.scenario = static_cast<Scenario>(scenario - kScenarios.begin()),
                  .url = wishes.url,
                  .seconds = wishes.seconds.value_or(scenario->seconds),
                  .count = wishes.count,
                  .pid = wishes.pid};
  request.plan = {.protocol = static_cast<Protocol>(protocol - protocol_names().begin()),
                  .prefix = wishes.prefix,
                  .token = wishes.token,
                  .api_key = wishes.api_key,
                  .payload_bytes = wishes.payload_bytes,
                  .at_once = wishes.at_once,
                  .spin = wishes.spin};
  TRY(set_members(wishes, *scenario, request));
  TRY(set_pace(wishes, *scenario, request.plan));
  TRY(check_protocol(request));
  if (request.scenario == Scenario::kIdle && request.pid == 0)
    return fail("parley bench idle needs --pid, the server whose memory is measured");
  // A count says how much; a warm-up would add to it.
  request.warm_seconds = wishes.warm.value_or(request.count > 0 ? 0 : kWarmSeconds);
  if (request.count > 0 && !wishes.seconds) request.seconds = kCountSeconds;
  return request;
}

}  // namespace parley::bench
