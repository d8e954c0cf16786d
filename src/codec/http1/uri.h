// Request targets and query strings (RFC 9112 section 3.2, RFC 3986, and the WHATWG URL standard's
// form encoding).
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/http1/decode_error.h"

namespace parley::codec::http1 {

// Views into the target. `authority` is empty unless the target is in absolute form.
struct TargetParts {
  std::string_view authority;
  std::string_view path;
  std::string_view query;
};

// Accepts origin-form, absolute-form with http or https, and "*" for OPTIONS. Any visible ASCII
// character but '#' may occur in path and query, since browsers send '{', '|' and '"' as they are.
std::expected<TargetParts, DecodeError> split_target(std::string_view method,
                                                     std::string_view target);

// The decoded form of one path segment; nothing when an escape is malformed. '+' stays '+'.
std::optional<std::string> percent_decode(std::string_view segment);

// Name and value, decoded; here '+' is a space, as URLSearchParams and HTML forms write it.
using QueryParam = std::pair<std::string, std::string>;

// All parameters in order, repeated ones too; nothing when any escape is malformed.
std::optional<std::vector<QueryParam>> parse_query(std::string_view query);

// The first parameter called `name`; nothing when it is missing or its value is malformed.
std::optional<std::string> find_query_param(std::string_view query, std::string_view name);

}  // namespace parley::codec::http1
