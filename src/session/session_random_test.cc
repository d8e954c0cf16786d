// Random clients against a model of what each must see.
#include <array>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/delta_reader.h"
#include "tests/support/session_fixture.h"

namespace parley::session {
namespace {

using testing::FakeClient;
using testing::json;
using testing::Script;

constexpr std::array<const char*, 3> kChannels = {"a", "b", "c"};
using Published = std::map<std::string, std::vector<std::string>>;  // by offset - 1

// How a peer reads a channel.
struct Way {
  bool delta = false;
  bool filter = false;
};
bool passes_filter(const std::string& data) { return data.size() % 3 != 0; }
hub::Publication publication(const std::string& data) {
  hub::Publication made = json(data);
  made.delta = data.back() == 'y';
  if (passes_filter(data)) made.tags = {{"k", "1"}};
  return made;
}
Variant variant_of(Way way) {
  Variant made;
  if (way.delta) made = {.dialect = &testing::AppendDialect::shared(), .delta = true, .filter = {}};
  if (!way.filter) return made;
  const std::string_view value = "1";
  TagsFilter filter;
  filter.add(TagsFilter::Test::kEqual, "k", std::span(&value, 1));
  made.filter = std::make_unique<const TagsFilter>(std::move(filter));
  return made;
}

// Reads one client's stream as a client would, and compares it with what was published.
class Model {
 public:
  Model(const Published& published, uint32_t seed) : published_(published), seed_(seed) {}

  void read(const std::string& frame) {
    SCOPED_TRACE("seed " + std::to_string(seed_) + ", frame " + frame);
    if (frame.find(':') != std::string::npos) return data(frame);
    std::istringstream words(frame);
    std::string what, channel;
    uint64_t first = 0, second = 0;
    words >> what >> channel >> first >> second;
    auto& position = positions_[channel];
    if (what == "sub") {
      EXPECT_FALSE(position);
      position = first;
      readers_.erase(channel);
      ways_[channel] = asked_[channel].front();
      asked_[channel].pop_front();
    } else if (what == "unsub") {
      EXPECT_TRUE(position);
      position.reset();
      early_.erase(channel);
    } else if (what == "gap") {
      EXPECT_EQ(channel, "c");
      ASSERT_TRUE(position);
      EXPECT_EQ(first, visible_after(channel, *position, first));
      position = second;
    } else if (what == "done") {
      // A gap may let the reply pass.
      if (position && channel != "c" && visible_after(channel, *position, first) < first)
        early_.insert(channel);
    } else if (what == "ctl") {
      EXPECT_EQ(std::stoull(channel), ++controls_);
    } else {
      EXPECT_EQ(what, "ping");
    }
  }

  // From the next "sub" on: what was sent before it is still on its way.
  void will_read(const std::string& channel, Way way) { asked_[channel].push_back(way); }

  void check_complete(uint64_t controls) {
    SCOPED_TRACE("seed " + std::to_string(seed_));
    EXPECT_EQ(controls_, controls);
    EXPECT_TRUE(early_.empty());
    for (const auto& [channel, position] : positions_) {
      if (!position || !published_.contains(channel)) continue;
      const uint64_t top = published_.at(channel).size();
      EXPECT_EQ(visible_after(channel, *position, top + 1), top + 1) << channel;
    }
  }

 private:
  void data(const std::string& received) {
    const std::string channel = received.substr(0, 1);
    const std::string frame = ways_[channel].delta ? readers_[channel].read(received) : received;
    const size_t colon = frame.find(':', 2);
    const uint64_t offset = std::stoull(frame.substr(2, colon - 2));
    auto& position = positions_[channel];
    ASSERT_TRUE(position);
    EXPECT_FALSE(early_.contains(channel));
    EXPECT_GT(offset, *position);
    EXPECT_EQ(offset, visible_after(channel, *position, offset));
    ASSERT_LE(offset, published_.at(channel).size());
    EXPECT_EQ(frame.substr(colon + 1), published_.at(channel)[offset - 1]);
    position = offset;
  }
  // The first offset behind `position` that is not skipped, at most `limit`.
  uint64_t visible_after(const std::string& channel, uint64_t position, uint64_t limit) const {
    const auto found = published_.find(channel);
    const auto way = ways_.find(channel);
    const bool filter = way != ways_.end() && way->second.filter;
    const auto hidden = [&](const std::string& data) {
      return data.starts_with('-') || (filter && !passes_filter(data));
    };
    while (++position < limit)
      if (found != published_.end() && !hidden(found->second[position - 1])) break;
    return position;
  }

  const Published& published_;
  uint32_t seed_;
  std::map<std::string, std::optional<uint64_t>> positions_;
  std::map<std::string, Way> ways_;
  std::map<std::string, std::deque<Way>> asked_;
  std::map<std::string, testing::DeltaReader> readers_;
  // Replies came before their publications: only where the subscription was gone by then.
  std::set<std::string> early_;
  uint64_t controls_ = 0;
};

class RandomWorld : public testing::SessionFixture {
 public:
  explicit RandomWorld(uint32_t seed) : rng_(seed) {
    options("b", 1000, 3000);
    options("c", 5, 1500);
    for (Peer& peer : peers_) {
      peer.script = &new_script();
      peer.client = &open(*peer.script);
      peer.model.emplace(published_, seed);
      wire(peer);
    }
  }
  void TestBody() override {
    for (int i = 0; i < 200; ++i) step();
    for (Peer& peer : peers_) peer.client->unblock();
    world_.run();
    for (Peer& peer : peers_) {
      read(peer);
      EXPECT_FALSE(peer.client->ended());
      EXPECT_FALSE(peer.client->session()->has_output());
      peer.model->check_complete(peer.controls);
    }
  }

