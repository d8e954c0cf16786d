// A key set, and one key, from anybody.
#include <cstdlib>

#include "auth/key_set.h"

namespace {

using namespace parley;
using namespace parley::auth;

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr KeySetLimits kLimits{.max_size = 4096, .max_keys = 4};
  const ByteView text(reinterpret_cast<const char*>(data), size);
  if (const auto set = KeySet::parse(text, kLimits))
    require(size <= kLimits.max_size && set->size() <= kLimits.max_keys);

  const auto fetched = parse_jwk(text, JwkSource::kKeySet);
  const auto configured = parse_jwk(text, JwkSource::kConfiguration);
  require(!fetched || configured);
  if (!configured) return 0;
  int accepted = 0;
  for (const char* name : {"HS256", "RS256", "PS512", "ES256", "ES384", "ES512", "EdDSA"}) {
    const Algorithm& algorithm = *find_algorithm(name);
    if (!configured->key.accepts(algorithm)) continue;
    ++accepted;
    require(!fetched || algorithm.family != KeyFamily::kHmac);
    require(!configured->key.verify(algorithm, text, text));
  }
  require(accepted <= 2);
  return 0;
}
