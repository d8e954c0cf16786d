#include "cli/publish_command.h"

#include <cstdio>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/utf8.h"
#include "cli/http.h"
#include "cli/json_line.h"
#include "cli/printable.h"

namespace parley::cli {
namespace {

constexpr size_t kMaxInput = 64 * 1024 * 1024;

std::string_view content_type(DataKind kind) {
  switch (kind) {
    case DataKind::kJson:
      return "application/json";
    case DataKind::kText:
      return "text/plain; charset=utf-8";
    case DataKind::kDetect:
    case DataKind::kBinary:
      break;
  }
  return "application/octet-stream";
}

bool fits_header(std::string_view value) {
  return value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

Result<std::string> read_stdin() {
  std::string data;
  char block[65536];
  while (const size_t got = std::fread(block, 1, sizeof block, stdin)) {
    data.append(block, got);
    if (data.size() > kMaxInput)
      return fail("stdin has more than 64 MiB, too much for one message: publish it in parts");
  }
  if (std::ferror(stdin))
    return fail("stdin cannot be read; give DATA as an argument instead of -");
  return data;
}

int failed(const std::string& message, int code) {
  fmt::print(stderr, "parley: {}\n", message);
  return code;
}

}  // namespace

DataKind detect_kind(std::string_view data) {
  if (!is_valid_utf8(data)) return DataKind::kBinary;
  return nlohmann::json::accept(data) ? DataKind::kJson : DataKind::kText;
}

Result<Publish> to_request(const PublishCommand& command, std::string data, bool from_stdin) {
  const DataKind kind = command.kind == DataKind::kDetect ? detect_kind(data) : command.kind;
  if (kind == DataKind::kJson && !nlohmann::json::accept(data))
    return fail("DATA is not valid JSON; quote it for the shell, as in '{\"a\":1}', or use --text");
  if (kind == DataKind::kText && !is_valid_utf8(data))
    return fail("DATA is not UTF-8 text; use --binary");
  if (!fits_header(command.event) || !fits_header(command.idempotency_key))
    return fail("--event and --key must be one line, without NUL");
  if (from_stdin && kind != DataKind::kBinary && data.ends_with('\n')) {
    data.pop_back();
    if (data.ends_with('\r')) data.pop_back();
  }
  Publish request{
      .path = "/pub/" + percent_encode(command.channel), .headers = {}, .body = std::move(data)};
  request.headers.push_back(fmt::format("Content-Type: {}", content_type(kind)));
  if (!command.event.empty()) request.headers.push_back("Parley-Event: " + command.event);
  if (!command.idempotency_key.empty())
    request.headers.push_back("Idempotency-Key: " + command.idempotency_key);
  return request;
}

Result<std::string> describe_published(long status, const std::string& body,
                                       const PublishCommand& command) {
  if (status != 200) return fail("not published: " + error_sentence(status, body));
  const auto json = nlohmann::json::parse(body, nullptr, false);
  const bool known = json.is_object() && json.contains("offset") &&
                     json["offset"].is_number_unsigned() && json.contains("epoch") &&
                     json["epoch"].is_string();
  if (!known) return fail("the answer is not one of a Parley server; check --url and PARLEY_URL");
  if (command.json)
    return json_line(
        {{"channel", command.channel}, {"offset", json["offset"]}, {"epoch", json["epoch"]}});
  return fmt::format("offset={} epoch={}", json["offset"].get<uint64_t>(),
                     printable(json["epoch"].get<std::string>()));
}

int run_publish(const PublishCommand& command) {
  const bool from_stdin = command.data == "-";
  auto data = from_stdin ? read_stdin() : Result<std::string>(command.data);
  if (!data) return failed(data.error().message, kExitFailed);
  const auto request = to_request(command, std::move(*data), from_stdin);
  if (!request) return failed(request.error().message, kExitUsage);
  const auto response = post(command.url, request->path, request->headers, request->body);
  if (!response) return failed(response.error().message, kExitFailed);
  const auto published = describe_published(response->status, response->body, command);
  if (!published) return failed(published.error().message, kExitFailed);
  fmt::print("{}\n", *published);
  return kExitOk;
}

}  // namespace parley::cli
