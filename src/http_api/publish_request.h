// What an HTTP request to publish says, whatever channel it names.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "codec/http1/request.h"
#include "hub/publication.h"

namespace parley::http_api {

struct PublishRequest {
  std::unique_ptr<hub::Publication> publication;  // kind, data and event are set
  std::string idempotency_key;
};

// Why a request cannot be published: answered 400.
struct BadPublish {
  std::string message;
};

inline constexpr size_t kMaxIdempotencyKey = 256;
inline constexpr size_t kMaxEventName = 256;

// Content-Type decides the kind: application/json and +json are JSON and checked, text/* is text
// and must be UTF-8, everything else is binary. Without a Content-Type, and with that which curl -d
// sends unasked (application/x-www-form-urlencoded), the body decides: JSON if it is JSON, else
// text if it is UTF-8, else binary. Headers: Idempotency-Key, Parley-Event. Moves the body out of
// the request only when all is well.
std::expected<PublishRequest, BadPublish> read_publish_request(codec::http1::Request& request);

}  // namespace parley::http_api
