#include "cli/printable.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace parley::cli {

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool c1 = c == 0xc2 && i + 1 < text.size() &&
                    static_cast<unsigned char>(text[i + 1]) >= 0x80 &&
                    static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if ((c < 0x20 && c != '\t') || c == 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", c);
    } else if (c1) {
      // U+0080 to U+009F are control characters too.
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(text[++i]));
    } else {
      out.push_back(static_cast<char>(c));
    }
  }
  return out;
}

std::string printable_data(std::string_view data) {
  if (data.find_first_of("\r\n") == std::string_view::npos || !nlohmann::json::accept(data))
    return printable(data);
  // In JSON a line end is white space between tokens, never part of a string.
  std::string line(data);
  std::ranges::replace(line, '\n', ' ');
  std::ranges::replace(line, '\r', ' ');
  return printable(line);
}

}  // namespace parley::cli
