// What the application does, and what goes wrong.
#include "tests/sim/contract_world.h"

namespace parley::sim {

// --- the application --------------------------------------------------------------------------

void ContractWorld::start_api() {
  every(options_.api_think * 2 / 3, [this] { api_act(); });
  every(options_.api_think * 2, [this] { api_burst(); });
}

void ContractWorld::api_act() {
  Random& random = sim_.random;
  const std::string& name = channels_[random.below(channels_.size())].name;
  const uint64_t dice = random.below(100);
  if (dice < 70) {
    const bool keyed = random.one_in(2);
    const uint64_t burst = random.one_in(8) ? 1 + random.below(60) : 1;
    for (uint64_t i = 0; i < burst; ++i)
      api_publish(name, keyed ? "key" + std::to_string(++keys_) : "",
                  std::to_string(random.below(3)));
  } else if (dice < 90 && !keyed_.empty()) {
    api_send(keyed_[random.below(keyed_.size())]);
  } else if (dice < 93 && !shards_.empty()) {
    shards_[random.below(shards_.size())]->remove_history(name, [](hub::Answer) {});
  }
}

// More than a reader may be behind, where that means something.
void ContractWorld::api_burst() {
  constexpr std::string_view kSpaces[] = {"o:1", "k:1", "y:1", "b:1"};
  const std::string name(kSpaces[sim_.random.below(4)]);
  for (uint64_t i = 10 + sim_.random.below(60); i > 0; --i)
    api_publish(name, "", std::to_string(sim_.random.below(5)));
}

void ContractWorld::api_publish(const std::string& channel, const std::string& key,
                                const std::string& tag) {
  ApiPublish publish{channel, ledger_.compose(channel, sim_.random.below(300)), key, tag};
  if (!key.empty()) {
    ledger_.set_key(publish.data, key);
    keyed_.push_back(publish);
  }
  api_send(publish);
}

void ContractWorld::api_send(const ApiPublish& publish) {
  if (shards_.empty()) return;
  // Each try has a publisher of its own: their answers may overtake one another.
  const std::string who = "application " + std::to_string(++tries_);
  ledger_.sent(publish.data, who, publish.tag);
  const auto options = rules_.find(publish.channel);
  hub::PublishRecord record{.channel = {publish.channel}};
  record.publication = std::make_unique<hub::Publication>();
  record.publication->data = publish.data;
  if (!publish.tag.empty()) record.publication->tags = {{"t", publish.tag}};
  record.idempotency_key = publish.key;
  record.ack = options->level;
  shards_[sim_.random.below(shards_.size())]->publish(
      std::move(record), [this, publish, options, who](hub::Answer answer) {
        if (!answer) {
          const bool refused = answer.error() != hub::HubError::kUnavailable;
          return ledger_.ended(publish.data, who, refused ? Outcome::kRefused : Outcome::kUnknown);
        }
        const auto& published = std::get<hub::Published>(*answer);
        // What a key got long ago, or in a life of the channel that is over, is no news.
        const bool news =
            !published.duplicate && ledger_.is_newest(publish.channel, published.position.epoch);
        ledger_.ended(publish.data, who, news ? Outcome::kAccepted : Outcome::kUnknown,
                      news ? published.position : hub::StreamPosition());
        if (!publish.key.empty())
          ledger_.answered(publish.channel, publish.key, published.position, true);
        if (published.level < options->level) sim_.fail("answered below the channel's level");
        if (!ledger_.may_be_seen(publish.channel, published.position.offset))
          sim_.fail("answered before it was durable: " + publish.data);
      });
}

void ContractWorld::send_control(hub::Control::Kind kind, const std::string& user,
                                 const std::string& channel) {
  if (shards_.empty()) return;
  sim_.note("the application sends a control {} for {} {}", static_cast<int>(kind), user, channel);
  hub::Control control;
  control.kind = kind;
  control.user = user;
  control.channel = channel;
  control.code = 3503;
  control.reason = "force disconnect";
  shards_[sim_.random.below(shards_.size())]->control(std::move(control), [](hub::Answer) {});
}

// --- faults -----------------------------------------------------------------------------------

void ContractWorld::start_faults() {
  const FaultRates& rates = options_.faults;
  Random& random = sim_.random;
  every(rates.cut, [this] { cut_one(); });
  every(rates.silence, [this] {
    if (Line* line = any_client().line()) line->go_silent();
  });
  every(rates.mute, [this] {
    if (auto* client = dynamic_cast<CentrifugeClient*>(&any_client()))
      client->mute(sim_.random.one_in(2));
  });
  every(rates.stall, [this] {
    if (!shards_.empty())
      shards_[sim_.random.below(shards_.size())]->stall(
          sim_.between(milliseconds(5), sim_.random.one_in(3) ? seconds(6) : milliseconds(500)));
  });
  every(rates.rings_closed, [this] { close_rings(sim_.between(milliseconds(5), seconds(8))); });
  every(rates.crash, [this] {
    if (!shards_.empty()) crash(sim_.between(milliseconds(1), seconds(5)));
  });
  every(rates.shutdown, [this] { shut_down(sim_.between(milliseconds(1), seconds(5))); });
  every(rates.clock, [this] { step_clock(); });
  every(rates.broker,
        [this, &random] { fault_broker(channels_[random.below(channels_.size())].name); });
  every(rates.lapse, [this, &random] {
    if (!shards_.empty()) lapse(static_cast<ShardId>(random.below(shards_.size())));
  });
  every(rates.pressure, [this, &random] {
    using enum hub::PublishBrake::Step;
    constexpr hub::PublishBrake::Step kSteps[] = {kOff, kSlow, kRefuse};
    const auto step = kSteps[random.below(3)];
    sim_.note("publishers are braked: {}", static_cast<int>(step));
    for (const auto& shard : shards_) shard->hub().brake(step);
  });
  every(rates.control, [this, &random] {
    const bool unsubscribe = random.one_in(2);
    send_control(unsubscribe ? hub::Control::Kind::kUnsubscribe : hub::Control::Kind::kDisconnect,
                 "u" + std::to_string(random.below(3)),
                 channels_[random.below(channels_.size())].name);
  });
}

void ContractWorld::cut_one() {
  if (Line* line = any_client().line()) line->cut();
}

void ContractWorld::allow_one_connection(const std::string& user) {
  access_.rules.personal_channel = access_.rules.single_connection = true;
  rules_.add("#" + user);
}

void ContractWorld::close_rings(Duration time) {
  if (rings_ == nullptr) return;
  sim_.note("the rings are full for {} ms", time / milliseconds(1));
  rings_->closed = true;
  sim_.time.after(time, [this, life = lives_] {
    if (rings_ != nullptr && life == lives_) rings_->closed = false;
  });
}

void ContractWorld::fault_broker(const std::string& channel) {
  if (shards_.empty()) return;
  const bool fatal = farm_.fault(shards_[home(channel)]->broker().real(), channel);
  if (!fatal) return;
  dying_ = true;
  sim_.time.after(sim_.between(Duration(0), seconds(1)), [this, life = lives_] {
    if (life == lives_ && !shards_.empty()) crash(sim_.between(milliseconds(1), seconds(2)));
  });
}

void ContractWorld::break_broker_line(const std::string& channel, Duration time) {
  auto& broker = shards_[home(channel)]->broker().real();
  if (auto* remote = dynamic_cast<RemoteBroker*>(&broker)) remote->break_line(time);
}

void ContractWorld::lose_history(const std::string& channel) { farm_.lose(channel); }

void ContractWorld::lapse(ShardId shard) {
  sim_.note("shard {} drops all that it held for its clients", shard);
  shards_[shard]->cut_lines();
  for (const KnownChannel& known : channels_)
    if (home(known.name) == shard && options_.broker == BrokerKind::kRemote)
      farm_.fault(shards_[shard]->broker().real(), known.name);
}

void ContractWorld::step_clock() {
  constexpr seconds kSteps[] = {
      seconds(1),      seconds(-1),          seconds(3600),          seconds(-3600),
      seconds(-86400), seconds(400'000'000), seconds(-1'500'000'000)};
  const seconds step = kSteps[sim_.random.below(std::size(kSteps))];
  sim_.note("the wall clock jumps by {} s", step.count());
  sim_.time.step_wall_clock(step);
}

}  // namespace parley::sim
