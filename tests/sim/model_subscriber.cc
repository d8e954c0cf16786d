#include "tests/sim/model_subscriber.h"

#include <utility>

namespace parley::sim {

using hub::GapReason;
using hub::Pull;
using hub::Start;

void ModelSubscriber::fail(const std::string& what) {
  truth_.fail(name_ + " of " + channel_.name + " at " + std::to_string(position_) + ": " + what);
}

void ModelSubscriber::subscribe(hub::Hub& hub, Start::Kind kind, uint32_t limit) {
  hub_ = &hub;
  start_ = {.kind = placed_ ? kind : Start::Kind::kLive, .limit = limit};
  if (start_.kind != Start::Kind::kLive) start_.position = hub::StreamPosition{epoch_, position_};
  subscription_ = std::make_unique<hub::Subscription>(*this, 0);
  phase_ = Phase::kAsked;
  seen_.clear();
  hub.subscribe(*subscription_, channel_, start_);
}

void ModelSubscriber::unsubscribe() {
  if (phase_ == Phase::kIdle) return;
  hub_->unsubscribe(*subscription_);
  subscription_.reset();
  phase_ = Phase::kIdle;
}

void ModelSubscriber::on_subscribed(hub::Subscription& subscription,
                                    std::expected<hub::Subscribed, hub::HubError> result) {
  if (&subscription != subscription_.get() || phase_ != Phase::kAsked)
    return fail("answered without having asked");
  truth_.trace().note(name_);
  truth_.trace().note(result ? result->top.offset
                             : 1'000'000 + static_cast<uint64_t>(result.error()));
  if (!result) {
    phase_ = Phase::kIdle;
    subscription_.reset();
    return;
  }
  phase_ = Phase::kLive;
  start(*result);
}

void ModelSubscriber::start_newest(const hub::Subscribed& result) {
  const auto& missed = result.missed;
  const bool has_top = !missed.empty() && missed.back()->offset == result.top.offset;
  if (missed.size() > start_.limit) fail("more of the newest than asked for");
  if (result.recovered != has_top) fail("wrong about having the newest");
  epoch_ = result.top.epoch;
  position_ = missed.empty() ? result.top.offset : missed.front()->prev;
  for (const auto& publication : missed) take(*publication);
  position_ = result.top.offset;
  if (subscription_->position() != position_ && truth_.never_reset(channel_))
    fail("the cursor does not stand behind the newest");
}

void ModelSubscriber::start(const hub::Subscribed& result) {
  base_ = 0;
  const bool placed = std::exchange(placed_, true);
  if (start_.kind == Start::Kind::kNewest) return start_newest(result);
  const bool behind_position = start_.kind == Start::Kind::kResume || result.recovered;
  if (start_.kind != Start::Kind::kRecover && (result.recovered || !result.missed.empty()))
    return fail("recovered without having asked for it");
  if (start_.kind == Start::Kind::kRecover && !result.recovered) {
    if (!result.missed.empty()) fail("missed publications without recovery");
    if (start_.limit > 100'000 && truth_.must_recover(channel_, start_.position->offset))
      fail("not recovered though everything is still there");
  }
  if (!behind_position) position_ = result.top.offset;
  if (!behind_position || !placed) epoch_ = result.top.epoch;
  if (result.recovered) ++recoveries_;
  for (const auto& publication : result.missed) take(*publication);
  // A reset may already have moved the cursor; its gap comes next.
  const bool moved = subscription_->position() != position_ && truth_.never_reset(channel_);
  if (start_.kind != Start::Kind::kResume && (position_ != result.top.offset || moved))
    fail("the answer ends at " + std::to_string(result.top.offset) + ", the cursor stands at " +
         std::to_string(subscription_->position()));
}

void ModelSubscriber::on_dirty(hub::Subscription& subscription) {
  if (&subscription != subscription_.get() || phase_ == Phase::kIdle)
    fail("marked dirty after it was gone");
}

void ModelSubscriber::flush(size_t pulls, size_t most) {
  if (phase_ != Phase::kLive) return;
  while (pulls-- > 0) {
    const Pull pull = hub_->pull(*subscription_);
    switch (pull.kind) {
      case Pull::Kind::kNothing:
      case Pull::Kind::kWaiting:
        subscription_->dirty = false;
        return;
      case Pull::Kind::kGap:
        take_gap(pull.gap);
        break;
      case Pull::Kind::kPublications: {
        if (pull.publications.empty()) return fail("an empty run");
        const auto taken = pull.publications.first(std::min(most, pull.publications.size()));
        for (const auto& publication : taken) {
          take(*publication);
          check_base(*publication);
        }
        subscription_->advance(taken.back()->offset);
      }
    }
  }
}

void ModelSubscriber::take(const hub::Publication& publication) {
  truth_.trace().note(publication.offset);
  if (publication.offset <= position_)
    fail("duplicate or out of order: " + std::to_string(publication.offset));
  if (publication.prev > position_)
    fail("silent loss: " + std::to_string(publication.prev) + " is missing before " +
         std::to_string(publication.offset));
  position_ = publication.offset;
  epoch_ = publication.epoch;
  ++delivered_;
  if (channel_.aspect == hub::Aspect::kPresence) return take_presence(publication);
  const std::string* data = truth_.published(channel_, publication.epoch, publication.offset);
  if (data == nullptr || *data != publication.data)
    fail("invented: " + std::to_string(publication.offset));
}

// As a session with deltas and a filter would give it to a client: the base in the tail must be
// what the client holds.
void ModelSubscriber::check_base(const hub::Publication& publication) {
  if (publication.offset % 4 == 0) return;  // the filter hides it
  const hub::Publication* base = subscription_->channel()->tail().find(publication.prev);
  if (base != nullptr && base_ != 0 && base_ == publication.prev) {
    ++changes_;
    if (base->data != base_data_) fail("a change of what the client never had");
  }
  base_ = publication.offset;
  base_data_ = publication.data;
}

// Enter and leave alternate, and updates lie between them.
void ModelSubscriber::take_presence(const hub::Publication& publication) {
  const auto found = seen_.find(publication.key);
  const bool known = found != seen_.end();
  const bool here = known && found->second != hub::Change::kLeave;
  const bool enters = publication.change == hub::Change::kEnter;
  if (known && here == enters) fail("presence of " + publication.key + " out of order");
  seen_[publication.key] = publication.change;
}

void ModelSubscriber::take_gap(const hub::Gap& gap) {
  ++gaps_;
  truth_.trace().note(gap.from);
  truth_.trace().note(gap.to);
  seen_.clear();
  const std::string text = std::to_string(gap.from) + "-" + std::to_string(gap.to);
  switch (gap.reason) {
    case GapReason::kEpochChanged:
      if (truth_.never_reset(channel_)) fail("told of an epoch change that was none");
      position_ = gap.to;
      break;
    case GapReason::kRolledBack:
      if (gap.from > gap.to || gap.from > position_ + 1 || gap.to < position_)
        fail("wrong rollback " + text);
      position_ = gap.from - 1;
      break;
    default:
      if (gap.from != position_ + 1 || gap.to < gap.from)
        return fail("gap " + text + " claims what it should not");
      position_ = gap.to;
      return;
  }
  base_ = 0;
  epoch_ = subscription_->channel()->epoch();
  if (subscription_->position() != position_) fail("the cursor did not follow gap " + text);
}

}  // namespace parley::sim
