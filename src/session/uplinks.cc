#include "session/uplinks.h"

#include <charconv>

#include "base/check.h"
#include "base/metrics.h"

namespace parley::session {
namespace {

constexpr size_t kShardDigits = 4;
constexpr size_t kPlaceDigits = 8;
constexpr size_t kSecretDigits = 16;  // of each half

constexpr std::string_view kDeliveryNames[kDeliveries] = {"taken", "ending", "unknown", "too_much",
                                                          "busy"};
metrics::CounterFamily uplink_requests(
    "parley_uplink_requests_total",
    "Requests with a message for a session that came on a line of their own, by what became of it",
    "outcome", kDeliveryNames);
metrics::Counter uplink_forwarded("parley_uplink_forwarded_total",
                                  "Messages for sessions that were handed to another shard");

void append_hex(std::string& out, uint64_t value, size_t digits) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (size_t i = digits; i-- > 0;) out += kDigits[value >> (4 * i) & 15];
}

// Only as append_hex() writes it: two texts never are the same key.
template <class Int>
bool take_hex(std::string_view& text, size_t digits, Int& out) {
  const std::string_view part = text.substr(0, digits);
  text.remove_prefix(digits);
  if (part.find_first_not_of("0123456789abcdef") != part.npos) return false;
  return std::from_chars(part.data(), part.data() + part.size(), out, 16).ec == std::errc{};
}

// How long it takes says nothing of where they differ.
bool same_secret(const uint64_t (&a)[2], const uint64_t (&b)[2]) {
  return ((a[0] ^ b[0]) | (a[1] ^ b[1])) == 0;
}

}  // namespace

std::string to_string(const UplinkKey& key) {
  std::string text;
  append_hex(text, key.shard, kShardDigits);
  append_hex(text, key.place, kPlaceDigits);
  for (const uint64_t half : key.secret) append_hex(text, half, kSecretDigits);
  return text;
}

std::optional<UplinkKey> parse_uplink_key(std::string_view text) {
  UplinkKey key;
  if (text.size() != kShardDigits + kPlaceDigits + 2 * kSecretDigits ||
      !take_hex(text, kShardDigits, key.shard) || !take_hex(text, kPlaceDigits, key.place) ||
      !take_hex(text, kSecretDigits, key.secret[0]) ||
      !take_hex(text, kSecretDigits, key.secret[1]))
    return std::nullopt;
  return key;
}

Uplinks::Uplinks(ShardId self, size_t shards, UplinkPost& post, IdSource& ids,
                 const UplinkLimits& limits)
    : self_(self),
      post_(post),
      ids_(ids),
      calls_(shards, post, {.requests = limits.parked_requests, .bytes = limits.parked_bytes}) {}

UplinkKey Uplinks::open(UplinkSink& sink) {
  if (free_.empty()) {
    free_.push_back(static_cast<uint32_t>(rows_.size()));
    rows_.emplace_back();
  }
  UplinkKey key{.shard = self_, .place = free_.back()};
  free_.pop_back();
  Row& row = rows_[key.place];
  row.sink = &sink;
  for (size_t half = 0; half < 2; ++half) key.secret[half] = row.secret[half] = ids_.next_u64();
  return key;
}

void Uplinks::close(const UplinkKey& key) {
  CHECK(key.place < rows_.size() && rows_[key.place].sink != nullptr);
  rows_[key.place] = {};
  free_.push_back(key.place);
}

Delivery Uplinks::take(const UplinkKey& key, Buffer&& message) {
  if (key.place >= rows_.size()) return Delivery::kUnknown;
  const Row& row = rows_[key.place];
  if (row.sink == nullptr || !same_secret(row.secret, key.secret)) return Delivery::kUnknown;
  return row.sink->take(std::move(message));
}

void Uplinks::deliver(std::string_view text, Buffer message, Answer answer) {
  const auto settle = [&answer](Delivery outcome) {
    uplink_requests.add(static_cast<size_t>(outcome));
    answer(outcome);
  };
  const auto key = parse_uplink_key(text);
  if (!key || !calls_.is_shard(key->shard)) return settle(Delivery::kUnknown);
  if (key->shard == self_) return settle(take(*key, std::move(message)));
  const size_t bytes = message.size();
  UplinkMail mail{.request = std::make_unique<UplinkRequest>(*key, std::move(message))};
  if (!calls_.ask(key->shard, mail, answer, bytes)) return settle(Delivery::kBusy);
  uplink_forwarded.add();
}

void Uplinks::receive(ShardId from, UplinkMail&& mail) {
  if (mail.request) {
    const Delivery outcome = take(mail.request->key, std::move(mail.request->message));
    return post_.send_answer(from, {.place = mail.place, .answer = outcome});
  }
  Answer answer = calls_.settle(from, mail.place);
  uplink_requests.add(static_cast<size_t>(mail.answer));
  answer(mail.answer);
}

}  // namespace parley::session
