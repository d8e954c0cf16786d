// Which web pages may connect (RFC 6454, RFC 6455 10.2).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace parley::http {

// A value. Browsers name the page's origin in a header that scripts cannot forge; a request without
// one comes from no browser and passes. A page of this very host passes always.
class OriginPolicy {
 public:
  OriginPolicy() = default;
  // Exact origins ("https://example.com"), or "*" for all.
  explicit OriginPolicy(std::vector<std::string> allowed) : allowed_(std::move(allowed)) {}

  // `origin` and `host` are the request's headers, "" when missing.
  bool allows(std::string_view origin, std::string_view host) const;

 private:
  std::vector<std::string> allowed_;
};

}  // namespace parley::http
