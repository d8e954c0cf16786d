// A JSON Web Key Set (RFC 7517 5).
#pragma once

#include <memory>
#include <vector>

#include "auth/jwk.h"

namespace parley::auth {

struct KeySetLimits {
  size_t max_size = 256 * 1024;
  size_t max_keys = 100;
};

// What: the verifying keys of one document. Keys that are of an unknown kind, not for signatures,
// without `kid`, weak or broken are left out: one bad key must not take the good ones along. A
// value. Failure: parse() says why the document is none.
class KeySet {
 public:
  static Result<KeySet> parse(ByteView json, const KeySetLimits& limits);

  // nullptr when no key of that name accepts the algorithm.
  const VerifyingKey* find(std::string_view kid, const Algorithm& algorithm) const;
  size_t size() const { return keys_.size(); }

 private:
  std::vector<Jwk> keys_;
};

}  // namespace parley::auth
