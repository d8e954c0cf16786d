#include "http_api/answer.h"

#include "http/exchange.h"

namespace parley::http_api {

Answer overloaded(Buffer body) {
  return {.status = 503,
          .content_type = body.empty() ? std::string_view() : kJsonType,
          .body = std::move(body),
          .headers = {{"Retry-After", std::string(kRetryAfterSeconds)}}};
}

Answer too_often(Buffer body) {
  Answer answer = overloaded(std::move(body));
  answer.status = 429;
  return answer;
}

ReplyTo reply_to(http::Exchange& exchange) {
  return [ref = exchange.defer()](const Answer& answer) {
    std::vector<http::HeaderView> headers;
    headers.reserve(answer.headers.size());
    for (const Header& header : answer.headers) headers.push_back({header.name, header.value});
    ref.respond(answer.status, answer.content_type, answer.body, headers);
  };
}

}  // namespace parley::http_api
