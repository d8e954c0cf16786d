#include "transport/push/first_answer.h"

#include <algorithm>
#include <vector>

#include "base/check.h"
#include "transport/push/meters.h"

namespace parley::transport::push {
namespace {

using session::EndReason;

struct Row {
  EndReason reason;
  Refusal refusal;
};
constexpr Row kRefusals[] = {
    {EndReason::kUnauthorized, {401, "no or bad credentials"}},
    {EndReason::kBadRequest, {400, "bad request"}},
    {EndReason::kNotAvailable, {404, "not available"}},
    {EndReason::kTooManyRequests, {429, "too many requests"}},
    {EndReason::kLimit, {429, "above a limit"}},
    {EndReason::kUserLimit, {429, "too many connections of this user"}},
    {EndReason::kShutdown, {503, "the server stops"}},
};
constexpr Refusal kOtherRefusal{500, "internal error"};

}  // namespace

Refusal refusal_for(EndReason reason, const session::EndCode& code) {
  if (code.code >= 400 && code.code <= 599) return {code.code, code.text};
  const auto* found = std::ranges::find(kRefusals, reason, &Row::reason);
  return found != std::end(kRefusals) ? found->refusal : kOtherRefusal;
}

Buffer FirstAnswer::refusal(EndReason reason, const session::EndCode& code) const {
  const Refusal refusal = refusal_for(reason, code);
  meters::count_refusal(reason, refusal.status);
  std::vector<codec::http1::HeaderView> headers = {{"Content-Type", "text/plain; charset=utf-8"}};
  if (!origin.empty())
    headers.insert(headers.end(), {{"Access-Control-Allow-Origin", origin},
                                   {"Access-Control-Allow-Credentials", "true"},
                                   {"Vary", "Origin"}});
  if (refusal.status == 401) headers.push_back({"WWW-Authenticate", "Bearer"});
  Buffer out;
  // The origin passed the decoder, so the head is well-formed.
  CHECK(codec::http1::encode_response_head(refusal.status, headers,
                                           {.kind = codec::http1::ResponseFraming::Kind::kLength,
                                            .length = refusal.text.size() + 1,
                                            .close = true},
                                           out));
  return out.append(refusal.text).append("\n");
}

}  // namespace parley::transport::push
