#include "tests/sim/reader_check.h"

namespace parley::sim {
namespace {
std::string text(const hub::StreamPosition& position) {
  return hub::to_string(position.epoch) + "." + std::to_string(position.offset);
}
}  // namespace

void ReaderCheck::fail(const std::string& what) {
  sim_.fail(fmt::format("{} of {} at {}: {}", name_, channel_, text(position_), what));
}

void ReaderCheck::start(const hub::StreamPosition& position, bool anew) {
  sim_.note("{} starts in {} at {}", name_, channel_, text(position));
  position_ = position;
  placed_ = true;
  // Who is promised no position is another reader each time: it may see again what it saw before.
  if (!told_ || anew) {
    end();
    reader_ = fmt::format("{} for the {}. time", name_, ++starts_);
  }
  tell_subscribed(position, false);
}

void ReaderCheck::resume(const hub::Epoch& epoch) { tell_subscribed({epoch, 0}, true); }

void ReaderCheck::stop() {
  sim_.tell({.kind = history::Kind::kUnsubscribed, .client = reader_, .channel = channel_});
}

void ReaderCheck::end() {
  sim_.tell({.kind = history::Kind::kEnded, .client = reader_, .channel = channel_});
}

void ReaderCheck::tell_subscribed(const hub::StreamPosition& position, bool recovered) {
  sim_.tell({.kind = history::Kind::kSubscribed,
             .client = reader_,
             .channel = channel_,
             .epoch = hub::to_string(position.epoch),
             .offset = position.offset,
             .recovered = recovered,
             .positioned = told_,
             .tag = tag_});
}

void ReaderCheck::skip_to(const hub::StreamPosition& position) {
  sim_.note("{} goes on in {} at {}, was at {}", name_, channel_, text(position), text(position_));
  ++gaps_;
  position_ = position;
  tell_subscribed(position, false);
}

void ReaderCheck::deliver(const std::string& data, std::optional<uint64_t> offset,
                          std::optional<hub::Epoch> epoch) {
  sim_.note("{} gets {} of {} ({})", name_, offset.value_or(0), channel_, data.substr(0, 16));
  sim_.trace.note(offset.value_or(0));
  ++delivered_;
  sim_.tell({.kind = history::Kind::kDelivered,
             .client = reader_,
             .channel = channel_,
             .value = data,
             .epoch = epoch ? hub::to_string(*epoch) : "",
             .offset = offset.value_or(0)});
  ledger_.delivered(data);
  last_data_ = data;
  if (epoch && told_ && !epoch->same_incarnation(position_.epoch))
    return fail("another epoch without a word: " + hub::to_string(*epoch));
  const Entry* entry =
      told_ ? ledger_.find(channel_, data, position_.epoch, offset) : ledger_.latest(data);
  if (entry == nullptr)
    return fail(fmt::format("nothing such stands at {}: {}", offset.value_or(0), data));
  if (told_) check_chain(*entry);
  const bool again = entry->offset <= position_.offset && entry->epoch <= position_.epoch;
  if (again && (told_ || entry->epoch == position_.epoch))
    return fail(fmt::format("twice or out of order: {}", entry->offset));
  if (!ledger_.may_be_seen(channel_, entry->offset)) fail("seen above the channel's level");
  if (wanted_ && !wanted_(entry->tag)) fail("the filter should have hidden it");
  position_ = {entry->epoch, entry->offset};
}

// Nothing that the reader wants lies between its position and the publication.
void ReaderCheck::check_chain(const Entry& entry) {
  if (!ledger_.survives(channel_, position_, entry.epoch))
    return fail("goes on over a rollback without a word");
  const Entry* at = &entry;
  while (at->prev > position_.offset) {
    const uint64_t missing = at->prev;
    at = ledger_.before(channel_, *at);
    const bool hidden = at != nullptr && wanted_ && !wanted_(at->tag);
    if (!hidden)
      return fail(fmt::format("silent loss: {} is missing before {}", missing, entry.offset));
  }
}

// The state that the reader is left with is the newest one, or that of each key.
void ReaderCheck::check_conflated(uint64_t from, uint64_t to, const hub::Epoch& epoch) {
  if (overflow_.policy != hub::OverflowPolicy::kLatest) return fail("conflated without a policy");
  const bool by_tag = !overflow_.key.empty();
  if (const Entry* lost = ledger_.not_replaced(channel_, epoch, from, to, by_tag))
    fail(fmt::format("{} of \"{}\" is told as conflated, and nothing came after it", lost->offset,
                     lost->tag));
}

void ReaderCheck::tell_gap(uint64_t from, uint64_t to, std::string_view reason,
                           const hub::StreamPosition& resume) {
  sim_.note("{} misses {}-{} of {}: {}, goes on at {}", name_, from, to, channel_, reason,
            text(resume));
  ++gaps_;
  sim_.trace.note(to);
  sim_.tell({.kind = history::Kind::kGap,
             .client = reader_,
             .channel = channel_,
             .epoch = hub::to_string(resume.epoch),
             .from = from,
             .to = to,
             .reason = std::string(reason)});
  const bool same = resume.epoch.same_incarnation(position_.epoch);
  if (reason == "epoch_changed") {
    if (placed_ && resume.epoch == position_.epoch) fail("told of an epoch change that was none");
  } else if (reason == "rolled_back") {
    if (!same || resume.offset >= from || to < from) fail("a wrong rollback");
    if (same && ledger_.survives(channel_, position_, resume.epoch) &&
        resume.epoch.generation == position_.epoch.generation)
      fail("told of a rollback that was none");
  } else if (!same || from != position_.offset + 1 || to < from || resume.offset != to) {
    fail(fmt::format("a gap {}-{} that cannot be", from, to));
  }
  if (reason == "conflated") check_conflated(from, to, resume.epoch);
  position_ = resume;
}

}  // namespace parley::sim
