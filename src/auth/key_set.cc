#include "auth/key_set.h"

#include <fmt/format.h>

namespace parley::auth {

Result<KeySet> KeySet::parse(ByteView json, const KeySetLimits& limits) {
  if (json.size() > limits.max_size)
    return fail(fmt::format("the key set is larger than {} bytes", limits.max_size));
  codec::json::Scratch scratch;
  codec::json::Reader reader(json, scratch);
  std::vector<ByteView> texts;
  bool has_keys = false;
  if (reader.object()) {
    for (std::string_view key; reader.key(key);) {
      if (key != "keys" || !reader.array()) continue;
      has_keys = true;
      while (reader.element() && texts.size() <= limits.max_keys) texts.push_back(reader.raw());
      if (texts.size() > limits.max_keys)
        return fail(fmt::format("the key set holds more than {} keys", limits.max_keys));
    }
  }
  if (!reader.finish() || !has_keys)
    return fail("it is not a key set: a JSON object with an array \"keys\"");
  KeySet set;
  for (const ByteView text : texts)
    if (auto jwk = parse_jwk(text, JwkSource::kKeySet); jwk && !jwk->kid.empty())
      set.keys_.push_back(std::move(*jwk));
  return set;
}

const VerifyingKey* KeySet::find(std::string_view kid, const Algorithm& algorithm) const {
  for (const Jwk& jwk : keys_)
    if (jwk.kid == kid && jwk.key.accepts(algorithm)) return &jwk.key;
  return nullptr;
}

}  // namespace parley::auth
