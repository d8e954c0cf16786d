// The brokers that the simulated world is built on under the broker contract: what the hub learns
// of them must be what it may expect of a real one.
#include <algorithm>
#include <array>
#include <span>

#include "tests/contract/broker_contract.h"
#include "tests/sim/durable_broker.h"
#include "tests/sim/remote_broker.h"

namespace parley::testing {
namespace {

// What no world asks of the models.
struct Lack {
  std::string_view test, why;
};
constexpr std::array kLacks{
    Lack{"AnOldVersionIsNotApplied", "the models know no versions"},
    Lack{"VersionsOfAnotherEpochStartAnew", "the models know no versions"},
    Lack{"VersionsOutliveTheHistoryTheyCameWith", "the models know no versions"},
    Lack{"VersionsNeedHistory", "the models know no versions"},
};

// Between feed and answers a remote broker keeps no order; these tests spell one out.
constexpr std::string_view kTwoLines = "the feed and the answers come independently of each other";
constexpr std::array kRemoteLacks{
    Lack{"CompletionsComeInTheOrderOfRequests", kTwoLines},
    Lack{"FeedStartsExactlyBehindTop", kTwoLines},
    Lack{"OneEventPerRunKeepsTheOrder", kTwoLines},
    Lack{"NothingFedBeforeADetachIsHeardBehindTheNextAttach", kTwoLines},
    Lack{"AStaleFeedIsNeverHeardOfAgain", kTwoLines},
};

class ModelRig : public BrokerRig {
 public:
  // Requests take time here, so time passes until nothing is on its way.
  void pump(hub::BrokerEvents& events, size_t max_events) override {
    const Time end = sim_.now().mono + seconds(1);
    do {
      while (broker().run(sim_.now(), events, max_events)) {
      }
    } while (sim_.time.run_next(end));
    EXPECT_EQ(sim_.failure(), "");
  }
  std::string_view lacks(std::string_view test) const override { return why(kLacks, test); }

 protected:
  static std::string_view why(std::span<const Lack> lacks, std::string_view test) {
    const auto found = std::ranges::find(lacks, test, &Lack::test);
    return found == lacks.end() ? std::string_view() : found->why;
  }
  sim::Simulation sim_{1};
};

// Contiguous: what the tests expect is written in numbers.
class RemoteRig final : public ModelRig {
 public:
  hub::Broker& broker() override { return broker_; }
  std::string_view lacks(std::string_view test) const override {
    const std::string_view here = why(kRemoteLacks, test);
    return here.empty() ? ModelRig::lacks(test) : here;
  }

 private:
  sim::RemoteServer server_{sim_};
  sim::RemoteBroker broker_{sim_, server_, 0, {}, [] {}};
};

class DurableRig final : public ModelRig {
 public:
  hub::Broker& broker() override { return broker_; }

 private:
  sim::Ledger ledger_{sim_};
  sim::DurableStore store_{sim_, ledger_, 0};
  sim::DurableBroker broker_{sim_, store_, milliseconds(5), [] {}};
};

std::unique_ptr<BrokerRig> make_remote_rig() { return std::make_unique<RemoteRig>(); }
std::unique_ptr<BrokerRig> make_durable_rig() { return std::make_unique<DurableRig>(); }

INSTANTIATE_TEST_SUITE_P(RemoteModel, BrokerContract, ::testing::Values(&make_remote_rig));
INSTANTIATE_TEST_SUITE_P(DurableModel, BrokerContract, ::testing::Values(&make_durable_rig));

}  // namespace
}  // namespace parley::testing
