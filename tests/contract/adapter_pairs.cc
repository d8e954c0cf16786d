// What any two protocols owe each other: what one publishes the other reads, and what holds for one
// holds for the other. Pairs are made of all rigs that are linked in (adapter_rig.h).
#include <algorithm>

#include <gmock/gmock.h>

#include "tests/contract/adapter_rig.h"

namespace parley::testing {
namespace {

using Kind = Heard::Kind;
using ::testing::ValuesIn;

constexpr char kRoom[] = "room";

// The server API as a publisher: no protocol of clients, but one of the doors.
class ServerApi final : public ProtocolClient {
 public:
  explicit ServerApi(hub::ContentKind kind) : kind_(kind) {}
  void open(SessionWorld& world, const std::string&, const std::string&) override {
    world_ = &world;
  }
  void publish(const std::string& channel, const std::string& data) override {
    hub::Publication publication = json(data);
    publication.kind = kind_;
    world_->publish_later(channel, std::move(publication));
  }
  std::vector<Heard> hear() override { return {}; }
  FakeClient& link() override { std::abort(); }

 private:
  hub::ContentKind kind_;
  SessionWorld* world_ = nullptr;
};

class ServerApiRig final : public AdapterRig {
 public:
  explicit ServerApiRig(hub::ContentKind kind) : kind_(kind) {}
  const session::AdapterFactory& factory() const override { std::abort(); }
  std::unique_ptr<ProtocolClient> client() override { return std::make_unique<ServerApi>(kind_); }
  std::optional<hub::ContentKind> publishes() const override { return kind_; }

 private:
  hub::ContentKind kind_;
};

struct Pair {
  RegisteredRig a;
  RegisteredRig b;
};
void PrintTo(const Pair& pair, std::ostream* out) { *out << pair.a.name << " and " << pair.b.name; }

using Trait = bool (*)(const AdapterRig&);
bool any(const AdapterRig&) { return true; }
bool publishes(const AdapterRig& rig) { return rig.publishes().has_value(); }
bool resumes(const AdapterRig& rig) { return rig.resumes(); }
bool has_presence(const AdapterRig& rig) { return rig.has_presence(); }
bool asks(const AdapterRig& rig) { return rig.asks_permission(); }

std::vector<RegisteredRig> rigs_that(Trait trait) {
  std::vector<RegisteredRig> all;
  for (const RegisteredRig& rig : registered_rigs()) {
    const auto made = rig.make();
    if (made->unwritten().empty() && trait(*made)) all.push_back(rig);
  }
  return all;
}

std::vector<Pair> pairs_of(const std::vector<RegisteredRig>& as,
                           const std::vector<RegisteredRig>& bs) {
  std::vector<Pair> pairs;
  for (const RegisteredRig& a : as)
    for (const RegisteredRig& b : bs) pairs.push_back({a, b});
  return pairs;
}

std::vector<Pair> publishers_and_readers() {
  std::vector<RegisteredRig> publishers = rigs_that(publishes);
  const auto door = [&](const char* name, hub::ContentKind kind) {
    publishers.push_back({name, [kind] { return std::make_unique<ServerApiRig>(kind); }});
  };
  door("ServerApiJson", hub::ContentKind::kJson);
  door("ServerApiText", hub::ContentKind::kText);
  door("ServerApiBinary", hub::ContentKind::kBinary);
  return pairs_of(publishers, rigs_that(any));
}
std::vector<Pair> all_pairs() { return pairs_of(rigs_that(any), rigs_that(any)); }
std::vector<Pair> resuming_pairs() { return pairs_of(rigs_that(resumes), rigs_that(resumes)); }
std::vector<Pair> asking_pairs() { return pairs_of(rigs_that(asks), rigs_that(asks)); }
std::vector<Pair> present_pairs() { return pairs_of(rigs_that(any), rigs_that(has_presence)); }

std::string name_of(const ::testing::TestParamInfo<Pair>& info) {
  return info.param.a.name + "And" + info.param.b.name;
}

std::vector<std::string> values_of(hub::ContentKind kind) {
  if (kind == hub::ContentKind::kJson)
    return {R"({"a":[1,"x",null],"b":{"c":1e-7}})",
            R"("text")",
            R"("")",
            "12",
            "[]",
            "true",
            R"("Gr\u00fc\u00dfe, )"
            "\xe4\xb8\x96\xe7\x95\x8c \\n\"",
            "[\"" + std::string(5000, 'x') + "\"]"};
  if (kind == hub::ContentKind::kText)
    return {"plain words",        "{half",         "\"quoted\" \\ back",
            "Gr\xc3\xbc\xc3\x9f", " two  blanks ", std::string(5000, 'x')};
  return {std::string("\x00\x01\xff", 3), "\xfe", std::string(300, '\x80')};
}

class AdapterPairs : public ::testing::TestWithParam<Pair> {
 protected:
  // A client of the protocol that follows the room; what it heard until then is taken.
  std::unique_ptr<ProtocolClient> follow(AdapterRig& rig) {
    auto client = rig.client();
    client->open(world_, kRoom, "");
    world_.run();
    EXPECT_EQ(count(client->hear(), Kind::kRefused), 0u);
    return client;
  }
  std::vector<Heard> listen(ProtocolClient& client) {
    world_.run();
    return client.hear();
  }
  // What a client of the protocol hears that comes with `resume`, once it is up to date.
  std::vector<Heard> come_back(AdapterRig& rig, const std::string& resume) {
    const auto client = rig.client();
    client->open(world_, kRoom, resume);
    return listen(*client);
  }

