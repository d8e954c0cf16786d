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
  struct Answer {
    Result<std::string> body;
    milliseconds age{};  // of a copy that was fetched for another; else 0
  };
  using OnAnswer = std::function<void(const std::string& url, const Answer& answer)>;
  using Clock = std::function<Time()>;

  explicit KeySource(io::ShardGroup& shards, Clock clock = std::chrono::steady_clock::now)
      : shards_(shards), clock_(std::move(clock)), worker_(shards, 1, kMaxWaiting) {}

  // `on_answer` is called on `shard`, in a later turn.
  void fetch(ShardId shard, const std::string& url, const OnAnswer& on_answer);

 private:
  static constexpr size_t kMaxWaiting = 1024;
  static constexpr size_t kMaxUrls = 128;
  static constexpr seconds kFetchInterval{60};
  struct Known {
    Result<std::string> body;
    Time at;  // the fetch began
  };

  Answer get(const std::string& url);

  io::ShardGroup& shards_;
  Clock clock_;                                   // the worker thread's
  std::unordered_map<std::string, Known> known_;  // the worker thread's
  io::Worker worker_;
};

// A shard's way to the keys of tokens.
class ShardKeyFetcher final : public auth::KeyFetcher {
 public:
  ShardKeyFetcher(KeySource& source, ShardId shard, KeySource::OnAnswer on_answer)
      : source_(source), shard_(shard), on_answer_(std::move(on_answer)) {}
  void fetch(const std::string& url) override { source_.fetch(shard_, url, on_answer_); }

 private:
  KeySource& source_;
  ShardId shard_;
  KeySource::OnAnswer on_answer_;
};

}  // namespace parley::server
