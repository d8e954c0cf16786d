#include "server/node_status.h"

#include <algorithm>

#include "base/metrics.h"

namespace parley::server {

std::string_view version() { return PARLEY_VERSION; }

http_api::NodeFacts NodeStatus::facts() const {
  const auto count = [](std::string_view metric) {
    return static_cast<uint64_t>(std::max<int64_t>(metrics::total(metric), 0));
  };
  http_api::NodeFacts facts{.uid = uid_, .name = name_, .version = std::string(version())};
  facts.num_clients = count("parley_sessions");
  // All anonymous clients are one user.
  facts.num_users = count("parley_users") + (count("parley_sessions_anonymous") > 0 ? 1 : 0);
  facts.num_channels = count("parley_channels");
  facts.num_subs = count("parley_subscriptions");
  facts.uptime = static_cast<uint64_t>(
      std::chrono::duration_cast<seconds>(std::chrono::steady_clock::now() - started_).count());
  return facts;
}

std::string_view NodeStatus::waiting_for() const {
  switch (phase_.load()) {
    case Phase::kStarting:
      return "starting";
    case Phase::kStopping:
      return "stopping";
    case Phase::kReady:
      break;
  }
  return "";
}

}  // namespace parley::server
