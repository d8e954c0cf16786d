// The format of Centrifugo's old API: objects behind each other, each of which names its method.
#include <string>

#include "http_api/command.h"
#include "http_api/methods.h"

namespace parley::http_api {
namespace {

using codec::json::Reader;

constexpr std::string_view kSpace = " \t\r\n";

// Takes the first object off `text`; empty when there is none. Where it ends is all that is looked
// at: whether it is JSON the reader says.
ByteView take_object(ByteView& text) {
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  if (!text.starts_with('{')) return {};
  size_t depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      const ByteView object = text.substr(0, i + 1);
      text.remove_prefix(i + 1);
      return object;
    }
  }
  return {};
}

bool decode_params(ByteView params, const CommandLimits& limits, codec::json::Scratch& scratch,
                   Command& out) {
  Reader reader(params.empty() ? ByteView("{}") : params, scratch);
  return out.method->decode(reader, limits, out) && reader.finish();
}

bool decode_object(ByteView object, const CommandLimits& limits, codec::json::Scratch& scratch,
                   Command& out) {
  std::string method;
  ByteView params;
  Reader reader(object, scratch);
  if (!reader.object()) return false;
  for (std::string_view key; reader.key(key);) {
    if (reader.null()) continue;
    if (key == "id" && !reader.integer(out.id)) return false;
    if (key == "params") params = reader.raw();
    if (key != "method") continue;
    std::string_view name;
    if (!reader.string(name)) return false;
    method = name;
  }
  if (!reader.finish()) return false;
  out.method = find_method(method);
  if (out.method != nullptr) return decode_params(params, limits, scratch, out);
  out.error = ApiError::kNotFound;
  out.channels.emplace_back();
  return true;
}

}  // namespace

std::optional<CommandList> decode_legacy(ByteView body, const CommandLimits& limits,
                                         codec::json::Scratch& scratch) {
  CommandList list;
  list.legacy = true;
  size_t operations = 0;
  while (body.find_first_not_of(kSpace) != body.npos) {
    const ByteView object = take_object(body);
    const bool good =
        !object.empty() && decode_object(object, limits, scratch, list.commands.emplace_back());
    scratch.reset();
    if (!good) return std::nullopt;
    operations += list.commands.back().channels.size();
    if (list.commands.size() > limits.commands || operations > limits.operations) {
      list.error = ApiError::kBadRequest;
      return list;
    }
  }
  if (list.commands.empty()) return std::nullopt;
  return list;
}

}  // namespace parley::http_api
