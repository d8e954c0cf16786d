#include "auth/capability_set.h"

namespace parley::auth {
namespace {

constexpr uint8_t bit(Verb verb) { return static_cast<uint8_t>(1u << static_cast<unsigned>(verb)); }

struct Name {
  std::string_view name;
  uint8_t bits;
};
// Who may see who is present may be told of joins and leaves.
constexpr Name kNames[] = {
    {"sub", bit(Verb::kSubscribe)},
    {"pub", bit(Verb::kPublish)},
    {"prs", bit(Verb::kPresence) | bit(Verb::kJoinLeave)},
    {"hst", bit(Verb::kHistory)},
};

}  // namespace

bool CapabilitySet::add(std::string_view name) {
  for (const Name& known : kNames) {
    if (name != known.name) continue;
    bits_ = static_cast<uint8_t>(bits_ | known.bits);
    return true;
  }
  return false;
}

bool CapabilitySet::covers(Verb verb) const { return (bits_ & bit(verb)) != 0; }

}  // namespace parley::auth
