#include "auth/algorithm.h"

namespace parley::auth {
namespace {

constexpr Algorithm kAlgorithms[] = {
    {"HS256", KeyFamily::kHmac, 256},      {"HS384", KeyFamily::kHmac, 384},
    {"HS512", KeyFamily::kHmac, 512},      {"RS256", KeyFamily::kRsa, 256},
    {"RS384", KeyFamily::kRsa, 384},       {"RS512", KeyFamily::kRsa, 512},
    {"PS256", KeyFamily::kRsa, 256, true}, {"PS384", KeyFamily::kRsa, 384, true},
    {"PS512", KeyFamily::kRsa, 512, true}, {"ES256", KeyFamily::kEc, 256},
    {"ES384", KeyFamily::kEc, 384},        {"ES512", KeyFamily::kEc, 512},
    {"EdDSA", KeyFamily::kEd25519, 0},
};

}  // namespace

const Algorithm* find_algorithm(std::string_view name) {
  for (const Algorithm& algorithm : kAlgorithms)
    if (algorithm.name == name) return &algorithm;
  return nullptr;
}

}  // namespace parley::auth
