// What can be done in a channel, and which of it a token allows by itself.
#pragma once

#include <cstdint>
#include <string_view>

namespace parley::auth {

enum class Verb : uint8_t {
  kSubscribe,
  kPublish,
  kPresence,
  kHistory,
  kJoinLeave,  // to be told who comes and goes: for those who may see who is present
};

// A few of the four capabilities. A value.
class CapabilitySet {
 public:
  // By Centrifugo's names: "sub", "pub", "prs", "hst". False: there is no such capability.
  bool add(std::string_view name);
  bool covers(Verb verb) const;
  bool empty() const { return bits_ == 0; }
  bool operator==(const CapabilitySet&) const = default;

 private:
  uint8_t bits_ = 0;
};

}  // namespace parley::auth
