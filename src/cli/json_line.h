// What --json prints: one object a line.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json_fwd.hpp>

namespace parley::cli {

// The object's members in their order, without a line end. Bytes that are not UTF-8 are replaced.
std::string json_line(const nlohmann::ordered_json& object);

// ... with one member more behind them, whose value is `data` as it is if that is JSON, else as a
// string: numbers stay as exact as they came.
std::string json_line(const nlohmann::ordered_json& object, std::string_view name,
                      std::string_view data);

}  // namespace parley::cli
