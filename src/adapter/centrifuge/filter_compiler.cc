// The protocol's filters: which words there are, and what may stand with each.
#include <algorithm>
#include <array>

#include "adapter/centrifuge/variants.h"

namespace parley::adapter::centrifuge {
namespace {

using session::TagsFilter;

enum class Takes : uint8_t { kNothing, kValue, kList };

struct Word {
  std::string_view name;
  TagsFilter::Test test;
  Takes takes;
};

constexpr std::array kWords = {
    Word{"eq", TagsFilter::Test::kEqual, Takes::kValue},
    Word{"neq", TagsFilter::Test::kNotEqual, Takes::kValue},
    Word{"in", TagsFilter::Test::kIn, Takes::kList},
    Word{"nin", TagsFilter::Test::kNotIn, Takes::kList},
    Word{"ex", TagsFilter::Test::kExists, Takes::kNothing},
    Word{"nex", TagsFilter::Test::kNotExists, Takes::kNothing},
    Word{"sw", TagsFilter::Test::kStartsWith, Takes::kValue},
    Word{"ew", TagsFilter::Test::kEndsWith, Takes::kValue},
    Word{"ct", TagsFilter::Test::kContains, Takes::kValue},
    Word{"lt", TagsFilter::Test::kLess, Takes::kValue},
    Word{"lte", TagsFilter::Test::kLessOrEqual, Takes::kValue},
    Word{"gt", TagsFilter::Test::kGreater, Takes::kValue},
    Word{"gte", TagsFilter::Test::kGreaterOrEqual, Takes::kValue},
};

bool add_leaf(const wire::FilterNode& node, TagsFilter& filter) {
  const auto word = std::ranges::find(kWords, node.cmp, &Word::name);
  if (word == kWords.end() || !node.nodes.empty()) return false;
  if (node.key.empty() && word->takes != Takes::kNothing) return false;
  const bool value = !node.val.empty(), list = !node.vals.empty();
  if (value != (word->takes == Takes::kValue) || list != (word->takes == Takes::kList))
    return false;
  if (list) return filter.add(word->test, node.key, node.vals);
  return filter.add(word->test, node.key, std::span(&node.val, value ? 1 : 0));
}

// The filter's limit of depth ends the recursion.
bool add_node(const wire::FilterNode& node, TagsFilter& filter) {
  if (node.op.empty()) return add_leaf(node, filter);
  TagsFilter::Group group{};
  if (node.op == "and") {
    group = TagsFilter::Group::kAnd;
  } else if (node.op == "or") {
    group = TagsFilter::Group::kOr;
  } else if (node.op == "not") {
    group = TagsFilter::Group::kNot;
  } else {
    return false;
  }
  const auto add = [&](const wire::FilterNode& child) { return add_node(child, filter); };
  return filter.begin(group) && std::ranges::all_of(node.nodes, add) && filter.end();
}

}  // namespace

std::optional<TagsFilter> compile_filter(const wire::FilterNode& node) {
  TagsFilter filter;
  if (!add_node(node, filter) || !filter.whole()) return std::nullopt;
  return filter;
}

}  // namespace parley::adapter::centrifuge
