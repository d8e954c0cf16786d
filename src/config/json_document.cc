#include <fmt/format.h>

#include "codec/json/scan.h"
#include "codec/json/unescape.h"
#include "config/document.h"
#include "config/tree_rules.h"

namespace parley::config {
namespace {

namespace json = codec::json;

// What: recursive descent over the grammar functions of codec/json; the depth bounds the recursion.
// The first thing wrong ends it. Owner: read_json(), on its stack.
class JsonParser {
 public:
  JsonParser(const std::string& name, ByteView text, const DocumentLimits& limits)
      : name_(name),
        begin_(text.data()),
        at_(text.data()),
        end_(text.data() + text.size()),
        limits_(limits) {}

  Parsed parse() {
    DocumentNode root;
    bool ok = value(root, 0);
    skip();
    if (ok && at_ != end_) ok = fail("something stands behind the end of the value; remove it");
    if (!ok) return std::unexpected(std::move(problems_));
    return root;
  }

 private:
  bool value(DocumentNode& out, uint32_t depth);
  bool object(DocumentNode& out, uint32_t depth);
  bool array(DocumentNode& out, uint32_t depth);
  bool string(std::string& out);
  bool number(DocumentNode& out);
  bool word(DocumentNode& out);

  void skip() {
    const char* behind = json::skip_space(at_, end_);
    for (; at_ != behind; ++at_)
      if (*at_ == '\n') {
        ++line_;
        line_start_ = at_ + 1;
      }
  }
  bool next_is(char c) const { return at_ != end_ && *at_ == c; }
  // Tokens hold no line break, so that position and column follow from the last one.
  Position here() const { return {line_, static_cast<uint32_t>(at_ - line_start_ + 1)}; }
  bool fail(std::string message) {
    problems_ = {{{name_, here()}, {}, std::move(message)}};
    return false;
  }
  bool expected(std::string_view what) {
    if (at_ == end_) return fail(fmt::format("the file ends where {} is expected", what));
    if (*at_ == '/' || *at_ == '#')
      return fail("JSON has no comments; remove it, or write the file as YAML");
    return fail(fmt::format("{} is expected here", what));
  }

  const std::string& name_;
  const char* begin_;
  const char* at_;
  const char* end_;
  const DocumentLimits& limits_;
  const char* line_start_ = begin_;
  uint32_t line_ = 1;
  size_t nodes_ = 0;
  std::vector<Problem> problems_;
};

bool JsonParser::value(DocumentNode& out, uint32_t depth) {
  skip();
  out.at = here();
  if (++nodes_ > limits_.nodes) return fail("too many values for a configuration");
  if (at_ == end_) return expected("a value");
  if ((*at_ == '{' || *at_ == '[') && depth >= limits_.depth)
    return fail(fmt::format("more than {} levels deep", limits_.depth));
  switch (*at_) {
    case '{':
      return object(out, depth + 1);
    case '[':
      return array(out, depth + 1);
    case '"':
      out.kind = DocumentNode::Kind::kString;
      return string(out.text);
    case 't':
    case 'f':
    case 'n':
      return word(out);
    default:
      return number(out);
  }
}

bool JsonParser::object(DocumentNode& out, uint32_t depth) {
  out.kind = DocumentNode::Kind::kMap;
  ++at_;
  skip();
  if (next_is('}')) return ++at_, true;
  while (true) {
    skip();
    if (!next_is('"')) return expected("a key in double quotes");
    Member& member = out.members.emplace_back();
    member.at = here();
    if (!string(member.key)) return false;
    skip();
    if (!next_is(':')) return expected("a colon");
    ++at_;
    if (!value(member.value, depth)) return false;
    skip();
    if (next_is('}')) return ++at_, true;
    if (!next_is(',')) return expected("a comma or the end of the object");
    ++at_;
  }
}

bool JsonParser::array(DocumentNode& out, uint32_t depth) {
  out.kind = DocumentNode::Kind::kList;
  ++at_;
  skip();
  if (next_is(']')) return ++at_, true;
  while (true) {
    if (!value(out.items.emplace_back(), depth)) return false;
    skip();
    if (next_is(']')) return ++at_, true;
    if (!next_is(',')) return expected("a comma or the end of the list");
    ++at_;
  }
}

bool JsonParser::string(std::string& out) {
  bool escaped = false;
  const char* behind = json::scan_string(at_, end_, escaped);
  if (behind == nullptr)
    return fail("this string does not end, holds a line break, or has a wrong escape");
  const ByteView raw(at_ + 1, static_cast<size_t>(behind - at_ - 2));
  if (escaped) {
    out.resize(raw.size());
    const auto size = json::unescape(raw, out.data());
    if (!size) return fail("this string holds half a surrogate pair");
    out.resize(*size);
  } else {
    out = raw;
  }
  at_ = behind;
  return true;
}

bool JsonParser::number(DocumentNode& out) {
  const char* behind = json::scan_number(at_, end_);
  if (behind == nullptr) return expected("a value");
  out.text.assign(at_, behind);
  const bool whole = out.text.find_first_of(".eE") == std::string::npos;
  out.kind = whole ? DocumentNode::Kind::kInt : DocumentNode::Kind::kFloat;
  at_ = behind;
  return true;
}

bool JsonParser::word(DocumentNode& out) {
  const ByteView rest(at_, static_cast<size_t>(end_ - at_));
  for (const std::string_view text : {"true", "false", "null"}) {
    if (!rest.starts_with(text)) continue;
    out.kind = text == "null" ? DocumentNode::Kind::kNull : DocumentNode::Kind::kBool;
    if (out.kind == DocumentNode::Kind::kBool) out.text = text;
    at_ += text.size();
    return true;
  }
  return expected("a value");
}

}  // namespace

Parsed read_json(const std::string& name, ByteView text, const DocumentLimits& limits) {
  if (auto problems = check_text(name, text, limits); !problems.empty())
    return std::unexpected(std::move(problems));
  auto parsed = JsonParser(name, text, limits).parse();
  if (!parsed) return parsed;
  Report report;
  check_keys(name, *parsed, report);
  if (!report.empty()) return std::unexpected(report.take());
  return parsed;
}

}  // namespace parley::config
