#include "session/tags_filter.h"

#include <algorithm>
#include <optional>

#include "session/decimal.h"

namespace parley::session {

bool TagsFilter::append(Node node) {
  const bool second_root = open_.empty() && !nodes_.empty();
  if (second_root || nodes_.size() == kMaxNodes || open_.size() == kMaxDepth) return false;
  if (!open_.empty()) ++nodes_[open_.back()].children;
  node.behind = static_cast<uint32_t>(nodes_.size()) + 1;
  nodes_.push_back(node);
  return true;
}

bool TagsFilter::begin(Group group) {
  if (!append({.is_group = true, .group = group, .test = {}})) return false;
  open_.push_back(static_cast<uint32_t>(nodes_.size()) - 1);
  return true;
}

bool TagsFilter::end() {
  if (open_.empty()) return false;
  Node& group = nodes_[open_.back()];
  group.behind = static_cast<uint32_t>(nodes_.size());
  open_.pop_back();
  return group.group == Group::kNot ? group.children == 1 : group.children > 0;
}

bool TagsFilter::append_text(std::string_view text) {
  if (text.size() > kMaxBytes - texts_.size()) return false;
  texts_.append(text);
  text_ends_.push_back(static_cast<uint32_t>(texts_.size()));
  return true;
}

bool TagsFilter::add(Test test, std::string_view key, std::span<const std::string_view> values) {
  if (values.size() + text_ends_.size() > kMaxValues) return false;
  const auto number = static_cast<uint32_t>(text_ends_.size());
  const auto count = static_cast<uint32_t>(values.size());
  return append({.is_group = false, .group = {}, .test = test, .key = number, .values = count}) &&
         append_text(key) &&
         std::ranges::all_of(values, [&](std::string_view value) { return append_text(value); });
}

std::string_view TagsFilter::text(uint32_t number) const {
  const uint32_t begin = number == 0 ? 0 : text_ends_[number - 1];
  return std::string_view(texts_).substr(begin, text_ends_[number] - begin);
}

bool TagsFilter::evaluate(uint32_t at, const hub::Tags& tags) const {
  const Node& node = nodes_[at];
  if (!node.is_group) return evaluate_test(node, tags);
  if (node.group == Group::kNot) return !evaluate(at + 1, tags);
  const bool decides = node.group == Group::kOr;
  for (uint32_t child = at + 1; child < node.behind; child = nodes_[child].behind)
    if (evaluate(child, tags) == decides) return decides;
  return !decides;
}

bool TagsFilter::evaluate_test(const Node& node, const hub::Tags& tags) const {
  const auto found = std::ranges::find(tags, text(node.key), &hub::Tags::value_type::first);
  const bool exists = found != tags.end();
  const std::string_view tag = exists ? std::string_view(found->second) : std::string_view();
  const std::string_view value = node.values > 0 ? text(node.key + 1) : std::string_view();
  const auto listed = [&] {
    for (uint32_t i = 1; i <= node.values; ++i)
      if (text(node.key + i) == tag) return true;
    return false;
  };
  const auto order = [&] { return exists ? compare_decimals(tag, value) : std::nullopt; };
  switch (node.test) {
    case Test::kEqual:
      return exists && tag == value;
    case Test::kNotEqual:
      return !exists || tag != value;
    case Test::kIn:
      return listed();
    case Test::kNotIn:
      return !listed();
    case Test::kExists:
      return exists;
    case Test::kNotExists:
      return !exists;
    case Test::kStartsWith:
      return exists && tag.starts_with(value);
    case Test::kEndsWith:
      return exists && tag.ends_with(value);
    case Test::kContains:
      return exists && tag.find(value) != tag.npos;
    case Test::kLess:
      return order() == std::strong_ordering::less;
    case Test::kLessOrEqual:
      return order().value_or(std::strong_ordering::greater) <= 0;
    case Test::kGreater:
      return order() == std::strong_ordering::greater;
    case Test::kGreaterOrEqual:
      return order().value_or(std::strong_ordering::less) >= 0;
  }
  return false;
}

}  // namespace parley::session
