#include "http/meters.h"

#include <algorithm>
#include <array>

namespace parley::http::meters {
namespace {

constexpr std::string_view kName = "parley_http_responses_total";
constexpr std::string_view kHelp = "Responses to HTTP requests, by class of status";

// From 2xx on: a 100 is no answer, and a 101 is counted as taken over.
metrics::Counter by_class[] = {
    {kName, kHelp, {{"class", "2xx"}}},
    {kName, kHelp, {{"class", "3xx"}}},
    {kName, kHelp, {{"class", "4xx"}}},
    {kName, kHelp, {{"class", "5xx"}}},
};

using codec::http1::DecodeError;

// DecodeError's names without kNone, then those of Refusal.
constexpr size_t kErrors = codec::http1::kDecodeErrors - 1;
constexpr std::string_view kRefusals[] = {"bad_path", "not_found", "method_not_allowed",
                                          "foreign_page"};
std::array<std::string_view, kErrors + std::size(kRefusals)> reasons() {
  std::array<std::string_view, kErrors + std::size(kRefusals)> all;
  for (size_t i = 0; i < kErrors; ++i) all[i] = name(static_cast<DecodeError>(i + 1));
  std::ranges::copy(kRefusals, all.begin() + kErrors);
  return all;
}

constexpr std::string_view kLate[] = {"first_request", "headers", "body", "next_request", "write"};

metrics::CounterFamily rejected("parley_http_rejected_total",
                                "Requests refused before a handler saw them", "reason", reasons());

}  // namespace

void count_response(int status) { by_class[std::clamp(status / 100 - 2, 0, 3)].add(); }

void count_refusal(Refusal refusal) { rejected.add(kErrors + static_cast<size_t>(refusal)); }

void count_refusal(DecodeError error) { rejected.add(static_cast<size_t>(error) - 1); }

void count_unrouted(int status) {
  count_refusal(status == 400   ? Refusal::kBadPath
                : status == 405 ? Refusal::kMethodNotAllowed
                                : Refusal::kNotFound);
}

metrics::Gauge open_connections("parley_http_connections",
                                "Open connections that speak HTTP, without those taken over");
metrics::Counter taken_over("parley_http_taken_over_total",
                            "Requests whose connection was handed to another transport");
metrics::CounterFamily timeouts("parley_http_timeouts_total",
                                "Connections ended because the peer did not send, or read, in time",
                                "waiting_for", kLate);
metrics::Counter output_pauses("parley_http_output_pauses_total",
                               "Times a connection was not served on because it did not read");

}  // namespace parley::http::meters
