// The memory broker under the broker contract.
#include "broker/memory/memory_broker.h"
#include "tests/contract/broker_contract.h"
#include "tests/support/seeded_ids.h"

namespace parley::testing {
namespace {

class MemoryRig final : public BrokerRig {
 public:
  hub::Broker& broker() override { return broker_; }

  void pump(hub::BrokerEvents& events, size_t max_events) override {
    while (broker_.run(now_, events, max_events)) {
    }
  }

  bool advance(Duration by) override {
    now_.mono += by;
    now_.wall += std::chrono::duration_cast<milliseconds>(by).count();
    return true;
  }

  // An attached channel outweighs everything that is not attached.
  bool squeeze() override {
    auto options = std::make_shared<hub::ChannelOptions>();
    options->history_size = 1;
    options->history_ttl = seconds(1);
    hub::PublishRecord record{.channel = {"squeeze"}, .options = options};
    record.publication = std::make_unique<hub::Publication>();
    record.publication->data.resize(kMaxBytes);
    broker_.attach({"squeeze"}, options, 1);
    broker_.publish(--token_, std::move(record));
    broker_.detach({"squeeze"});
    return true;
  }

 private:
  static constexpr size_t kMaxBytes = 32 << 10;

  Now now_{.mono = Time(std::chrono::hours(1)), .wall = 1'700'000'000'000};
  SeededIds ids_;
  broker::memory::MemoryBroker broker_{{.max_bytes = kMaxBytes, .idempotency = {}}, ids_, now_};
  hub::BrokerToken token_ = UINT64_MAX;
};

std::unique_ptr<BrokerRig> make_memory_rig() { return std::make_unique<MemoryRig>(); }

INSTANTIATE_TEST_SUITE_P(Memory, BrokerContract, ::testing::Values(&make_memory_rig));

}  // namespace
}  // namespace parley::testing
