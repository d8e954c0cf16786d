// What holds for a channel as a whole: its epochs, and who is in it.
#include <algorithm>
#include <set>

#include "tests/history/rules.h"
#include "tests/history/standing.h"

namespace parley::history {
namespace {

using Name = Findings::Name;
using State = Standing::State;

// Each epoch but the first has a reason that came before it.
void check_reasons(const Ledger& ledger, Id id, const Channel& channel, Findings& findings) {
  size_t unexplained = 0;
  for (const auto& [order, epoch] : channel.seen) {
    if (channel.epochs.contains(epoch)) continue;
    const auto reasons = static_cast<size_t>(std::ranges::lower_bound(channel.restarts, order) -
                                             channel.restarts.begin());
    if (unexplained++ > reasons)
      findings.add(ledger.text(id) + ":", "epoch", Name{epoch}, "began without a reason");
  }
}

class EpochsOfReader {
 public:
  EpochsOfReader(const Ledger& ledger, const Reader& reader, Findings& findings)
      : ledger_(ledger), reader_(reader), findings_(findings) {}

  void check() {
    for (const Step& step : reader_.steps) {
      if (at_.epoch != 0 && step.epoch != 0) take(step);
      at_.take(step);
    }
  }

 private:
  bool same(const Step& step, uint64_t position) const {
    return ledger_.same_until(reader_.channel, at_.epoch, step.epoch, position);
  }

  void take(const Step& step) {
    const bool changes = !same(step, at_.position);
    if (step.kind == Kind::kDelivered && changes)
      findings_.about(reader_, "was given", step.offset, "of epoch", Name{step.epoch},
                      "and never told that", Name{at_.epoch}, "is over");
    if (step.kind == Kind::kSubscribed && step.recovered && at_.placed &&
        !same(step, step.has_asked ? step.asked : at_.position))
      findings_.about(reader_, "stood at", at_.position, "of epoch", Name{at_.epoch},
                      "and was recovered in epoch", Name{step.epoch});
    if (step.kind == Kind::kGap) gap(step, changes);
    if (changes && left_.contains(step.epoch))
      findings_.about(reader_, "went back into epoch", Name{step.epoch});
    if (changes) left_.insert(at_.epoch);
  }

  void gap(const Step& step, bool changes) {
    const bool told_change = ledger_.text(step.reason) == "epoch_changed";
    if (told_change && step.epoch == at_.epoch)
      findings_.about(reader_, "was told that epoch", Name{at_.epoch},
                      "is over, and is in it still");
    if (changes && !told_change && !step.rolled_back)
      findings_.about(reader_, "came into epoch", Name{step.epoch}, "by a gap whose reason is",
                      Name{step.reason});
  }

  const Ledger& ledger_;
  const Reader& reader_;
  Findings& findings_;
  Standing at_;
  std::set<Id> left_;
};

}  // namespace

void check_epochs(const Ledger& ledger, Findings& findings) {
  for (const auto& [id, channel] : ledger.channels()) check_reasons(ledger, id, channel, findings);
  for (const Reader& reader : ledger.readers()) EpochsOfReader(ledger, reader, findings).check();
}

namespace {

std::set<Id> members_at(const Channel& channel, size_t order) {
  std::set<Id> members;
  for (const MemberChange& change : channel.members) {
    if (change.order > order) break;
    if (change.here)
      members.insert(change.member);
    else
      members.erase(change.member);
  }
  return members;
}

bool happened(const Channel& channel, Id member, bool here, size_t before) {
  return std::ranges::any_of(channel.members, [&](const MemberChange& change) {
    return change.member == member && change.here == here && change.order < before;
  });
}

// Join and leave alternate; returns what the reader believes in the end of those it heard of.
std::map<Id, bool> check_changes(const Ledger& ledger, const Reader& reader, Findings& findings) {
  const Channel& channel = ledger.channel(reader.channel);
  std::map<Id, bool> here;
  for (const Step& step : reader.steps) {
    // What happened meanwhile is not told afterwards.
    if (step.kind == Kind::kSubscribed || step.kind == Kind::kGap) here.clear();
    if (step.kind != Kind::kJoin && step.kind != Kind::kLeave) continue;
    const bool joins = step.kind == Kind::kJoin;
    const char* what = joins ? "was told that a member joined:" : "was told that a member left:";
    const auto [at, first] = here.try_emplace(step.value, joins);
    if (!first && at->second == joins) findings.about(reader, what, Name{step.value}, "again");
    if (!happened(channel, step.value, joins, step.order))
      findings.about(reader, what, Name{step.value}, "who did not");
    at->second = joins;
  }
  return here;
}

void check_read(const Ledger& ledger, Id id, const Channel& channel, const PresenceRead& read,
                Findings& findings) {
  const std::set<Id> truth = members_at(channel, read.order);
  for (const Id member : truth)
    if (!read.members.contains(member))
      findings.add(ledger.text(read.client), "in", ledger.text(id) + ":", "presence lacks",
                   Name{member});
  for (const Id member : read.members)
    if (!truth.contains(member))
      findings.add(ledger.text(read.client), "in", ledger.text(id) + ":", "presence has",
                   Name{member}, "who is not there");
}

}  // namespace

void check_presence(const Ledger& ledger, Findings& findings) {
  for (const auto& [id, channel] : ledger.channels())
    for (const PresenceRead& read : channel.presence)
      check_read(ledger, id, channel, read, findings);
  for (const Reader& reader : ledger.readers()) {
    const std::map<Id, bool> believes = check_changes(ledger, reader, findings);
    const Channel& channel = ledger.channel(reader.channel);
    Standing standing;
    for (const Step& step : reader.steps) standing.take(step);
    // Only where somebody said that all had settled.
    if (channel.presence.empty() || standing.state != State::kLive) continue;
    const std::set<Id> truth = members_at(channel, channel.presence.back().order);
    for (const auto& [member, here] : believes)
      if (here != truth.contains(member))
        findings.about(reader, "was last told that a member",
                       here ? "joined:" : "left:", Name{member}, "and that is not so");
  }
}

}  // namespace parley::history
