// What the node says about itself, to the API and to orchestrators.
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include "base/time.h"
#include "http_api/node_info.h"

namespace parley::server {

// What: name, counts and readiness. Owner: run(). Shard: any; the counts are sums over shards that
// move meanwhile.
class NodeStatus final : public http_api::NodeInfo, public http_api::Readiness {
 public:
  enum class Phase { kStarting, kReady, kStopping };

  // `insecure`: see http_api::Readiness.
  NodeStatus(std::string uid, std::string name, std::vector<std::string> insecure)
      : uid_(std::move(uid)), name_(std::move(name)), insecure_(std::move(insecure)) {}
  void set_phase(Phase phase) { phase_ = phase; }

  http_api::NodeFacts facts() const override;
  std::string_view waiting_for() const override;
  std::span<const std::string> insecure() const override { return insecure_; }

 private:
  std::string uid_;
  std::string name_;
  std::vector<std::string> insecure_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::atomic<Phase> phase_{Phase::kStarting};
};

// "0.1.0"
std::string_view version();

}  // namespace parley::server
