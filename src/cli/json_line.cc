#include "cli/json_line.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/utf8.h"

namespace parley::cli {
namespace {

std::string dump(const nlohmann::ordered_json& value) {
  return value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

// Valid JSON on one line, and without the characters that steer a terminal and that JSON allows in
// strings: DEL and U+0080 to U+009F.
std::string disarmed(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (size_t i = 0; i < json.size(); ++i) {
    const auto c = static_cast<unsigned char>(json[i]);
    const auto next = i + 1 < json.size() ? static_cast<unsigned char>(json[i + 1]) : 0u;
    if (c == '\n' || c == '\r') {
      out.push_back(' ');
    } else if (c == 0x7f) {
      out += "\\u007f";
    } else if (c == 0xc2 && next >= 0x80 && next < 0xa0) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", next);
      ++i;
    } else {
      out.push_back(static_cast<char>(c));
    }
  }
  return out;
}

}  // namespace

std::string json_line(const nlohmann::ordered_json& object) { return disarmed(dump(object)); }

std::string json_line(const nlohmann::ordered_json& object, std::string_view name,
                      std::string_view data) {
  std::string line = dump(object);
  line.back() = object.empty() ? ' ' : ',';
  line += dump(name) + ":";
  line += nlohmann::json::accept(data) ? std::string(data) : dump(std::string(data));
  return disarmed(line + "}");
}

}  // namespace parley::cli
