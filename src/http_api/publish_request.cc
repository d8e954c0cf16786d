#include "http_api/publish_request.h"

#include <algorithm>
#include <optional>

#include "base/utf8.h"
#include "codec/http1/syntax.h"
#include "codec/json/validate.h"
#include "http_api/json_fault.h"

namespace parley::http_api {
namespace {

using codec::http1::equals_ignoring_case;
using hub::ContentKind;

constexpr std::string_view kFormType = "application/x-www-form-urlencoded";

bool starts_with_ignoring_case(std::string_view text, std::string_view start) {
  return equals_ignoring_case(text.substr(0, start.size()), start);
}

bool ends_with_ignoring_case(std::string_view text, std::string_view end) {
  return text.size() >= end.size() &&
         equals_ignoring_case(text.substr(text.size() - end.size()), end);
}

// What the media type declares; nothing when the sender did not choose one.
std::optional<ContentKind> declared_kind(std::string_view content_type) {
  const auto type = codec::http1::trim_whitespace(content_type.substr(0, content_type.find(';')));
  if (type.empty() || equals_ignoring_case(type, kFormType)) return std::nullopt;
  if (equals_ignoring_case(type, "application/json") || ends_with_ignoring_case(type, "+json"))
    return ContentKind::kJson;
  return starts_with_ignoring_case(type, "text/") ? ContentKind::kText : ContentKind::kBinary;
}

ContentKind guessed_kind(ByteView body) {
  if (codec::json::is_valid(body)) return ContentKind::kJson;
  return is_valid_utf8(body) ? ContentKind::kText : ContentKind::kBinary;
}

std::expected<ContentKind, BadPublish> kind_of(std::string_view content_type, ByteView body) {
  const auto declared = declared_kind(content_type);
  if (!declared) return guessed_kind(body);
  if (*declared == ContentKind::kJson && !codec::json::is_valid(body))
    return std::unexpected(BadPublish{"the body is not JSON: see " + json_fault_place(body)});
  if (*declared == ContentKind::kText && !is_valid_utf8(body))
    return std::unexpected(BadPublish{"the body is not UTF-8 text"});
  return *declared;
}

bool is_event_name(std::string_view name) {
  return name.size() <= kMaxEventName && is_valid_utf8(name) &&
         std::ranges::none_of(name, [](char c) { return c == '\t'; });
}

}  // namespace

std::expected<PublishRequest, BadPublish> read_publish_request(codec::http1::Request& request) {
  const auto bad = [](std::string message) {
    return std::unexpected(BadPublish{std::move(message)});
  };
  const auto key = request.header("Idempotency-Key");
  const auto event = request.header("Parley-Event");
  if (key.size() > kMaxIdempotencyKey) return bad("Idempotency-Key is longer than 256 bytes");
  if (!is_event_name(event)) return bad("Parley-Event is not a UTF-8 name of up to 256 bytes");
  if (request.body.empty()) return bad("the body is empty: it is what is published");
  const auto kind = kind_of(request.header("Content-Type"), request.body);
  if (!kind) return std::unexpected(kind.error());
  PublishRequest out{std::make_unique<hub::Publication>(), std::string(key)};
  out.publication->kind = *kind;
  out.publication->event = event;
  out.publication->data = std::move(request.body);
  return out;
}

}  // namespace parley::http_api
