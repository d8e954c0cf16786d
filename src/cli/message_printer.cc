#include "cli/message_printer.h"

#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/json_line.h"
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

std::string message_json(std::string_view channel, const codec::sse::DecodedEvent& event) {
  nlohmann::ordered_json object{{"channel", channel}};
  if (event.type == "gap") return json_line(object, "gap", event.data) + "\n";
  object["id"] = event.last_event_id;
  object["event"] = event.type;
  return json_line(object, "data", event.data) + "\n";
}

void MessagePrinter::print(std::string_view channel, const codec::sse::DecodedEvent& event) {
  const bool json = format_ == MessageFormat::kJson;
  if (event.type == "gap") {
    if (json) return write(message_json(channel, event));
    fmt::print(stderr, "parley: {}\n", gap_sentence(channel, event.data));
    return;
  }
  if (finished()) return;
  write(json ? message_json(channel, event)
             : message_line(channel, event, format_ == MessageFormat::kVerbose));
  if (!endless_) --left_;
}

void MessagePrinter::write(const std::string& line) {
  gone_ = std::fwrite(line.data(), 1, line.size(), stdout) != line.size() || gone_;
}

void MessagePrinter::flush() { gone_ = std::fflush(stdout) != 0 || gone_; }

}  // namespace parley::cli
