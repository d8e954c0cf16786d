// Histories written by hand.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "tests/history/checker.h"

namespace parley::history {

// A list of events in one channel, "news" of epoch "e1", a millisecond apart; tests then tamper
// with it. A publication's value is its offset with a "v" before, unless it is given.
struct History {
  std::vector<Event> events;
  int64_t now = 0;

  Event& add(Event event) {
    event.at = now += 1'000;
    if (event.channel.empty()) event.channel = "news";
    events.push_back(std::move(event));
    return events.back();
  }
  static std::string value_of(uint64_t offset) { return "v" + std::to_string(offset); }

  Event& sent(const std::string& value) {
    return add({.kind = Kind::kSent, .client = "writer", .value = value});
  }
  Event& acked(const std::string& value, uint64_t offset, const std::string& epoch = "e1") {
    return add({.kind = Kind::kAcked,
                .client = "writer",
                .value = value,
                .epoch = epoch,
                .offset = offset});
  }
  void publish(uint64_t offset, const std::string& epoch = "e1") {
    const std::string value = (epoch == "e1" ? "" : epoch) + value_of(offset);
    sent(value);
    acked(value, offset, epoch);
  }
  void publish(uint64_t first, uint64_t last, const std::string& epoch) {
    for (uint64_t offset = first; offset <= last; ++offset) publish(offset, epoch);
  }
  Event& subscribed(const std::string& client, uint64_t offset, const std::string& epoch = "e1") {
    return add({.kind = Kind::kSubscribed, .client = client, .epoch = epoch, .offset = offset});
  }
  Event& recovered(const std::string& client, uint64_t offset, const std::string& epoch = "e1") {
    Event& event = subscribed(client, offset, epoch);
    event.recovered = true;
    return event;
  }
  Event& delivered(const std::string& client, uint64_t offset) {
    return add(
        {.kind = Kind::kDelivered, .client = client, .value = value_of(offset), .offset = offset});
  }
  void delivered(const std::string& client, uint64_t first, uint64_t last) {
    for (uint64_t offset = first; offset <= last; ++offset) delivered(client, offset);
  }
  Event& gap(const std::string& client, uint64_t from, uint64_t to, const std::string& reason) {
    return add({.kind = Kind::kGap, .client = client, .from = from, .to = to, .reason = reason});
  }
  Event& disconnected(const std::string& client) {
    return add({.kind = Kind::kDisconnected, .client = client});
  }
  Event& of_member(Kind kind, const std::string& member, const std::string& client = "") {
    return add({.kind = kind, .client = client, .member = member});
  }
  Event& presence(std::vector<std::string> members) {
    return add({.kind = Kind::kPresence, .client = "ann", .members = std::move(members)});
  }
  Event& restarted() {
    Event& event = add({.kind = Kind::kRestarted, .reason = "killed"});
    event.channel.clear();
    return event;
  }
  void quiet() { add({.kind = Kind::kQuiet}); }

  // The events that a condition names.
  Event& find(const std::function<bool(const Event&)>& is) {
    return *std::ranges::find_if(events, is);
  }
  void drop(const std::function<bool(const Event&)>& is) { std::erase_if(events, is); }
  static std::function<bool(const Event&)> delivery(const std::string& client, uint64_t offset) {
    return [=](const Event& event) {
      return event.kind == Kind::kDelivered && event.client == client && event.offset == offset;
    };
  }

  std::vector<Violation> check() const {
    Checker checker;
    for (const Event& event : events) checker.add(event);
    return checker.finish();
  }
  // The rules that are broken, each once, and after it all that was said, for a failed test.
  std::string broken() const {
    std::string rules;
    for (const Violation& violation : check())
      if (rules.empty() || rules.back() != violation.rule) rules += violation.rule;
    return rules;
  }
};

// A correct run: ann stays, bob loses his line and recovers, cid comes late. 12 publications.
inline History correct_run() {
  History run;
  run.subscribed("ann", 0);
  run.subscribed("bob", 0);
  run.publish(1, 6, "e1");
  run.delivered("ann", 1, 6);
  run.delivered("bob", 1, 4);
  run.disconnected("bob");
  run.publish(7, 9, "e1");
  run.delivered("ann", 7, 9);
  run.recovered("bob", 9);
  run.delivered("bob", 5, 9);
  run.subscribed("cid", 9);
  run.publish(10, 12, "e1");
  for (const char* client : {"ann", "bob", "cid"}) run.delivered(client, 10, 12);
  run.quiet();
  return run;
}

}  // namespace parley::history
