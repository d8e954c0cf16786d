#include "codec/websocket/handshake.h"

#include <algorithm>
#include <array>

#include <openssl/evp.h>

#include "base/base64.h"
#include "base/check.h"
#include "codec/websocket/header_text.h"

namespace parley::codec::websocket {
namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::string_view kVersion = "13";
constexpr size_t kKeyCharacters = 24;  // base64 of 16 bytes
constexpr size_t kKeyBytes = 16;

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Takes the next element of a comma separated list (RFC 9110 5.6.1), trimmed; maybe empty.
std::string_view next_element(std::string_view& list) {
  const size_t comma = std::min(list.find(','), list.size());
  const auto element = trim(list.substr(0, comma));
  list.remove_prefix(std::min(comma + 1, list.size()));
  return element;
}

bool list_contains(std::string_view list, std::string_view lower_case) {
  while (!list.empty())
    if (equals_ignoring_case(next_element(list), lower_case)) return true;
  return false;
}

bool is_valid_key(std::string_view key) {
  if (key.size() != kKeyCharacters) return false;
  const auto bytes = decode_base64(key);
  return bytes && bytes->size() == kKeyBytes;
}

// Empty when nothing matches.
Result<std::string_view, HandshakeError> choose_subprotocol(
    std::string_view offers, std::span<const std::string_view> known) {
  std::string_view chosen;
  while (!offers.empty()) {
    const auto offer = next_element(offers);
    if (!std::ranges::all_of(offer, is_token_character))
      return std::unexpected(HandshakeError{400, "malformed Sec-WebSocket-Protocol"});
    if (!chosen.empty()) continue;
    if (const auto found = std::ranges::find(known, offer); found != known.end()) chosen = *found;
  }
  return chosen;
}

}  // namespace

std::string accept_key(std::string_view key) {
  // Fetched once: an implicit fetch takes OpenSSL longer than the digest.
  static const EVP_MD* const sha1 = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  std::string text;
  text.reserve(key.size() + kGuid.size());
  text.append(key).append(kGuid);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  CHECK(EVP_Digest(text.data(), text.size(), digest.data(), &size, sha1, nullptr) == 1);
  std::string out;
  append_base64(out, {reinterpret_cast<const char*>(digest.data()), size});
  return out;
}

Result<HandshakeAccept, HandshakeError> accept_handshake(
    const HandshakeRequest& request, std::span<const std::string_view> subprotocols, bool deflate) {
  const auto refuse = [](int status, const char* message) {
    return std::unexpected(HandshakeError{status, message});
  };
  if (request.method != "GET") return refuse(400, "a WebSocket handshake is a GET request");
  if (request.http_minor < 1) return refuse(400, "a WebSocket handshake needs HTTP/1.1");
  if (!list_contains(request.upgrade, "websocket"))
    return refuse(426, "this address speaks WebSocket: Upgrade: websocket is missing");
  if (!list_contains(request.connection, "upgrade"))
    return refuse(400, "Connection: Upgrade is missing");
  if (request.version != kVersion) return refuse(426, "WebSocket version 13 is needed");
  if (!is_valid_key(request.key)) return refuse(400, "Sec-WebSocket-Key is not 16 bytes in base64");
  const auto subprotocol = choose_subprotocol(request.protocols, subprotocols);
  if (!subprotocol) return std::unexpected(subprotocol.error());
  HandshakeAccept accept{accept_key(request.key), *subprotocol, {}};
  if (!deflate) return accept;
  const auto terms = negotiate_deflate(request.extensions);
  if (!terms) return refuse(400, "malformed Sec-WebSocket-Extensions");
  accept.deflate = *terms;
  return accept;
}

}  // namespace parley::codec::websocket
