#include "auth/jwt_sign.h"

#include <array>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/base64.h"
#include "base/check.h"

namespace parley::auth {

std::string sign_hs256(ByteView claims, std::string_view secret) {
  std::string token;
  append_base64url(token, R"({"alg":"HS256","typ":"JWT"})");
  token += '.';
  append_base64url(token, claims);
  std::array<char, 32> mac{};
  unsigned int size = 0;
  CHECK(HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
             reinterpret_cast<const unsigned char*>(token.data()), token.size(),
             reinterpret_cast<unsigned char*>(mac.data()), &size) != nullptr);
  token += '.';
  append_base64url(token, ByteView(mac.data(), size));
  return token;
}

}  // namespace parley::auth
