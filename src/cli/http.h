// What the client commands need of HTTP, over libcurl.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <curl/curl.h>

#include "base/bytes.h"
#include "base/result.h"

namespace parley::cli {

struct CurlEasyFree {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct CurlListFree {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlEasy = std::unique_ptr<CURL, CurlEasyFree>;
using CurlList = std::unique_ptr<curl_slist, CurlListFree>;

// A handle with what all requests have in common; `headers` ("Name: value") must outlive it.
CurlEasy make_request(const std::string& url, const curl_slist* headers);
CurlList to_header_list(const std::vector<std::string>& headers);

struct Response {
  long status = 0;
  std::string body;
};

// Waits for the whole answer. Fails when there is none.
Result<Response> post(const std::string& server, const std::string& path,
                      const std::vector<std::string>& headers, ByteView body);

// A path segment (RFC 3986 2.1): everything but unreserved characters is escaped.
std::string percent_encode(std::string_view text);

// Why a request to the server at `url` got no answer, and what to do.
std::string explain(CURLcode code, const std::string& url);

// The sentence in an error's body: its "error" or "message" when it is JSON, else its first line.
std::string error_sentence(long status, std::string_view body);

}  // namespace parley::cli
