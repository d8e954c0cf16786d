// What the node says about itself, to the API and to orchestrators.
#pragma once

#include <atomic>
#include <chrono>
#include <string>

#include "base/time.h"
#include "http_api/node_info.h"

namespace parley::server {

// What: name, counts and readiness. Owner: run(). Shard: any; the counts are sums over shards that
// move meanwhile.
class NodeStatus final : public http_api::NodeInfo, public http_api::Readiness {
 public:
  enum class Phase { kStarting, kReady, kStopping };

  NodeStatus(std::string uid, std::string name) : uid_(std::move(uid)), name_(std::move(name)) {}
  void set_phase(Phase phase) { phase_ = phase; }

  http_api::NodeFacts facts() const override;
  std::string_view waiting_for() const override;

 private:
  std::string uid_;
  std::string name_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::atomic<Phase> phase_{Phase::kStarting};
};

// "0.1.0"
std::string_view version();

}  // namespace parley::server
