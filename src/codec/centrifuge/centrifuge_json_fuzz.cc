// Any frame: no crash, bounded work, and what is passed on unread is valid JSON. Space between
// tokens changes nothing, though a command without any may be read another way.
#include <cstdlib>

#include "codec/centrifuge/json_command_decoder.h"
#include "codec/centrifuge/json_encoder.h"
#include "codec/json/validate.h"

namespace {

using namespace parley;
using namespace parley::codec::centrifuge;

void require(bool condition) {
  if (!condition) std::abort();
}

// A publish comes back as a push; other requests are only looked at.
struct Echo {
  template <class Request>
  void operator()(const Request& request) const {
    if constexpr (requires { request.data; })
      require(request.data.data() == nullptr || codec::json::is_valid(request.data));
  }
  void operator()(const PublishRequest& request) const {
    require(request.data.data() == nullptr || codec::json::is_valid(request.data));
    const ClientInfo info{
        .user = request.key, .client = request.channel, .conn_info = request.data};
    for (const bool as_string : {false, true}) {
      Buffer out;
      JsonEncoder::push(
          out, request.channel,
          Publication{.data = request.data, .data_as_string = as_string, .info = &info});
      require(codec::json::is_valid(out) && out.find('\n') == out.npos);
    }
  }
};

// A space in front of each command.
Buffer spaced(ByteView frame) {
  Buffer out = " ";
  for (size_t i = 0; i < frame.size(); ++i) {
    out.push_back(frame[i]);
    if (frame[i] == '\n' && i + 1 < frame.size()) out.push_back(' ');
  }
  return out;
}

// What was read of a frame: of a publish all, of other commands which they are.
struct Seen {
  std::vector<std::string> commands;
  FrameEnd end = FrameEnd::kDone;
  bool operator==(const Seen&) const = default;
};

Seen see(JsonCommandDecoder& decoder, ByteView frame) {
  Seen seen;
  seen.end = decoder.decode(frame, [&seen](const Command& command) {
    std::string& text = seen.commands.emplace_back();
    text = std::to_string(command.id) + ' ' + std::to_string(command.request.index());
    if (const auto* publish = std::get_if<PublishRequest>(&command.request)) {
      text.append(publish->channel).append(1, ' ').append(publish->key).append(1, ' ');
      text.append(publish->data).append(std::to_string(publish->type));
      text.append(publish->removed ? "removed" : "");
    }
    return true;
  });
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static JsonCommandDecoder decoder({.max_depth = 60, .max_commands = 50, .max_items = 50});
  const ByteView frame(reinterpret_cast<const char*>(data), size);
  decoder.decode(frame, [](Command& command) {
    std::visit(Echo{}, command.request);
    return true;
  });
  require(see(decoder, frame) == see(decoder, spaced(frame)));
  return 0;
}
