#include "cli/message_printer.h"

#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/printable.h"

namespace parley::cli {

std::string message_line(std::string_view channel, const codec::sse::DecodedEvent& event,
                         bool verbose) {
  if (!verbose) return printable_data(event.data) + "\n";
  return fmt::format("{}\t{}\t{}\t{}\n", printable(channel), printable(event.last_event_id),
                     printable(event.type), printable_data(event.data));
}

std::string gap_sentence(std::string_view channel, std::string_view data) {
  const auto json = nlohmann::json::parse(data, nullptr, false);
  const auto number = [&](const char* name) {
    return json.is_object() && json.contains(name) && json[name].is_number_unsigned();
  };
  if (!number("from") || !number("to") || !json.contains("reason") || !json["reason"].is_string())
    return fmt::format("gap in {}: {}", printable(channel), printable(data));
  return fmt::format("gap in {}: offsets {} to {} cannot be had ({})", printable(channel),
                     json["from"].get<uint64_t>(), json["to"].get<uint64_t>(),
                     printable(json["reason"].get<std::string>()));
}

void MessagePrinter::print(std::string_view channel, const codec::sse::DecodedEvent& event) {
  if (event.type == "gap") {
    fmt::print(stderr, "parley: {}\n", gap_sentence(channel, event.data));
    return;
  }
  if (finished()) return;
  const std::string line = message_line(channel, event, verbose_);
  gone_ = std::fwrite(line.data(), 1, line.size(), stdout) != line.size();
  if (!endless_) --left_;
}

void MessagePrinter::flush() { gone_ = std::fflush(stdout) != 0 || gone_; }

}  // namespace parley::cli
