// What one client is promised in one channel, checked with everything that it is given.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "tests/sim/ledger.h"

namespace parley::sim {

// What: a reader's position, moved by what it is told. Fails the simulation at the first thing that
// breaks order, comes twice, is missing without a word, or never was. Owner: a client model, one
// for each channel that it ever subscribed to.
class ReaderCheck {
 public:
  // Whether the reader wants a publication with that tag.
  using Wanted = std::function<bool(const std::string& tag)>;

  ReaderCheck(Simulation& sim, Ledger& ledger, std::string reader, std::string channel)
      : sim_(sim),
        ledger_(ledger),
        name_(std::move(reader)),
        channel_(std::move(channel)),
        reader_(name_) {}

  // Gaps are told to this one; the others are only promised order.
  void set_told(bool told) { told_ = told; }
  // What it is told as conflated must have been replaced by what is to come.
  void set_overflow(const hub::OverflowOptions& overflow) { overflow_ = overflow; }
  void set_filter(Wanted wanted) { wanted_ = std::move(wanted); }
  void set_tag(const std::string& tag) { tag_ = tag; }

  // It reads from here on, and what came before is not its matter. `anew`: it cannot come back with
  // a position, so that it may be given what it had on a shard that was ahead.
  void start(const hub::StreamPosition& position, bool anew = false);
  // It goes on where it stood; `epoch`: if it is told.
  void resume(const hub::Epoch& epoch);
  // Nothing more comes; the client goes for good.
  void stop();
  void end();
  // Everything up to the position is known to be missing, or is not its matter.
  void skip_to(const hub::StreamPosition& position);
  void deliver(const std::string& data, std::optional<uint64_t> offset,
               std::optional<hub::Epoch> epoch);
  void tell_gap(uint64_t from, uint64_t to, std::string_view reason,
                const hub::StreamPosition& resume);

  const hub::StreamPosition& position() const { return position_; }
  bool placed() const { return placed_; }
  uint64_t delivered() const { return delivered_; }
  uint64_t gaps() const { return gaps_; }
  const std::string& last_data() const { return last_data_; }

 private:
  void fail(const std::string& what);
  void tell_subscribed(const hub::StreamPosition& position, bool recovered);
  void check_chain(const Entry& entry);
  void check_conflated(uint64_t from, uint64_t to, const hub::Epoch& epoch);

  Simulation& sim_;
  Ledger& ledger_;
  const std::string name_, channel_;
  std::string reader_;  // its name in the history
  uint64_t starts_ = 0;
  hub::OverflowOptions overflow_;
  Wanted wanted_;
  std::string tag_;
  hub::StreamPosition position_;
  std::string last_data_;
  uint64_t delivered_ = 0;
  uint64_t gaps_ = 0;
  bool placed_ = false;
  bool told_ = true;
};

}  // namespace parley::sim
