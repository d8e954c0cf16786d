// What readers are given: all of it, once, in order, in time.
#include <algorithm>
#include <functional>
#include <unordered_set>

#include "tests/history/rules.h"
#include "tests/history/standing.h"

namespace parley::history {
namespace {

using Name = Findings::Name;
using State = Standing::State;
using Outcome = Attempt::Outcome;

// What a reader is owed of what is known between two offsets.
struct Owed {
  uint64_t first = 0;
  uint64_t count = 0;
};

Owed owed(const Ledger& ledger, const Reader& reader, const Standing& standing, Id epoch,
          uint64_t low, uint64_t high) {
  Owed result;
  ledger.each_known(reader.channel, epoch, low, high, [&](uint64_t offset, Id value) {
    const Published* published = ledger.published(reader.channel, value);
    if (standing.tag != 0 && published != nullptr && published->tag != standing.tag) return;
    if (result.count++ == 0) result.first = offset;
  });
  return result;
}

class LossOfReader {
 public:
  LossOfReader(const Ledger& ledger, const Reader& reader, Findings& findings)
      : ledger_(ledger), reader_(reader), findings_(findings) {}

  void check() {
    for (const Step& step : reader_.steps) {
      if (at_.placed) {
        if (step.kind == Kind::kSubscribed) subscribed(step);
        if (step.kind == Kind::kDelivered) delivered(step);
        if (step.kind == Kind::kGap) gap(step);
      }
      at_.take(step);
    }
  }

 private:
  bool same_epoch(const Step& step) const {
    return ledger_.same_until(reader_.channel, at_.epoch, step.epoch, at_.position);
  }

  void subscribed(const Step& step) {
    const uint64_t window = step.window != 0 ? step.window : at_.window;
    if (step.recovered || window == 0 || step.epoch == 0 || !same_epoch(step)) return;
    if (step.offset >= at_.position && step.offset - at_.position <= window)
      findings_.about(reader_, "stood at", at_.position, "and was not recovered to", step.offset,
                      "though that lies in its window of", window);
  }

  void delivered(const Step& step) {
    if (step.offset <= at_.position + 1 || !same_epoch(step)) return;
    const Owed lost = owed(ledger_, reader_, at_, step.epoch, at_.position, step.offset - 1);
    if (lost.count > 0)
      findings_.about(reader_, "was given", step.offset, "behind", at_.position, "and never",
                      lost.first, "nor told of it;", lost.count, "lost");
  }

  void gap(const Step& step) {
    if (step.rolled_back) return rollback(step);
    if (!same_epoch(step)) return;
    if (step.from <= at_.position)
      findings_.about(reader_, "was told that", step.from, "to", step.to, "are lost, and stood at",
                      at_.position);
    const Owed lost = owed(ledger_, reader_, at_, at_.epoch, at_.position, step.from - 1);
    if (lost.count > 0)
      findings_.about(reader_, "was told that", step.from, "to", step.to, "are lost, but not",
                      lost.first, "behind its position", at_.position);
    // No more can have been there than was sent before.
    const auto& sent = ledger_.channel(reader_.channel).sent;
    const auto before =
        static_cast<uint64_t>(std::ranges::lower_bound(sent, step.order) - sent.begin());
    if (at_.window != 0 && ledger_.text(step.reason) == "retention" && before + 1 >= step.from &&
        before + 1 - step.from <= at_.window)
      findings_.about(reader_, "was told that", step.from, "to", step.to,
                      "are lost, though no more than", before, "were published and", at_.window,
                      "are kept");
  }

  void rollback(const Step& step) {
    if (step.from > at_.position + 1 || step.to < at_.position || step.from > step.to)
      findings_.about(reader_, "was told that", step.from, "to", step.to,
                      "were rolled back, and stood at", at_.position);
    ledger_.each_known(
        reader_.channel, at_.epoch, step.from - 1, step.to, [&](uint64_t offset, Id value) {
          const Published* published = ledger_.published(reader_.channel, value);
          if (published != nullptr && std::ranges::any_of(published->attempts, &Attempt::durable))
            findings_.about(reader_, "was told that", offset,
                            "was rolled back, which was acknowledged as durable");
        });
  }

