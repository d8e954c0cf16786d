// "Did you mean": the known names that are nearest to an unknown one.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/options.h"

namespace parley::config {

// Letters to insert, remove, replace or swap with their neighbour.
size_t edit_distance(std::string_view a, std::string_view b);

// At most three of `names`, nearest first; none that differs in more than a third of its letters,
// unless it begins with `name`.
std::vector<std::string> nearest(std::string_view name, std::span<const std::string> names);

// What to say about `key`, which is no option of `section` ("" is the top) of the table: the names
// it may have been meant as, here or elsewhere, and what is allowed here.
std::string unknown_option(const Table& table, const std::string& section, const std::string& key);

}  // namespace parley::config
