#include "bench/target.h"

#include <array>
#include <cstring>

#include <netdb.h>

#include "base/bytes.h"

namespace parley::bench {
namespace {

struct Scheme {
  std::string_view prefix;
  std::string_view port;
};
constexpr std::array<Scheme, 3> kSchemes{{{"http://", "80"}, {"ws://", "80"}, {"nats://", "4222"}}};

}  // namespace

Result<HostAndPort> parse_target(std::string_view url) {
  const std::string whole(url);
  if (url.starts_with("https://") || url.starts_with("wss://"))
    return fail("the load generator speaks no TLS; give it the http:// address behind the proxy");
  for (const Scheme& scheme : kSchemes) {
    if (!url.starts_with(scheme.prefix)) continue;
    url.remove_prefix(scheme.prefix.size());
    url = url.substr(0, url.find('/'));
    HostAndPort out{.host = {}, .port = std::string(scheme.port), .authority = std::string(url)};
    const size_t bracket = url.rfind(']');
    const size_t colon = url.find(':', bracket == std::string_view::npos ? 0 : bracket);
    if (colon != std::string_view::npos) out.port = url.substr(colon + 1);
    out.host = url.substr(0, colon);
    if (out.host.starts_with('[') && out.host.ends_with(']'))
      out.host = out.host.substr(1, out.host.size() - 2);
    uint16_t port = 0;
    if (out.host.empty() || !parse_uint(out.port, port) || port == 0) break;
    return out;
  }
  return fail("\"" + whole + "\" is not the address of a server, such as http://127.0.0.1:8000");
}

Result<Target> resolve(std::string_view url) {
  const HostAndPort where = TRY(parse_target(url));
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(where.host.c_str(), where.port.c_str(), &hints, &found);
  if (error != 0)
    return fail("\"" + where.host + "\" has no address: " + ::gai_strerror(error) +
                "; check --url");
  Target target{.host = where.authority, .length = found->ai_addrlen};
  std::memcpy(&target.address, found->ai_addr, found->ai_addrlen);
  ::freeaddrinfo(found);
  return target;
}

}  // namespace parley::bench
