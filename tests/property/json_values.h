// Generated JSON, as another library's values.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/property/generators.h"

namespace parley::testing {

using Tree = nlohmann::json;

// A value that `program` spells in prefix order; it ends where the program does.
inline Tree tree_of(std::span<const uint8_t>& program, const std::vector<Bytes>& words,
                    int depth = 0) {
  if (program.empty()) return nullptr;
  const uint8_t step = program.front();
  program = program.subspan(1);
  const size_t count = depth < 12 ? step / 8 % 5 : 0;
  const Bytes word = words.empty() ? "" : words[step % words.size()];
  switch (step % 8) {
    case 0:
      return step;
    case 1:
      return word;
    case 2:
      return -int64_t{step} * 0x0123456789abcdLL;
    case 3:
      return step / 8 % 2 == 0;
    case 4:
      return 1.0 / (1 + step);
    case 5:
      return nullptr;
    default:
      break;
  }
  Tree tree = step % 8 == 6 ? Tree::array() : Tree::object();
  for (size_t i = 0; i < count; ++i) {
    if (tree.is_array()) {
      tree.push_back(tree_of(program, words, depth + 1));
    } else {
      tree[word + std::to_string(i)] = tree_of(program, words, depth + 1);
    }
  }
  return tree;
}

inline rc::Gen<Tree> any_tree() {
  return rc::gen::map(
      rc::gen::pair(rc::gen::arbitrary<std::vector<uint8_t>>(),
                    rc::gen::scale(0.3, rc::gen::container<std::vector<Bytes>>(any_text()))),
      [](const std::pair<std::vector<uint8_t>, std::vector<Bytes>>& parts) {
        std::vector<uint8_t> program = parts.first;
        // A container outermost, for more than one step to count.
        if (!program.empty() && program.front() % 4 != 0)
          program.front() = 38 + program.front() % 2;
        std::span<const uint8_t> rest = program;
        return tree_of(rest, parts.second);
      });
}

}  // namespace parley::testing
