// POST /pub: whatever headers and body, what is accepted is what it is said to be.
#include <cstdlib>

#include "base/utf8.h"
#include "codec/json/validate.h"
#include "http_api/api_key.h"
#include "http_api/publish_request.h"

namespace {

using namespace parley;
using namespace parley::http_api;

void require(bool condition) {
  if (!condition) std::abort();
}

std::string take_line(ByteView& text) {
  const std::string line(text.substr(0, text.find('\n')));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

}  // namespace

// Three lines: content type, idempotency key, event name; one for the API key; then the body.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ByteView text(reinterpret_cast<const char*>(data), size);
  codec::http1::Request request;
  for (const char* name : {"Content-Type", "Idempotency-Key", "Parley-Event"})
    request.headers.push_back({name, take_line(text)});
  const std::string key = take_line(text);
  request.headers.push_back({"Authorization", "apikey " + key});
  request.query = key;
  request.body = text;
  if (ApiKey("the key").admits(request))
    require(key.find("the key") != key.npos || key.find_first_of("%+") != key.npos);
  require(!ApiKey("").admits(request));

  const auto taken = read_publish_request(request);
  if (!taken) {
    require(!taken.error().message.empty() && request.body == text);
    return 0;
  }
  const hub::Publication& publication = *taken->publication;
  require(publication.data == text && !text.empty());
  if (publication.kind == hub::ContentKind::kJson) require(codec::json::is_valid(text));
  if (publication.kind == hub::ContentKind::kText) require(is_valid_utf8(text));
  require(taken->idempotency_key.size() <= kMaxIdempotencyKey);
  require(publication.event.size() <= kMaxEventName && is_valid_utf8(publication.event));
  return 0;
}
