// Fetches key sets (JWKS) over HTTP, once for all shards.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <unordered_map>

#include "auth/key_cache.h"
#include "io/worker.h"

namespace parley::server {

// GET `url`, http or https, without following redirects. Blocks for a few seconds at most. Fails
// on any status but 200 and on bodies that no key set has.
Result<std::string> fetch_key_set(const std::string& url);

// What: answers every shard's wish for a key set, and asks each URL at most once a minute for all
// of them. Owner: run(); destroyed before the shards. Shard: fetch() any; the rest happens on the
// worker's one thread.
class KeySource {
 public:
  using Answer = Result<std::string>;
  using OnAnswer = std::function<void(const std::string& url, const Answer& answer)>;
  using Fetch = std::function<Answer(const std::string& url)>;

  explicit KeySource(io::ShardGroup& shards, Fetch fetch = fetch_key_set)
      : shards_(shards), fetch_(std::move(fetch)), worker_(shards, 1, kMaxWaiting) {}

  // `on_answer` is called on `shard`, in a later turn.
  void fetch(ShardId shard, const std::string& url, OnAnswer on_answer);

 private:
  static constexpr size_t kMaxWaiting = 1024;
  static constexpr size_t kMaxUrls = 128;
  static constexpr seconds kFetchInterval{60};
  struct Known {
    Answer answer;
    std::chrono::steady_clock::time_point at;
  };

  Answer get(const std::string& url);

  io::ShardGroup& shards_;
  Fetch fetch_;
  std::unordered_map<std::string, Known> known_;  // the worker thread's
  io::Worker worker_;
};

}  // namespace parley::server
