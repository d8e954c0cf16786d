#include "adapter/eventsource/publish.h"

#include <algorithm>

#include "adapter/eventsource/dialect.h"
#include "base/utf8.h"
#include "codec/json/validate.h"

namespace parley::adapter::eventsource {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

// The media type without parameters, in lower case (RFC 9110 8.3.1).
std::string media_type(std::string_view content_type) {
  std::string type(content_type.substr(0, content_type.find(';')));
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  std::erase_if(type, is_space);
  std::ranges::transform(type, type.begin(), lower);
  return type;
}

hub::ContentKind kind_of(std::string_view content_type) {
  const std::string type = media_type(content_type);
  if (type == "application/json" || type.ends_with("+json")) return hub::ContentKind::kJson;
  return type.starts_with("text/") ? hub::ContentKind::kText : hub::ContentKind::kBinary;
}

bool is_key(std::string_view key) {
  return key.size() <= kMaxIdempotencyKey &&
         std::ranges::all_of(key, [](char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace

std::optional<PublishError> check_publish(const auth::Access& access, const auth::Principal& who,
                                          std::string_view channel) {
  if (who.user.empty() && !access.anonymous_may_connect())
    return PublishError{401, "credentials are needed"};
  switch (access.check(who, channel, auth::Verb::kPublish)) {
    case auth::Verdict::kAllow:
      return std::nullopt;
    case auth::Verdict::kDeny:
      break;
    case auth::Verdict::kUnknownChannel:
      return PublishError{404, "no such channel"};
    case auth::Verdict::kBadName:
      return PublishError{400, "no channel can have this name"};
  }
  return PublishError{403, "not allowed to publish here"};
}

std::expected<hub::PublishRecord, PublishError> make_publication(const PublishRequest& request,
                                                                 const auth::Principal& who) {
  auto publication = std::make_unique<hub::Publication>();
  publication->kind = kind_of(request.content_type);
  if (publication->kind == hub::ContentKind::kJson && !codec::json::is_valid(request.body))
    return std::unexpected(PublishError{400, "the body is not valid JSON"});
  if (publication->kind == hub::ContentKind::kText && !is_valid_utf8(request.body))
    return std::unexpected(PublishError{400, "the text is not valid UTF-8"});
  if (!request.event.empty() && !is_event_name(request.event))
    return std::unexpected(PublishError{400, "Parley-Event is not a name that an event may have"});
  if (!is_key(request.idempotency_key))
    return std::unexpected(
        PublishError{400, "Idempotency-Key must be at most 255 printable ASCII characters"});
  publication->data = request.body;
  publication->event = request.event;
  hub::PublishRecord record{.channel = {.name = std::string(request.channel)}};
  record.publication = std::move(publication);
  record.principal = who.user;
  record.idempotency_key = request.idempotency_key;
  return record;
}

void append_published(const hub::Published& published, Buffer& out) {
  // An epoch's text has no character that JSON escapes.
  out.append("{\"epoch\":\"").append(hub::to_string(published.position.epoch));
  out.append("\",\"offset\":");
  append_uint(out, published.position.offset);
  out.push_back('}');
}

PublishError publish_error(hub::HubError error) {
  switch (error) {
    case hub::HubError::kUnknownChannel:
      return {404, "no such channel"};
    case hub::HubError::kNotAvailable:
      return {404, "the channel does not offer this"};
    case hub::HubError::kUnsupportedKind:
      return {415, "the channel does not take this content type"};
    case hub::HubError::kIdempotencyConflict:
      return {409, "the idempotency key was used with another message"};
    case hub::HubError::kOverloaded:
      return {503, "overloaded, not published; try again later"};
    case hub::HubError::kUnavailable:
      break;
  }
  return {503, "unavailable; whether it was published is not known"};
}

}  // namespace parley::adapter::eventsource
