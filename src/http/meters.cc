#include "http/meters.h"

#include <algorithm>

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

}  // namespace

void count_response(int status) { by_class[std::clamp(status / 100 - 2, 0, 3)].add(); }

metrics::Gauge open_connections("parley_http_connections",
                                "Open connections that speak HTTP, without those taken over");
metrics::Counter taken_over("parley_http_taken_over_total",
                            "Requests whose connection was handed to another transport");
metrics::Counter parse_errors("parley_http_parse_errors_total",
                              "Requests that were refused as malformed or too large");
metrics::Counter request_timeouts("parley_http_request_timeouts_total",
                                  "Requests that did not arrive whole in time");
metrics::Counter write_timeouts("parley_http_write_timeouts_total",
                                "Connections closed because the peer did not read its responses");

}  // namespace parley::http::meters