  SessionWorld world_;
  std::unique_ptr<AdapterRig> a_ = GetParam().a.make();
  std::unique_ptr<AdapterRig> b_ = GetParam().b.make();
};

// A publishes, B reads.
class AdapterDeliveries : public AdapterPairs {};
INSTANTIATE_TEST_SUITE_P(Rigs, AdapterDeliveries, ValuesIn(publishers_and_readers()), name_of);

TEST_P(AdapterDeliveries, TheSameValueArrives) {
  const auto reader = follow(*b_);
  const auto writer = follow(*a_);
  const hub::ContentKind kind = *a_->publishes();
  for (const std::string& value : values_of(kind)) {
    listen(*reader);
    writer->publish(kRoom, value);
    const std::vector<Heard> heard = listen(*reader);
    const auto shown = b_->shows(kind, value);
    EXPECT_EQ(count(heard, Kind::kMessage), shown ? 1u : 0u) << value;
    EXPECT_EQ(count(heard, Kind::kGap), shown ? 0u : 1u) << value;
    for (const Heard& one : heard) {
      if (one.kind != Kind::kMessage) continue;
      EXPECT_EQ(one.data, *shown);
    }
  }
}

TEST_P(AdapterDeliveries, InTheOrderOfThePublisher) {
  if (*a_->publishes() == hub::ContentKind::kBinary) return;  // the value test has its gaps
  const auto reader = follow(*b_);
  const auto writer = follow(*a_);
  for (int n = 1; n <= 200; ++n) {
    writer->publish(kRoom, std::to_string(100 + n));
    if (n % 7 == 0) world_.run();
  }
  std::vector<std::string> expected;
  for (const int n : range(101, 300))
    expected.push_back(*b_->shows(*a_->publishes(), std::to_string(n)));
  std::vector<std::string> got;
  for (const Heard& one : listen(*reader))
    if (one.kind == Kind::kMessage) got.push_back(one.data);
  EXPECT_EQ(got, expected);
}

// Both read.
INSTANTIATE_TEST_SUITE_P(Rigs, AdapterPairs, ValuesIn(all_pairs()), name_of);

TEST_P(AdapterPairs, BothReadTheSameOrderWhoeverPublishes) {
  const auto one = follow(*a_);
  const auto other = follow(*b_);
  // Numbers as JSON, whoever writes them: a kind that one of the two shows otherwise is for the
  // value test.
  const auto say = [&](AdapterRig& rig, ProtocolClient& client, int n) {
    if (rig.publishes() == hub::ContentKind::kJson) return client.publish(kRoom, std::to_string(n));
    world_.publish_later(kRoom, json(std::to_string(n)));
  };
  for (int n = 1; n <= 100; ++n) {
    say(*a_, *one, 2 * n);
    say(*b_, *other, 2 * n + 1);
    if (n % 10 == 0) world_.run();
  }
  const std::vector<int> first = numbers(listen(*one));
  EXPECT_EQ(first, numbers(listen(*other)));
  std::vector<int> sorted = first;
  std::ranges::sort(sorted);
  EXPECT_EQ(sorted, range(2, 201));
}

TEST_P(AdapterPairs, ASlowReaderOfOneDoesNotHoldUpTheOther) {
  const auto slow = follow(*a_);
  const auto reader = follow(*b_);
  slow->link().allow(0);
  publish_numbers(world_, 1, 50);
  EXPECT_EQ(numbers(listen(*reader)), range(1, 50));
  slow->link().unblock();
  EXPECT_EQ(numbers(listen(*slow)), range(1, 50));
}

TEST_P(AdapterPairs, ALostHistoryIsToldToBoth) {
  const auto one = follow(*a_);
  const auto other = follow(*b_);
  const hub::StreamPosition at = world_.publish(kRoom, "1");
  for (ProtocolClient* client : {one.get(), other.get()}) listen(*client);
  world_.broker().interject([&](hub::BrokerEvents& events) {
    hub::Attached now{.epoch = at.epoch, .top = 0};
    ++now.epoch.counter;
    events.on_reset({kRoom}, now, hub::GapReason::kEpochChanged);
  });
  world_.run();
  for (ProtocolClient* client : {one.get(), other.get()})
    EXPECT_TRUE(count(client->hear(), Kind::kGap) == 1 || client->link().ended());
}

// Both resume.
class ResumingPairs : public AdapterPairs {
 protected:
  ResumingPairs() {
    hub::ChannelOptions options = FakeRules::usual();
    options.history_size = 100;
    world_.rules().set(kRoom, options);
  }
};
INSTANTIATE_TEST_SUITE_P(Rigs, ResumingPairs, ValuesIn(resuming_pairs()), name_of);

TEST_P(ResumingPairs, BothToldTheSamePositions) {
  const auto one = follow(*a_);
  const auto other = follow(*b_);
  std::vector<hub::StreamPosition> positions;
  for (int n = 1; n <= 20; ++n) positions.push_back(world_.publish(kRoom, std::to_string(n)));
  const auto told = [](const AdapterRig& rig, const std::vector<Heard>& heard) {
    std::vector<hub::StreamPosition> all;
    for (const Heard& one_heard : heard)
      if (one_heard.kind == Kind::kMessage) all.push_back(rig.position_of(one_heard.resume));
    return all;
  };
  EXPECT_EQ(told(*a_, listen(*one)), positions);
  EXPECT_EQ(told(*b_, listen(*other)), positions);
}

TEST_P(ResumingPairs, APositionOfOneResumesTheOther) {
  const auto first = follow(*a_);
  publish_numbers(world_, 1, 5);
  const std::string resume = resume_after(listen(*first), "");
  first->link().leave();
  publish_numbers(world_, 6, 30);
  world_.advance(seconds(12));  // only history still has them
  const std::vector<Heard> heard = come_back(*b_, b_->resume_at(a_->position_of(resume)));
  EXPECT_EQ(count(heard, Kind::kGap), 0u);
  EXPECT_EQ(numbers(heard), range(6, 30));
}

TEST_P(ResumingPairs, WhatIsGoneIsToldTheOther) {
  const auto first = follow(*a_);
  publish_numbers(world_, 1, 1);
  const std::string resume = resume_after(listen(*first), "");
  first->link().leave();
  world_.advance(seconds(12));
  publish_numbers(world_, 2, 200);
  const std::vector<Heard> heard = come_back(*b_, b_->resume_at(a_->position_of(resume)));
  EXPECT_EQ(count(heard, Kind::kGap), 1u);
  const std::vector<int> got = numbers(heard);
  EXPECT_EQ(got, range(got.empty() ? 201 : got.front(), 200));
}

// Both ask for permissions.
class AskingPairs : public AdapterPairs {};
INSTANTIATE_TEST_SUITE_P(Rigs, AskingPairs, ValuesIn(asking_pairs()), name_of);

TEST_P(AskingPairs, WhatOneMayNotReadTheOtherMayNot) {
  for (AdapterRig* rig : {a_.get(), b_.get()}) {
    rig->access.denied_verbs.insert({auth::Verb::kSubscribe, kRoom});
    const auto client = rig->client();
    client->open(world_, kRoom, "");
    world_.run();
    publish_numbers(world_, 1, 3);
    const std::vector<Heard> heard = listen(*client);
    EXPECT_EQ(count(heard, Kind::kRefused), 1u);
    EXPECT_EQ(count(heard, Kind::kSubscribed), 0u);
    EXPECT_EQ(count(heard, Kind::kMessage), 0u);
  }
  EXPECT_TRUE(world_.subscribers().empty());
}

TEST_P(AskingPairs, WhatOneMayNotPublishTheOtherDoesNotRead) {
  const auto reader = follow(*b_);
  const auto writer = follow(*a_);
  if (!a_->publishes()) return writer->link().leave();
  a_->access.denied_verbs.insert({auth::Verb::kPublish, kRoom});
  listen(*reader);
  writer->publish(kRoom, "1");
  EXPECT_EQ(count(listen(*writer), Kind::kRefused), 1u);
  EXPECT_TRUE(listen(*reader).empty());
  a_->access.denied_verbs.clear();
  writer->publish(kRoom, "2");
  EXPECT_EQ(count(listen(*writer), Kind::kPublished), 1u);
  EXPECT_EQ(numbers(listen(*reader)), range(2, 2));
}

// B is told who is there.
class PresentPairs : public AdapterPairs {};
INSTANTIATE_TEST_SUITE_P(Rigs, PresentPairs, ValuesIn(present_pairs()), name_of);

TEST_P(PresentPairs, JoinsAndLeavesAreSeenAcross) {
  const auto watcher = follow(*b_);
  const size_t present = a_->has_presence() ? 1 : 0;
  const auto members = [&] {
    return std::get<hub::PresenceCounts>(*world_.presence_counts(kRoom)).clients;
  };
  EXPECT_EQ(members(), 1u);
  listen(*watcher);
  const auto member = follow(*a_);
  EXPECT_EQ(count(listen(*watcher), Kind::kJoin), present);
  EXPECT_EQ(members(), 1 + present);
  member->link().leave();
  EXPECT_EQ(count(listen(*watcher), Kind::kLeave), present);
  EXPECT_EQ(members(), 1u);
}

}  // namespace
}  // namespace parley::testing
