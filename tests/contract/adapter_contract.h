// The contract of session::Adapter, for every protocol. A protocol is plugged in by an AdapterRig
// and
//   INSTANTIATE_TEST_SUITE_P(Echo, AdapterContract, ::testing::Values(&make_echo_rig));
// in a binary that also compiles adapter_contract.cc.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/session_world.h"

namespace parley::testing {

// What a client learns, whatever words its protocol has for it.
struct Heard {
  enum class Kind {
    kSubscribed,
    kMessage,  // a publication of the channel
    kGap,      // publications are missing: an event, an unsubscribe or a recovery that failed
    kOther,
  };
  Kind kind = Kind::kOther;
  std::string data = {};    // kMessage: the payload
  std::string resume = {};  // kSubscribed, kMessage: what the client shows to go on from here
};

// One client of the protocol under test, in one connection.
class ProtocolClient {
 public:
  virtual ~ProtocolClient() = default;
  // Comes and asks for the channel, as far as it can without an answer; behind `resume` if not "".
  virtual void open(SessionWorld& world, const std::string& channel, const std::string& resume) = 0;
  // What it was told since the last call.
  virtual std::vector<Heard> hear() = 0;
  virtual FakeClient& link() = 0;
};

// A protocol under test.
class AdapterRig {
 public:
  virtual ~AdapterRig() = default;
  virtual const session::AdapterFactory& factory() const = 0;
  virtual std::unique_ptr<ProtocolClient> client() = 0;
  // Whether a client can go on where an earlier connection ended.
  virtual bool resumes() const { return true; }
  // Well-formed messages that a client may send, for the garbage to be made of.
  virtual std::vector<std::string> samples() const { return {}; }
};

using AdapterRigFactory = std::unique_ptr<AdapterRig> (*)();

class AdapterContract : public ::testing::TestWithParam<AdapterRigFactory> {
 protected:
  std::unique_ptr<AdapterRig> rig_ = GetParam()();
};

}  // namespace parley::testing
