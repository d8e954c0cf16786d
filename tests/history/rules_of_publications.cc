// What was published, and what became of it.
#include <algorithm>
#include <set>

#include "tests/history/rules.h"
#include "tests/history/standing.h"

namespace parley::history {
namespace {

using Name = Findings::Name;
using Outcome = Attempt::Outcome;

size_t first_sent(const Published& published) {
  return std::ranges::min(published.attempts, {}, &Attempt::sent).sent;
}

// Where a value was published instead; 0: nowhere.
Id other_channel(const Ledger& ledger, Id value) {
  for (const auto& [id, channel] : ledger.channels())
    if (channel.published.contains(value)) return id;
  return 0;
}

void check_delivered(const Ledger& ledger, const Reader& reader, const Standing& standing,
                     const Step& step, Findings& findings) {
  const Name value{step.value};
  const Published* published = ledger.published(reader.channel, step.value);
  if (published == nullptr) {
    const Id other = other_channel(ledger, step.value);
    if (other != 0)
      findings.about(reader, "was given", value, "at", step.offset, "which belongs to",
                     ledger.text(other));
    else
      findings.about(reader, "was given", value, "at", step.offset, "which nobody published");
    return;
  }
  if (first_sent(*published) > step.order)
    findings.about(reader, "was given", value, "at", step.offset, "before it was published");
  if (standing.state != Standing::State::kLive)
    findings.about(reader, "was given", value, "at", step.offset, "without being subscribed");
  if (standing.tag != 0 && standing.tag != published->tag)
    findings.about(reader, "was given", value, "at", step.offset, "which its filter hides");
}

}  // namespace

void check_no_invention(const Ledger& ledger, Findings& findings) {
  for (const Reader& reader : ledger.readers()) {
    Standing standing;
    for (const Step& step : reader.steps) {
      if (step.kind == Kind::kDelivered) check_delivered(ledger, reader, standing, step, findings);
      standing.take(step);
    }
  }
}

void check_one_value(const Ledger& ledger, Findings& findings) {
  const auto compare = [&](Id channel, Id epoch, uint64_t offset, Id value, const char* how,
                           Id who) {
    if (offset == 0 || epoch == 0) return;
    const Place place = ledger.place(channel, epoch, offset);
    const Id known = ledger.channel(channel).known.at(place.epoch).at(offset);
    if (known != value)
      findings.add(ledger.text(channel) + ":", "offset", offset, "of epoch", Name{place.epoch},
                   "is", Name{known}, "and, as", how, ledger.text(who) + ",", Name{value});
  };
  for (const Reader& reader : ledger.readers())
    for (const Step& step : reader.steps)
      if (step.kind == Kind::kDelivered)
        compare(reader.channel, step.epoch, step.offset, step.value, "delivered to", reader.client);
  for (const auto& [id, channel] : ledger.channels())
    for (const auto& [value, published] : channel.published)
      for (const Attempt& attempt : published.attempts)
        if (attempt.outcome == Outcome::kAcked)
          compare(id, attempt.epoch, attempt.offset, value, "acknowledged to", attempt.publisher);
}

void check_refused_stay_away(const Ledger& ledger, Findings& findings) {
  for (const Reader& reader : ledger.readers())
    for (const Step& step : reader.steps) {
      if (step.kind != Kind::kDelivered) continue;
      const Published* published = ledger.published(reader.channel, step.value);
      if (published != nullptr && std::ranges::all_of(published->attempts, [](const Attempt& one) {
            return one.outcome == Outcome::kRefused;
          }))
        findings.about(reader, "was given", Name{step.value}, "at", step.offset,
                       "though its publisher was told that it was refused");
    }
}

namespace {

// How often a value may stand in a channel: once for each key, once for each try without one.
size_t allowed(const Published& published) {
  std::set<Id> keys;
  size_t count = 0;
  for (const Attempt& attempt : published.attempts)
    count += attempt.key == 0 || keys.insert(attempt.key).second ? 1 : 0;
  return count;
}

void check_places(const Ledger& ledger, Id id, const Channel& channel, Findings& findings) {
  std::unordered_map<Id, std::vector<Place>> places;
  for (const auto& [epoch, values] : channel.known)
    for (const auto& [offset, value] : values) places[value].push_back({epoch, offset});
  for (const auto& [value, at] : places) {
    const Published* published = ledger.published(id, value);
    if (at.size() < 2 || published == nullptr) continue;
    for (const Place& place : at) {
      // What a reader of this epoch can see of it.
      const auto seen = [&](const Place& other) {
        return ledger.place(id, place.epoch, other.offset) == other;
      };
      if (static_cast<size_t>(std::ranges::count_if(at, seen)) <= allowed(*published)) continue;
      findings.add(ledger.text(id) + ":", Name{value}, "was published", allowed(*published),
                   "times, and stands at", at[0].offset, "and at", at[1].offset);
      break;
    }
  }
}

void check_keys(const Ledger& ledger, Id id, const Channel& channel, Findings& findings) {
  std::map<std::pair<Id, Id>, Id> values;  // publisher and key
  for (const auto& [value, published] : channel.published)
    for (const Attempt& attempt : published.attempts) {
      if (attempt.key == 0 || attempt.outcome != Outcome::kAcked) continue;
      const auto [at, added] = values.try_emplace({attempt.publisher, attempt.key}, value);
      if (at->second != value)
        findings.add(ledger.text(id) + ":", ledger.text(attempt.publisher), "used the key",
                     Name{attempt.key}, "for", Name{at->second}, "and for", Name{value},
                     "and both were acknowledged");
    }
}

}  // namespace

void check_published_once(const Ledger& ledger, Findings& findings) {
  for (const auto& [id, channel] : ledger.channels()) {
    check_places(ledger, id, channel, findings);
    check_keys(ledger, id, channel, findings);
  }
}

}  // namespace parley::history
