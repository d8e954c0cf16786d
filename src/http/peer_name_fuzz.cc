// What says who a peer is: addresses, and the Origin and Host of a page.
#include <cstdlib>

#include "base/bytes.h"
#include "http/origin_policy.h"
#include "io/address.h"

namespace {

using namespace parley;

void require(bool condition) {
  if (!condition) std::abort();
}

void address(std::string_view text) {
  const auto parsed = io::Address::parse(text);
  if (!parsed) return;
  const auto again = io::Address::parse(parsed->to_string());
  require(again && *again == *parsed);
  sockaddr_storage storage;
  require(parsed->to_sockaddr(storage) > 0);
  // Only ::ffff:1.2.3.4 comes back as another one.
  const io::Address back = io::Address::from(storage);
  require(back == *parsed || (parsed->is_v6() && !back.is_v6()));
  require(back.port() == parsed->port());
}

void origin(std::string_view page, std::string_view host) {
  static const http::OriginPolicy own_only, some({"https://*.example.com", "http://one?.test:80"});
  if (own_only.allows(page, host)) {
    require(page.empty() || !host.empty());
    require(some.allows(page, host));
  } else if (some.allows(page, host)) {
    require(page.find_first_of("/@?#\\ ", page.find("://") + 3) == page.npos);
  }
}

void machine(std::string_view page, std::string_view host) {
  const codec::http1::Request request{
      .headers = {{"host", std::string(host)}, {"ORIGIN", std::string(page)}}};
  if (!http::is_from_this_machine(request)) return;
  // A name that somebody else could own never passes.
  require(host.find("evil") == host.npos || host.starts_with("[::1]") ||
          host.find(':') < host.find("evil"));
}

}  // namespace

// The first line is the origin, the rest the host; and all of it an address.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  address(text);
  const std::string_view page = text.substr(0, text.find('\n'));
  const std::string_view host = text.substr(std::min(page.size() + 1, text.size()));
  origin(page, host);
  machine(page, host);
  return 0;
}
