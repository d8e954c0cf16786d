#include <algorithm>
#include <array>
#include <span>
#include <sstream>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "config/document.h"
#include "config/tree_rules.h"

namespace parley::config {
namespace {

Position to_position(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {static_cast<uint32_t>(mark.line + 1), static_cast<uint32_t>(mark.column + 1)};
}

// Thrown through the library's parser, which knows no other way to stop.
struct Refused {
  Position at;
  std::string message;
};

bool is_one_of(std::string_view text, std::span<const std::string_view> words) {
  return std::ranges::find(words, text) != words.end();
}

constexpr std::array<std::string_view, 6> kOddNumbers = {".inf", "-.inf", ".nan",
                                                         ".Inf", "-.Inf", ".NaN"};
constexpr std::array<std::string_view, 3> kTrueWords = {"true", "True", "TRUE"};
constexpr std::array<std::string_view, 3> kFalseWords = {"false", "False", "FALSE"};

// What a plain scalar is by the core schema.
DocumentNode::Kind plain_kind(std::string_view text) {
  if (is_one_of(text, kTrueWords) || is_one_of(text, kFalseWords)) return DocumentNode::Kind::kBool;
  if (is_one_of(text, kOddNumbers)) return DocumentNode::Kind::kFloat;
  if (text.starts_with("0x") || text.starts_with("0o"))
    return text.find_first_not_of("0123456789abcdefABCDEF", 2) == std::string_view::npos &&
                   text.size() > 2
               ? DocumentNode::Kind::kInt
               : DocumentNode::Kind::kString;
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  const auto digits = [&text] {
    const size_t n = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(n);
    return n;
  };
  size_t seen = digits();
  if (seen > 0 && text.empty()) return DocumentNode::Kind::kInt;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    seen += digits();
  }
  if (seen == 0) return DocumentNode::Kind::kString;
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    if (digits() == 0) return DocumentNode::Kind::kString;
  }
  return text.empty() ? DocumentNode::Kind::kFloat : DocumentNode::Kind::kString;
}

// What: builds the tree from the library's events. Owner: read_yaml(), on its stack. Failure:
// throws Refused.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const DocumentLimits& limits) : limits_(limits) {}

  DocumentNode take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (started_) refuse(mark, "a second document begins here; a configuration is one document");
    started_ = true;
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    check(mark, {}, anchor);
    if (wants_key()) refuse(mark, "a key is expected before this colon");
    place(mark, DocumentNode::Kind::kNull, {});
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(mark, "aliases (*name) are not read; write the value out");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check(mark, tag, anchor);
    if (wants_key()) {
      open_.back()->members.push_back({value, to_position(mark), {}});
      has_key_.back() = true;
      return;
    }
    const DocumentNode::Kind kind = tag == "?" ? plain_kind(value) : DocumentNode::Kind::kString;
    if (kind != DocumentNode::Kind::kBool) {
      place(mark, kind, value);
    } else {
      place(mark, kind, is_one_of(value, kTrueWords) ? "true" : "false");
    }
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    enter(mark, tag, anchor, DocumentNode::Kind::kList);
  }
  void OnSequenceEnd() override { leave(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    enter(mark, tag, anchor, DocumentNode::Kind::kMap);
  }
  void OnMapEnd() override { leave(); }

 private:
  [[noreturn]] static void refuse(const YAML::Mark& mark, std::string message) {
    throw Refused{to_position(mark), std::move(message)};
  }

  void check(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0) refuse(mark, "anchors (&name) are not read; write the value out where needed");
    if (!tag.empty() && tag != "?" && tag != "!")
      refuse(mark, fmt::format("tags are not read; remove {}", tag));
    if (++nodes_ > limits_.nodes) refuse(mark, "too many values for a configuration");
  }

  bool wants_key() const {
    return !open_.empty() && open_.back()->kind == DocumentNode::Kind::kMap && !has_key_.back();
  }

  DocumentNode& place(const YAML::Mark& mark, DocumentNode::Kind kind, std::string text) {
    DocumentNode* node = &root_;
    if (!open_.empty() && open_.back()->kind == DocumentNode::Kind::kMap) {
      node = &open_.back()->members.back().value;
      has_key_.back() = false;
    } else if (!open_.empty()) {
      node = &open_.back()->items.emplace_back();
    }
    node->kind = kind;
    node->at = to_position(mark);
    node->text = std::move(text);
    return *node;
  }

  void enter(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
             DocumentNode::Kind kind) {
    check(mark, tag, anchor);
    if (wants_key()) refuse(mark, "a key must be a word, not a list or a map");
    if (open_.size() >= limits_.depth)
      refuse(mark, fmt::format("more than {} levels deep", limits_.depth));
    DocumentNode& node = place(mark, kind, {});
    open_.push_back(&node);
    has_key_.push_back(false);
  }
  void leave() {
    open_.pop_back();
    has_key_.pop_back();
  }

  const DocumentLimits& limits_;
  DocumentNode root_;
  // From the root to the innermost open list or map. What is open gets no siblings, so that the
  // pointers hold.
  std::vector<DocumentNode*> open_;
  std::vector<bool> has_key_;  // of open_: a key that waits for its value
  size_t nodes_ = 0;
  bool started_ = false;
};

std::expected<DocumentNode, Refused> build(ByteView text, const DocumentLimits& limits) {
  TreeBuilder builder(limits);
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    if (parser.HandleNextDocument(builder)) parser.HandleNextDocument(builder);
  } catch (Refused& refused) {
    return std::unexpected(std::move(refused));
  } catch (const YAML::Exception& error) {
    const bool tab = text.find('\t') != ByteView::npos;
    return std::unexpected(
        Refused{to_position(error.mark),
                "this is not YAML: " + error.msg +
                    (tab ? " (the file has tabs: YAML is indented with spaces)" : "")});
  }
  return builder.take();
}

}  // namespace

Parsed read_yaml(const std::string& name, ByteView text, const DocumentLimits& limits) {
  if (auto problems = check_text(name, text, limits); !problems.empty())
    return std::unexpected(std::move(problems));
  auto built = build(text, limits);
  if (!built)
    return std::unexpected(
        std::vector{Problem{{name, built.error().at}, {}, std::move(built.error().message)}});
  if (built->kind == DocumentNode::Kind::kNull) {
    built->kind = DocumentNode::Kind::kMap;
    built->at = {1, 1};
  }
  Report report;
  check_keys(name, *built, report);
  if (!report.empty()) return std::unexpected(report.take());
  return std::move(*built);
}

}  // namespace parley::config
