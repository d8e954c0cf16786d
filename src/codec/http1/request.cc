#include "codec/http1/request.h"

#include "codec/http1/syntax.h"
#include "codec/http1/uri.h"

namespace parley::codec::http1 {

std::string_view Request::header(std::string_view name) const {
  for (const auto& header : headers)
    if (equals_ignoring_case(header.name, name)) return header.value;
  return {};
}

std::optional<std::string> Request::query_param(std::string_view name) const {
  return find_query_param(query, name);
}

}  // namespace parley::codec::http1
