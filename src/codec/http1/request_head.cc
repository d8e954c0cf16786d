#include "codec/http1/request_head.h"

#include "base/bytes.h"
#include "codec/http1/syntax.h"
#include "codec/http1/uri.h"

namespace parley::codec::http1 {
namespace {

DecodeError parse_version(std::string_view text, int& minor) {
  if (text.size() != 8 || !text.starts_with("HTTP/") || !is_digit(text[5]) || text[6] != '.' ||
      !is_digit(text[7]))
    return DecodeError::kBadVersion;
  if (text[5] != '1' || text[7] > '1') return DecodeError::kVersionNotSupported;
  minor = text[7] - '0';
  return DecodeError::kNone;
}

// What finish_head gathers while it walks the headers once.
struct Facts {
  int hosts = 0;
  int origins = 0;
  int lengths = 0;
  int encodings = 0;
  int expectations = 0;
  std::string_view host;
  std::string_view length;
  std::string_view encoding;
  std::string_view expectation;
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
};

void note_connection(Facts& facts, std::string_view value) {
  any_list_element(value, [&](std::string_view option) {
    facts.close |= equals_ignoring_case(option, "close");
    facts.keep_alive |= equals_ignoring_case(option, "keep-alive");
    facts.upgrade |= equals_ignoring_case(option, "upgrade");
    return false;
  });
}

struct Rule {
  std::string_view name;
  void (*note)(Facts&, std::string_view value);
};

constexpr Rule kRules[] = {
    {"host", [](Facts& f, std::string_view v) { ++f.hosts, f.host = v; }},
    {"origin", [](Facts& f, std::string_view) { ++f.origins; }},
    {"content-length", [](Facts& f, std::string_view v) { ++f.lengths, f.length = v; }},
    {"transfer-encoding", [](Facts& f, std::string_view v) { ++f.encodings, f.encoding = v; }},
    {"expect", [](Facts& f, std::string_view v) { ++f.expectations, f.expectation = v; }},
    {"connection", note_connection},
};

Facts gather(const Request& request) {
  Facts facts;
  for (const auto& header : request.headers)
    for (const auto& rule : kRules)
      if (equals_ignoring_case(header.name, rule.name)) rule.note(facts, header.value);
  return facts;
}

DecodeError check_host(const Facts& facts, const Request& request) {
  if (facts.hosts > 1) return DecodeError::kRepeatedHost;
  if (facts.hosts == 0)
    return request.minor_version == 0 ? DecodeError::kNone : DecodeError::kMissingHost;
  if (!is_authority(facts.host)) return DecodeError::kBadHost;
  const auto target = split_target(request.method, request.target);
  if (target && !target->authority.empty() && !equals_ignoring_case(target->authority, facts.host))
    return DecodeError::kHostMismatch;
  return DecodeError::kNone;
}

std::expected<BodyFraming, DecodeError> frame_body(const Facts& facts, int minor_version) {
  if (facts.lengths > 0 && facts.encodings > 0)
    return std::unexpected(DecodeError::kAmbiguousLength);
  if (facts.lengths > 1) return std::unexpected(DecodeError::kRepeatedContentLength);
  if (facts.encodings > 0) {
    if (facts.encodings > 1 || minor_version == 0 ||
        !equals_ignoring_case(facts.encoding, "chunked"))
      return std::unexpected(DecodeError::kBadTransferEncoding);
    return BodyFraming{.chunked = true};
  }
  if (facts.lengths == 0) return BodyFraming{};
  // A leading zero is valid, but no client writes it and some servers read it as octal.
  BodyFraming framing;
  if ((facts.length.size() > 1 && facts.length.front() == '0') ||
      !parse_uint(facts.length, framing.length))
    return std::unexpected(DecodeError::kBadContentLength);
  return framing;
}

}  // namespace

DecodeError parse_request_line(std::string_view line, Request& request) {
  const size_t first = line.find(' ');
  const auto method = line.substr(0, first);
  if (!is_token(method)) return DecodeError::kBadMethod;
  request.method = method;
  if (first == std::string_view::npos) return DecodeError::kBadRequestLine;
  const auto rest = line.substr(first + 1);
  const size_t last = rest.find(' ');
  const auto target = rest.substr(0, last);
  if (last == std::string_view::npos)  // HTTP/0.9 knows only "GET /path"
    return method == "GET" && split_target(method, target) ? DecodeError::kVersionNotSupported
                                                           : DecodeError::kBadRequestLine;
  // The version is judged first: it says which grammar the rest follows.
  if (const auto error = parse_version(rest.substr(last + 1), request.minor_version);
      error != DecodeError::kNone)
    return error;
  if (method == "CONNECT") return DecodeError::kMethodNotSupported;
  const auto parts = split_target(method, target);
  if (!parts) return parts.error();
  request.target = target;
  request.path = parts->path;
  request.query = parts->query;
  return DecodeError::kNone;
}

std::expected<HeaderLine, DecodeError> parse_header_line(std::string_view line) {
  if (line.starts_with(' ') || line.starts_with('\t'))
    return std::unexpected(DecodeError::kObsoleteFold);
  const size_t colon = line.find(':');
  const auto name = line.substr(0, colon);
  if (colon == std::string_view::npos || !is_token(name))
    return std::unexpected(DecodeError::kBadHeaderName);
  const auto value = line.substr(colon + 1);
  if (!is_field_value(value)) return std::unexpected(DecodeError::kBadHeaderValue);
  return HeaderLine{name, trim_whitespace(value)};
}

std::expected<BodyFraming, DecodeError> finish_head(Request& request) {
  const Facts facts = gather(request);
  const bool is_http11 = request.minor_version == 1;
  const auto framing = frame_body(facts, request.minor_version);
  if (!framing) return framing;
  if (const auto error = check_host(facts, request); error != DecodeError::kNone)
    return std::unexpected(error);
  // Never sent by a browser (RFC 6454 7.3). Two parties that judge different ones are how a foreign
  // page gets in.
  if (facts.origins > 1) return std::unexpected(DecodeError::kRepeatedOrigin);
  if (facts.expectations > 1 ||
      (facts.expectations == 1 && !equals_ignoring_case(facts.expectation, "100-continue")))
    return std::unexpected(DecodeError::kExpectationFailed);
  request.keep_alive = !facts.close && (is_http11 || facts.keep_alive);
  // An HTTP/1.0 client understands neither, and both may come from a proxy that passed them on.
  request.upgrade = is_http11 && facts.upgrade;
  const bool has_body = framing->chunked || framing->length > 0;
  request.expect_continue = is_http11 && has_body && facts.expectations > 0;
  return framing;
}

}  // namespace parley::codec::http1