  const Ledger& ledger_;
  const Reader& reader_;
  Findings& findings_;
  Standing at_;
};

// The event from which on the reader was owed everything that has followed a channel for longest,
// of those that still do and hide nothing. 0: there is none.
size_t longest_follower(const Ledger& ledger, Id channel) {
  size_t longest = 0;
  for (const Reader& reader : ledger.readers()) {
    if (reader.channel != channel) continue;
    Standing standing;
    size_t begun = 0;
    for (const Step& step : reader.steps) {
      const bool begins = step.kind == Kind::kSubscribed && !step.recovered;
      if (begins || step.kind == Kind::kGap) begun = step.order;
      standing.take(step);
    }
    if (standing.state != State::kLive || !standing.placed || standing.tag != 0) continue;
    if (longest == 0 || begun < longest) longest = begun;
  }
  return longest;
}

// Those whose place nobody was told of: somebody must have been given them.
void check_acknowledged(const Ledger& ledger, Id id, const Channel& channel, Findings& findings) {
  const size_t follower = longest_follower(ledger, id);
  if (follower == 0) return;
  const size_t restarted = channel.restarts.empty() ? 0 : channel.restarts.back();
  std::unordered_set<Id> given;
  for (const auto& [epoch, values] : channel.known)
    for (const auto& [offset, value] : values) given.insert(value);
  for (const auto& [value, published] : channel.published) {
    if (given.contains(value)) continue;
    for (const Attempt& attempt : published.attempts)
      if (attempt.outcome == Outcome::kAcked && attempt.sent > std::max(follower, restarted))
        findings.add(ledger.text(id) + ":", Name{value}, "was acknowledged to",
                     ledger.text(attempt.publisher), "and given to nobody");
  }
}

}  // namespace

void check_no_loss(const Ledger& ledger, Findings& findings) {
  for (const Reader& reader : ledger.readers()) LossOfReader(ledger, reader, findings).check();
  if (!ledger.quiet()) return;
  for (const auto& [id, channel] : ledger.channels())
    check_acknowledged(ledger, id, channel, findings);
}

namespace {

using Found = std::function<void(const Standing&, const Step&)>;

// Calls for each publication that a reader already had, and for each that comes too late.
void follow(const Ledger& ledger, const Reader& reader, const Found& duplicate,
            const Found& disorder) {
  Standing standing;
  std::set<Place> had;
  std::unordered_map<Id, size_t> unplaced;  // values whose offset is not told
  for (const Step& step : reader.steps) {
    if (step.kind == Kind::kSubscribed && step.has_asked && step.asked < standing.position)
      had.clear();  // it goes back on purpose
    if (step.kind == Kind::kDelivered && step.offset != 0) {
      const bool is_new = had.insert(ledger.place(reader.channel, step.epoch, step.offset)).second;
      const bool same =
          ledger.same_until(reader.channel, standing.epoch, step.epoch, standing.position);
      if (!is_new && !step.again) duplicate(standing, step);
      if (is_new && same && step.offset <= standing.position) disorder(standing, step);
    } else if (step.kind == Kind::kDelivered && !step.again) {
      const Published* published = ledger.published(reader.channel, step.value);
      if (published != nullptr && ++unplaced[step.value] > published->attempts.size())
        duplicate(standing, step);
    }
    standing.take(step);
  }
}

void ignore(const Standing& /*standing*/, const Step& /*step*/) {}

void check_recovered_tops(const Reader& reader, Findings& findings) {
  Standing standing;
  for (const Step& step : reader.steps) {
    const uint64_t position = step.has_asked ? step.asked : standing.position;
    if (step.kind == Kind::kSubscribed && step.recovered && standing.placed &&
        step.epoch == standing.epoch && step.offset != 0 && step.offset < position)
      findings.about(reader, "stood at", position, "and was recovered to", step.offset);
    standing.take(step);
  }
}

// Whoever publishes when another publication was already acknowledged comes behind it.
void check_real_time(const Ledger& ledger, Id id, const Channel& channel, Findings& findings) {
  struct Moment {
    size_t order;
    bool sent;
    const Attempt* attempt;
  };
  std::vector<Moment> moments;
  for (const auto& [value, published] : channel.published)
    for (const Attempt& attempt : published.attempts) {
      const bool repeated = attempt.key != 0 && published.attempts.size() > 1;
      if (attempt.outcome != Outcome::kAcked || attempt.offset == 0 || repeated) continue;
      moments.push_back({attempt.sent, true, &attempt});
      moments.push_back({attempt.answered, false, &attempt});
    }
  std::ranges::sort(moments, {}, &Moment::order);
  std::unordered_map<Id, uint64_t> top;
  for (const auto& [order, sent, attempt] : moments) {
    if (!sent)
      top[attempt->epoch] = std::max(top[attempt->epoch], attempt->offset);
    else if (attempt->offset <= top[attempt->epoch])
      findings.add(ledger.text(id) + ":", ledger.text(attempt->publisher), "published at",
                   attempt->offset, "when", top[attempt->epoch], "was already acknowledged");
  }
}

}  // namespace

void check_no_duplicate(const Ledger& ledger, Findings& findings) {
  for (const Reader& reader : ledger.readers())
    follow(
        ledger, reader,
        [&](const Standing&, const Step& step) {
          findings.about(reader, "was given", Name{step.value}, "at", step.offset, "again");
        },
        ignore);
}

void check_order(const Ledger& ledger, Findings& findings) {
  for (const Reader& reader : ledger.readers()) {
    follow(ledger, reader, ignore, [&](const Standing& standing, const Step& step) {
      findings.about(reader, "was given", step.offset, "behind", standing.position);
    });
    check_recovered_tops(reader, findings);
  }
  for (const auto& [id, channel] : ledger.channels())
    check_real_time(ledger, id, channel, findings);
}

namespace {

void check_late(const Ledger& ledger, const Reader& reader, const Standing& standing,
                const Step& step, Findings& findings) {
  const Published* published = ledger.published(reader.channel, step.value);
  if (published == nullptr) return;
  for (const Attempt& attempt : published->attempts) {
    if (attempt.outcome != Outcome::kAcked) continue;
    const int64_t owed_since = std::max({ledger.healed_at(), attempt.answered_at, standing.since});
    if (step.at - owed_since > findings.options().catch_up_us)
      return findings.about(reader, "was given", step.offset, "only",
                            static_cast<uint64_t>(step.at - owed_since) / 1000,
                            "ms after it was owed");
  }
}

void check_end(const Ledger& ledger, const Reader& reader, const Standing& standing,
               Findings& findings) {
  if (standing.state == State::kAway)
    return findings.about(reader, "lost its line at", standing.position, "and never came back");
  if (standing.state != State::kLive || !standing.placed) return;
  const Id epoch = ledger.newest(reader.channel, standing.epoch, standing.position);
  const Owed lacks = owed(ledger, reader, standing, epoch, standing.position, kNoEnd);
  if (lacks.count > 0)
    findings.about(reader, "stands at", standing.position, "in the end and lacks", lacks.count,
                   "from", lacks.first, "on");
  const auto& channel = ledger.channel(reader.channel);
  if (channel.seen.empty()) return;
  // Somebody may have been told late of one that was over by then: others went on from it.
  auto newest = std::find_if(channel.seen.rbegin(), channel.seen.rend(),
                             [&](const auto& one) { return !channel.left.contains(one.second); });
  if (newest == channel.seen.rend()) newest = channel.seen.rbegin();
  const Id last = ledger.newest(reader.channel, newest->second, 0);
  if (!ledger.same_until(reader.channel, epoch, last, standing.position) &&
      channel.known.contains(last))
    findings.about(reader, "still stands in epoch", Name{epoch},
                   "in the end, where the channel's is", Name{last});
}

}  // namespace

void check_catch_up(const Ledger& ledger, Findings& findings) {
  for (const Reader& reader : ledger.readers()) {
    Standing standing;
    for (const Step& step : reader.steps) {
      if (ledger.healed() && step.kind == Kind::kDelivered)
        check_late(ledger, reader, standing, step, findings);
      standing.take(step);
    }
    if (ledger.quiet()) check_end(ledger, reader, standing, findings);
  }
}

}  // namespace parley::history
