// Tokens in HTTP requests.
#pragma once

#include <string_view>

namespace parley::auth {

// What a header `Authorization: Bearer TOKEN` shows (RFC 6750 2.1); "" when it shows none.
std::string_view bearer_token(std::string_view authorization);

}  // namespace parley::auth
