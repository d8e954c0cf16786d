// What client models need of the world around them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hub/epoch.h"
#include "session/transport_link.h"
#include "tests/sim/ledger.h"
#include "tests/sim/line.h"
#include "tests/sim/simulation.h"

namespace parley::sim {

enum class Door : uint8_t { kCentrifuge, kEventSource };

// A channel of the world as its clients know it.
struct KnownChannel {
  std::string name;
  bool told = true;  // gaps in it are told to everybody
  hub::OverflowOptions overflow{};
  bool recovers = true;  // ... and clients may come back with a position
  bool delta = false;    // clients may ask for deltas and filters
  uint32_t window = 0;   // what its history keeps
};

// Implemented by the world; outlives its clients.
class Host {
 public:
  virtual ~Host() = default;
  virtual Simulation& sim() = 0;
  virtual Ledger& ledger() = 0;
  virtual const std::vector<KnownChannel>& channels() const = 0;
  // Asks some shard to take the client. False: nobody is there.
  virtual bool connect(const std::shared_ptr<Line>& line, Door door,
                       const session::Handshake& handshake) = 0;
  virtual LineOptions line_options() = 0;
  // No more faults, and nobody starts anything: the world comes to rest.
  virtual bool calm() const = 0;
  // A client that stood there was told that it does not recover: was that so?
  virtual void check_unrecovered(const std::string& who, const KnownChannel& channel,
                                 const hub::StreamPosition& position) = 0;
  // A client was told that everything up to `to` is gone.
  virtual void check_gone(const std::string& who, const std::string& channel,
                          const hub::Epoch& epoch, uint64_t to) = 0;
};

// A client model. Owner: the world.
class Client : public LineUser {
 public:
  ~Client() override = default;
  // Does something that clients do, and some that they should not.
  virtual void act() = 0;
  // Begins to connect, if it does not.
  virtual void start() = 0;
  // Goes for good.
  virtual void leave() = 0;
  virtual Line* line() = 0;
  // Connected, and subscribed to everything that it wants.
  virtual bool settled() const = 0;
  // What keeps it from that, for people.
  virtual std::string state() const = 0;
  // Channels that it reads now, and where it stands in them.
  struct Reading {
    const KnownChannel* channel;
    hub::StreamPosition position;
    std::string last_data;
    bool filtered = false;  // sees only some of it
  };
  virtual std::vector<Reading> reading() const = 0;
  virtual uint64_t delivered() const = 0;
  virtual uint64_t gaps() const = 0;
  virtual uint64_t recoveries() const = 0;
};

}  // namespace parley::sim
