// POST /pub/<channel>: one publication from one HTTP request. Pure; the HTTP handler calls these.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "auth/access.h"
#include "base/bytes.h"
#include "hub/broker.h"
#include "hub/requester.h"

namespace parley::adapter::eventsource {

// An answer that is not 200, and what is wrong in one line for the publisher.
struct PublishError {
  int status = 400;
  std::string text;
};

// What the request shows; "" stands for a header that is missing.
struct PublishRequest {
  std::string_view channel;  // percent-decoded
  std::string_view content_type;
  ByteView body;
  std::string_view idempotency_key;  // Idempotency-Key
  std::string_view event;            // Parley-Event
};

// Nothing: `who` may publish there.
std::optional<PublishError> check_publish(const auth::Access& access, const auth::Principal& who,
                                          std::string_view channel);

// application/json and +json: JSON, validated; text/*: text in UTF-8; anything else, or no type at
// all: binary.
std::expected<hub::PublishRecord, PublishError> make_publication(const PublishRequest& request,
                                                                 const auth::Principal& who);

// The hub's answer, as the response's JSON body or as an error.
void append_published(const hub::Published& published, Buffer& out);
PublishError publish_error(hub::HubError error);

inline constexpr size_t kMaxIdempotencyKey = 255;

}  // namespace parley::adapter::eventsource
