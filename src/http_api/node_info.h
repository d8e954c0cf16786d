// What the server API asks the node about itself and about its readiness.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace parley::http_api {

struct NodeFacts {
  std::string uid;
  std::string name;
  std::string version;
  uint64_t num_clients = 0;
  uint64_t num_users = 0;
  uint64_t num_channels = 0;
  uint64_t num_subs = 0;
  uint64_t uptime = 0;  // seconds
};

// Implemented by server/. Shard: any. Never waits: the numbers may be a second old.
class NodeInfo {
 public:
  virtual ~NodeInfo() = default;
  virtual NodeFacts facts() const = 0;
};

// Implemented by server/. Shard: any.
class Readiness {
 public:
  virtual ~Readiness() = default;
  // What must happen before new clients are welcome ("starting", "stopping", "the store is gone");
  // "" when they are.
  virtual std::string_view waiting_for() const = 0;
  // Insecure modes that are on, a sentence each.
  virtual std::span<const std::string> insecure() const { return {}; }
};

}  // namespace parley::http_api