 private:
  struct Peer {
    Script* script = nullptr;
    FakeClient* client = nullptr;
    std::optional<Model> model;
    std::map<Handle, std::string> names;
    std::map<std::string, Handle> handles;
    std::map<hub::StepId, std::string> steps;
    uint64_t controls = 0;
    hub::StepId last_step = 0;
  };

  uint32_t pick(uint32_t n) { return static_cast<uint32_t>(rng_() % n); }

  void options(const std::string& channel, uint32_t history, size_t tail) {
    hub::ChannelOptions made = testing::FakeRules::usual();
    made.history_size = history;
    made.tail_bytes = tail;
    world_.rules().set(channel, made);
  }

  static void wire(Peer& peer) {
    peer.script->subscribed = [&](Handle handle, const auto& result, Effects& effects) {
      effects.send("sub " + peer.names[handle] + " " + std::to_string(result->top.offset));
    };
    peer.script->gap = [&](Handle handle, const hub::Gap& gap, Effects& effects) {
      effects.send("gap " + peer.names[handle] + " " + std::to_string(gap.from) + " " +
                   std::to_string(gap.to));
    };
    peer.script->answer = [&](hub::StepId step, const hub::Answer& answer, Effects& effects) {
      const uint64_t offset = std::get<hub::Published>(*answer).position.offset;
      const std::string& channel = peer.steps[step];
      const auto handle = peer.handles.find(channel);
      effects.send_after(handle == peer.handles.end() ? 0 : handle->second, offset,
                         "done " + channel + " " + std::to_string(offset));
    };
  }

  std::string content(const std::string& channel) {
    static int counter = 0;
    if (pick(6) == 0) return "-";
    const auto& before = published_[channel];
    const bool grows = !before.empty() && before.back() != "-" && before.back().size() < 5000;
    if (grows && pick(2) == 0) return before.back() + (pick(4) == 0 ? "z" : "zy");
    return std::to_string(++counter) + std::string(pick(40) == 0 ? 5000 : pick(60), 'x');
  }

  void step() {
    Peer& peer = peers_[pick(static_cast<uint32_t>(peers_.size()))];
    const std::string channel = kChannels[pick(3)];
    switch (pick(12)) {
      case 0:
      case 1:
      case 2:
      case 3:
        for (uint32_t n = pick(5); n > 0; --n) {
          const std::string data = content(channel);
          published_[channel].push_back(data);
          world_.publish_later(channel, publication(data));
        }
        break;
      case 4: {
        const std::string data = content(channel);
        published_[channel].push_back(data);
        act(*peer.client, *peer.script, [&](Effects& effects) {
          hub::PublishRecord record{.channel = {channel}};
          record.publication = std::make_unique<hub::Publication>(publication(data));
          peer.steps[++peer.last_step] = channel;
          effects.publish(peer.last_step, std::move(record));
        });
        break;
      }
      case 5:
        toggle(peer, channel);
        break;
      case 6:
        act(*peer.client, *peer.script, [&](Effects& effects) {
          for (uint32_t n = pick(4); n > 0; --n)
            effects.send("ctl " + std::to_string(++peer.controls));
          if (pick(2) == 0) effects.send_urgent("ping");
        });
        break;
      case 7:
        peer.client->allow(pick(3) == 0 ? 0 : pick(200));
        break;
      case 8:
        peer.client->unblock();
        break;
      default:
        world_.run();
    }
    read(peer);
  }

  void toggle(Peer& peer, const std::string& channel) {
    // A subscribe whose answer is still on its way ends without one, so it is let come first.
    world_.run();
    act(*peer.client, *peer.script, [&](Effects& effects) {
      if (const auto found = peer.handles.find(channel); found != peer.handles.end()) {
        effects.unsubscribe(found->second);
        effects.send("unsub " + channel);
        peer.handles.erase(found);
      } else {
        const Way way{.delta = pick(2) == 0, .filter = pick(3) == 0};
        peer.model->will_read(channel, way);
        const Handle handle = effects.subscribe({channel}, {}, variant_of(way));
        peer.handles[channel] = handle;
        peer.names[handle] = channel;
      }
    });
  }

  static void read(Peer& peer) {
    for (const std::string& frame : texts(*peer.client)) peer.model->read(frame);
  }

  std::mt19937 rng_;
  Published published_;
  std::array<Peer, 3> peers_;
};

TEST(SessionRandom, EveryClientSeesWhatItMust) {
  for (uint32_t seed = 1; seed <= 500; ++seed) {
    RandomWorld world(seed);
    world.TestBody();
    ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace parley::session
