#include "broker/memory/idempotency_window.h"

#include <cstring>

#include "base/check.h"
#include "base/metrics.h"

namespace parley::broker::memory {
namespace {

metrics::Counter forgotten_early("parley_broker_memory_evictions_total",
                                 "What the memory budget cost", {{"what", "idempotency_key"}});

// The entry, its key, map node and allocator headers.
constexpr size_t kEntryOverhead = sizeof(IdempotencyWindow::Entry) + 64;

void append_word(std::string& out, uint64_t word) {
  char bytes[sizeof word];
  std::memcpy(bytes, &word, sizeof word);
  out.append(bytes, sizeof word);
}

}  // namespace

std::string idempotency_scope(std::string_view channel, std::string_view principal,
                              std::string_view key) {
  std::string scope;
  scope.reserve(2 * sizeof(uint64_t) + channel.size() + principal.size() + key.size());
  append_word(scope, channel.size());
  append_word(scope, principal.size());
  scope.append(channel).append(principal).append(key);
  return scope;
}

uint64_t content_digest(const hub::Publication& publication) {
  const SeededHash hash;
  std::string words;
  append_word(words, static_cast<uint64_t>(publication.kind));
  append_word(words, static_cast<uint64_t>(publication.change));
  append_word(words, hash(publication.data));
  append_word(words, hash(publication.event));
  append_word(words, hash(publication.key));
  for (const auto& [name, value] : publication.tags) {
    append_word(words, hash(name));
    append_word(words, hash(value));
  }
  return hash(words);
}

const IdempotencyWindow::Entry* IdempotencyWindow::find(std::string_view scope, Time now) const {
  const auto found = entries_.find(scope);
  return found == entries_.end() || found->second.expires <= now ? nullptr : &found->second;
}

void IdempotencyWindow::remember(std::string scope, uint64_t digest, const hub::Published& answer,
                                 Time now) {
  const auto [at, inserted] = entries_.try_emplace(std::move(scope));
  Entry& entry = at->second;
  if (inserted) {
    entry.scope = at->first;
    bytes_ += kEntryOverhead + entry.scope.size();
  } else {
    CHECK(entry.expires <= now);
    entry.unlink();
  }
  entry.digest = digest;
  entry.answer = answer;
  entry.expires = now + limits_.window;
  by_age_.push_back(entry);
  while (entries_.size() > limits_.max_entries || bytes_ > limits_.max_bytes) {
    forgotten_early.add();
    drop(by_age_.front());
  }
}

void IdempotencyWindow::expire(Time now, size_t max_entries) {
  for (; max_entries > 0 && !by_age_.empty() && by_age_.front().expires <= now; --max_entries)
    drop(by_age_.front());
}

void IdempotencyWindow::drop(Entry& entry) {
  bytes_ -= kEntryOverhead + entry.scope.size();
  entries_.erase(entries_.find(entry.scope));
}

}  // namespace parley::broker::memory
