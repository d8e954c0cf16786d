// The end of a run: no more faults, everything comes to rest, and then it is looked at.
#include <algorithm>
#include <map>
#include <set>

#include "tests/sim/contract_world.h"

namespace parley::sim {
namespace {
// After the last fault, everybody has everything within this time. It holds the slowest client's
// patience: what was asked just before, and lost, is asked again only then; a line on which nothing
// comes any more is given up when a ping is long overdue.
constexpr seconds kCatchUp{75};
// So often, at least, shards are told the tops of channels, if the last publication was lost.
constexpr seconds kTopNotes{11};
// By then half-open connections are found: a ping every 25 s, 8 s for the pong; writes that stall.
constexpr seconds kHalfOpen{75};
}  // namespace

void ContractWorld::calm_down() {
  sim_.note("no more faults");
  calm_ = true;
  sim_.tell({.kind = history::Kind::kHealed});
  if (rings_ != nullptr) rings_->closed = false;
  for (const auto& shard : shards_) calm_shard(*shard);
  // What is silent now would be found out much later; that is waited for once, in kHalfOpen.
  for (const auto& client : clients_) {
    Line* line = client->line();
    if (line != nullptr && line->broken()) line->cut();
    if (line != nullptr) line->mend();
    if (line != nullptr) line->read(true);
    client->start();
  }
}

bool ContractWorld::rest() {
  if (dying_ || shards_.empty() || !rings_->empty()) return false;
  return std::ranges::all_of(shards_, [](const auto& s) { return s->idle(); }) &&
         std::ranges::all_of(clients_, [](const auto& c) { return c->settled(); });
}

void ContractWorld::settle_and_check() {
  if (!failure().empty()) return;
  calm_down();
  const Time end = sim_.now().mono + kCatchUp;
  pass(seconds(1));
  while (failure().empty() && !rest() && sim_.now().mono < end) pass(milliseconds(500));
  if (failure().empty() && !rest()) {
    std::string states;
    for (const auto& client : clients_)
      if (!client->settled()) states += "; " + client->state();
    for (const auto& shard : shards_)
      if (!shard->idle())
        states += fmt::format("; shard {} busy, {} unanswered", shard->hub().shard(),
                              shard->unanswered());
    sim_.fail("never comes to rest" + states);
  }
  pass(kTopNotes);
  check_rest();
}

void ContractWorld::check_rest() {
  for (const auto check : {&ContractWorld::check_one_connection, &ContractWorld::check_tops,
                           &ContractWorld::check_last_words, &ContractWorld::check_presence,
                           &ContractWorld::check_empty})
    if (failure().empty()) (this->*check)();
}

// Whoever was superseded stays away; of each user one client is left, however they came.
void ContractWorld::check_one_connection() {
  if (!options_.single_connection) return;
  std::map<std::string, int> connections;
  for (const auto& client : clients_) {
    const auto* who = dynamic_cast<const CentrifugeClient*>(client.get());
    if (who != nullptr && !who->user().empty()) connections[who->user()] += who->connected();
  }
  for (const auto& [user, count] : connections)
    if (count != 1) sim_.fail(fmt::format("{} has {} connections, and may have one", user, count));
}

void ContractWorld::check_tops() {
  for (const auto& client : clients_) {
    for (const auto& reading : client->reading()) {
      if (!reading.channel->told) continue;
      look(reading.channel->name, [this, reading, who = client->state()](const auto& page) {
        if (!page.epoch.same_incarnation(reading.position.epoch) ||
            (page.top != reading.position.offset && !reading.filtered))
          sim_.fail(fmt::format("{} rests in {} at {}, below the top {}", who,
                                reading.channel->name, reading.position.offset, page.top));
      });
    }
  }
  pass(seconds(2));
}

// Where gaps are told, it may be told that even this one is gone.
bool ContractWorld::has(const Client::Reading& reading, const std::string& data) const {
  if (reading.last_data == data) return true;
  const Entry* entry = ledger_.latest(data);
  return reading.channel->told && entry != nullptr && reading.position.offset >= entry->offset;
}

// One more publication on each channel: whoever reads it gets it.
void ContractWorld::check_last_words() {
  std::map<std::string, std::string> last;
  for (const KnownChannel& channel : channels_) {
    const std::string data = ledger_.compose(channel.name, 20);
    last[channel.name] = data;
    api_send({channel.name, data, "", "1"});
    pass(seconds(2));
  }
  for (const auto& client : clients_)
    for (const auto& reading : client->reading())
      if (!has(reading, last[reading.channel->name]))
        sim_.fail(fmt::format("{} misses the last publication of {}", client->state(),
                              reading.channel->name));
  sim_.tell({.kind = history::Kind::kQuiet});
  sim_.judge();
}

void ContractWorld::check_presence() {
  pass(kHalfOpen);
  if (!failure().empty()) return;
  size_t sessions = 0, open = 0;
  for (const auto& shard : shards_) sessions += shard->table().size();
  for (const auto& client : clients_) open += client->line() != nullptr;
  if (sessions != open) return sim_.fail(fmt::format("{} sessions for {} clients", sessions, open));
  std::set<std::string> expected;
  for (const auto& client : clients_) {
    const auto* who = dynamic_cast<const CentrifugeClient*>(client.get());
    if (who != nullptr && who->reads("p:1")) expected.insert(who->client_id());
  }
  shards_[0]->presence("p:1", [this, expected](hub::Answer answer) {
    if (!answer) return sim_.fail("no answer about presence");
    std::set<std::string> told;
    for (const auto& member : std::get<hub::PresenceSnapshot>(*answer).members())
      told.insert(member.client);
    if (told != expected)
      sim_.fail(fmt::format("{} are present, {} are told", expected.size(), told.size()));
  });
  pass(seconds(1));
}

void ContractWorld::check_empty() {
  for (const auto& client : clients_) client->leave();
  pass(seconds(15));
  if (!failure().empty()) return;
  for (const auto& shard : shards_) {
    if (shard->table().size() != 0) sim_.fail("a session is left");
    if (shard->hub().channels_followed() != 0) sim_.fail("a channel is still followed");
    if (shard->hub().channels_homed() != 0) sim_.fail("a channel is still at home");
    if (shard->unanswered() != 0) sim_.fail("a request was never answered");
  }
  if (!rings_->empty()) sim_.fail("a message is left");
  if (!rings_->all_credits_back()) sim_.fail("a credit is lost");
}

}  // namespace parley::sim
