// A condition on a publication's tags, ready to be asked for every publication.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "hub/publication.h"

namespace parley::session {

// What: a tree of tests, flat, in prefix order. Built once, node by node, outermost first; then
// asked. Owner: a subscription. Failure: building says false above a limit or where the tree is not
// whole. Asking allocates nothing.
class TagsFilter {
 public:
  // kNot has one node in it, the others at least one.
  enum class Group : uint8_t { kAnd, kOr, kNot };
  // Of a missing tag: only kNotEqual, kNotExists, and what compares with "" (kIn, kNotIn) can hold.
  // The last four compare decimal numbers; what is none is as good as missing.
  enum class Test : uint8_t {
    kEqual,
    kNotEqual,
    kIn,
    kNotIn,
    kExists,
    kNotExists,
    kStartsWith,
    kEndsWith,
    kContains,
    kLess,
    kLessOrEqual,
    kGreater,
    kGreaterOrEqual,
  };
  static constexpr size_t kMaxNodes = 100;
  static constexpr size_t kMaxDepth = 10;
  static constexpr size_t kMaxValues = 1000;
  static constexpr size_t kMaxBytes = 8192;  // of keys and values together

  bool begin(Group group);
  bool end();
  bool add(Test test, std::string_view key, std::span<const std::string_view> values);
  // Everything that was begun has ended, and there is one outermost node.
  bool whole() const { return open_.empty() && !nodes_.empty(); }

  bool matches(const hub::Tags& tags) const { return evaluate(0, tags); }

 private:
  struct Node {
    bool is_group;
    Group group;
    Test test;
    uint16_t children = 0;  // of a group
    uint32_t behind = 0;    // the first node that is not in the group
    uint32_t key = 0;       // number of a text; the values follow it
    uint32_t values = 0;
  };

  bool append(Node node);
  bool append_text(std::string_view text);
  std::string_view text(uint32_t number) const;
  bool evaluate(uint32_t at, const hub::Tags& tags) const;
  bool evaluate_test(const Node& node, const hub::Tags& tags) const;

  std::vector<Node> nodes_;
  std::vector<uint32_t> text_ends_;
  Buffer texts_;
  std::vector<uint32_t> open_;  // groups begun and not ended
};

}  // namespace parley::session
