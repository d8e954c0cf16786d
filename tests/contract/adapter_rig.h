// What the suites over protocols know of one: a rig, which stands in for its clients. A protocol
// joins all of them by one file, NAME_adapter_contract_test.cc, that registers its rig:
//   const RegisterRig registered("Name", [] { return std::make_unique<NameRig>(); });
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "hub/epoch.h"
#include "tests/support/session_world.h"

namespace parley::testing {

// What a client learns, whatever words its protocol has for it.
struct Heard {
  enum class Kind {
    kSubscribed,
    kMessage,    // a publication of the channel
    kGap,        // publications are missing: an event, an unsubscribe or a recovery that failed
    kJoin,       // somebody is there now
    kLeave,      // ... is there no more
    kPublished,  // a publish of its own is done
    kRefused,    // what it asked for is not to be had
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
  // Wants to be told who joins and leaves, if its protocol has that.
  virtual void open(SessionWorld& world, const std::string& channel, const std::string& resume) = 0;
  // Asks for a publication in the channel, after open(). For rigs that publish() a kind.
  virtual void publish(const std::string& /*channel*/, const std::string& /*data*/) {}
  // What it was told since the last call.
  virtual std::vector<Heard> hear() = 0;
  virtual FakeClient& link() = 0;
};

// A test of AdapterContract whose rule the protocol does not keep yet, and what to write for it.
struct UnwrittenRule {
  std::string test;
  std::string rule;
};

// A protocol under test. Its factory asks `access` for permissions.
class AdapterRig {
 public:
  virtual ~AdapterRig() = default;
  virtual const session::AdapterFactory& factory() const = 0;
  virtual std::unique_ptr<ProtocolClient> client() = 0;

  // Whether a client can go on where an earlier connection ended.
  virtual bool resumes() const { return true; }
  // Well-formed messages that a client may send, for the garbage to be made of.
  virtual std::vector<std::string> samples() const { return {}; }

  // What a client publishes by its protocol; nothing: it only listens.
  virtual std::optional<hub::ContentKind> publishes() const { return std::nullopt; }
  // How a payload comes out of hear(). Nothing: a gap is told in its place.
  virtual std::optional<std::string> shows(hub::ContentKind kind, const std::string& data) const {
    if (kind == hub::ContentKind::kBinary) return std::nullopt;
    return data;
  }
  // What a client would show to go on from a position that it was never told, and the other way
  // round. For protocols that resume.
  virtual std::string resume_at(const hub::StreamPosition&) const { return {}; }
  virtual hub::StreamPosition position_of(const std::string& /*resume*/) const { return {}; }
  // Whether its clients are present in what they follow, and are told who else is.
  virtual bool has_presence() const { return false; }
  // Whether the protocol asks for permissions: only an example may not.
  virtual bool asks_permission() const { return true; }
  // What is still to be written; such tests fail with these words, and the protocol is not paired
  // with others before the list is empty. See docs/adding-a-protocol.md.
  virtual std::vector<UnwrittenRule> unwritten() const { return {}; }

  FakeAccess access;
};

struct RegisteredRig {
  std::string name;
  std::function<std::unique_ptr<AdapterRig>()> make;
};
inline void PrintTo(const RegisteredRig& rig, std::ostream* out) { *out << rig.name; }

// Those of the files that this binary was linked from.
inline std::vector<RegisteredRig>& registered_rigs() {
  static std::vector<RegisteredRig> rigs;
  return rigs;
}

class RegisterRig {
 public:
  RegisterRig(std::string name, std::function<std::unique_ptr<AdapterRig>()> make) {
    registered_rigs().push_back({std::move(name), std::move(make)});
  }
};

// Shared by the suites.
void publish_numbers(SessionWorld& world, int from, int to);
std::vector<int> range(int from, int to);
std::vector<int> numbers(const std::vector<Heard>& heard);
size_t count(const std::vector<Heard>& heard, Heard::Kind kind);
std::string resume_after(const std::vector<Heard>& heard, std::string before);

}  // namespace parley::testing
