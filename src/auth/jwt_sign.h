// Making tokens: for `parley token` and for tests.
#pragma once

#include <string>

#include "base/bytes.h"

namespace parley::auth {

// The claims, a JSON object, as a token signed with HMAC SHA-256.
std::string sign_hs256(ByteView claims, std::string_view secret);

}  // namespace parley::auth
