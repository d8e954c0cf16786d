// One decoded request.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace parley::codec::http1 {

struct Header {
  std::string name;   // as sent; compared without case
  std::string value;  // without surrounding white space
};

// A plain value: owns its bytes, belongs to whoever holds it, and can be moved out of the decoder.
// `path` and `query` are raw (not decoded); trailers of a chunked body are not kept.
struct Request {
  std::string method;
  std::string target;  // as sent
  std::string path;
  std::string query;
  int minor_version = 1;
  std::vector<Header> headers;
  std::string body;
  bool keep_alive = true;
  bool upgrade = false;          // HTTP/1.1 with "Connection: upgrade"
  bool expect_continue = false;  // HTTP/1.1 with "Expect: 100-continue" and a body to come

  // The first header of that name, "" when it is missing.
  std::string_view header(std::string_view name) const;
  // The first query parameter of that name, decoded; nothing when missing or malformed.
  std::optional<std::string> query_param(std::string_view name) const;
};

}  // namespace parley::codec::http1
