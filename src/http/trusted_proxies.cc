#include "http/trusted_proxies.h"

#include <algorithm>
#include <ranges>

#include "codec/http1/syntax.h"

namespace parley::http {
namespace {

constexpr std::string_view kHeader = "X-Forwarded-For";
// More proxies in a row than anybody has; behind them nobody is looked for.
constexpr int kMostHops = 16;

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

Result<TrustedProxies> TrustedProxies::parse(std::span<const std::string> networks) {
  TrustedProxies proxies;
  for (const std::string& text : networks)
    proxies.networks_.push_back(TRY(io::Network::parse(text)));
  return proxies;
}

bool TrustedProxies::trusts(const io::PeerAddress& address) const {
  return std::ranges::any_of(networks_,
                             [&](const io::Network& one) { return one.contains(address); });
}

io::PeerAddress TrustedProxies::client_of(const io::PeerAddress& peer,
                                          const codec::http1::Request& request) const {
  if (networks_.empty() || !trusts(peer)) return peer;
  io::PeerAddress client = peer;
  int hops = 0;
  for (const auto& header : std::views::reverse(request.headers)) {
    if (!codec::http1::equals_ignoring_case(header.name, kHeader)) continue;
    for (std::string_view left = header.value;;) {
      const size_t comma = left.rfind(',');
      const auto said = io::PeerAddress::parse_peer(trimmed(left.substr(comma + 1)));
      if (!said || ++hops > kMostHops) return client;
      client = *said;
      if (!trusts(client)) return client;
      if (comma == left.npos) break;
      left = left.substr(0, comma);
    }
  }
  return client;
}

}  // namespace parley::http
