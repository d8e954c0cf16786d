#include "auth/jwk.h"

#include <optional>

#include <fmt/format.h>

#include "base/base64.h"

namespace parley::auth {
namespace {

// The members that count, still as text.
struct Members {
  std::string kty, use, alg, kid, crv, n, e, x, y, k;
  bool is_private = false;
  bool verifies = true;  // by key_ops
};

constexpr std::pair<std::string_view, std::string Members::*> kMembers[] = {
    {"kty", &Members::kty}, {"use", &Members::use}, {"alg", &Members::alg}, {"kid", &Members::kid},
    {"crv", &Members::crv}, {"n", &Members::n},     {"e", &Members::e},     {"x", &Members::x},
    {"y", &Members::y},     {"k", &Members::k}};

void read_operations(codec::json::Reader& reader, Members& out) {
  out.verifies = false;
  std::string_view operation;
  if (!reader.array()) return;
  while (reader.element())
    if (reader.string(operation) && operation == "verify") out.verifies = true;
}

void read_member(codec::json::Reader& reader, std::string_view key, Members& out) {
  if (key == "d") out.is_private = true;
  if (key == "key_ops") return read_operations(reader, out);
  std::string_view value;
  for (const auto& [name, member] : kMembers)
    if (key == name && reader.string(value)) out.*member = value;
}

Result<Buffer> decoded(std::string_view name, const std::string& text) {
  auto bytes = decode_base64url(text);
  if (!bytes || bytes->empty()) return fail(fmt::format("its \"{}\" is not base64url", name));
  return std::move(*bytes);
}

Result<VerifyingKey> key_of(const Members& members, JwkSource source) {
  if (members.is_private) return fail("it is a private key; the public one is needed");
  if (members.kty == "RSA")
    return VerifyingKey::from_rsa(TRY(decoded("n", members.n)), TRY(decoded("e", members.e)));
  if (members.kty == "EC")
    return VerifyingKey::from_ec(members.crv, TRY(decoded("x", members.x)),
                                 TRY(decoded("y", members.y)));
  if (members.kty == "OKP" && members.crv == "Ed25519")
    return VerifyingKey::from_ed25519(TRY(decoded("x", members.x)));
  if (members.kty == "OKP")
    return fail(fmt::format("the curve \"{}\" is unknown: Ed25519 is taken", members.crv));
  if (members.kty == "oct" && source == JwkSource::kConfiguration)
    return VerifyingKey::from_secret(TRY(decoded("k", members.k)));
  return fail(fmt::format("its kty \"{}\" is not taken", members.kty));
}

}  // namespace

Result<Jwk> parse_jwk(ByteView json, JwkSource source) {
  codec::json::Scratch scratch;
  codec::json::Reader reader(json, scratch);
  Members members;
  if (reader.object())
    for (std::string_view key; reader.key(key);) read_member(reader, key, members);
  if (!reader.finish())
    return fail("it is not a JSON Web Key: not an object with the right members");
  if (!members.use.empty() && members.use != "sig")
    return fail(fmt::format("it is for \"{}\", not for signatures", members.use));
  if (!members.verifies) return fail("its key_ops do not name \"verify\"");
  Jwk made{.kid = members.kid, .key = TRY(key_of(members, source))};
  if (members.alg.empty()) return made;
  const Algorithm* algorithm = find_algorithm(members.alg);
  if (algorithm == nullptr || !made.key.accepts(*algorithm))
    return fail(fmt::format("a key of this kind is not for the algorithm \"{}\"", members.alg));
  made.key.pin(*algorithm);
  return made;
}

}  // namespace parley::auth
