// A subscription's filter from anybody, asked about tags; and the numbers that it compares.
#include <cstdlib>

#include "adapter/centrifuge/variants.h"
#include "codec/centrifuge/json_command_decoder.h"
#include "session/decimal.h"

namespace {

using namespace parley;

void require(bool condition) {
  if (!condition) std::abort();
}

void filter(ByteView text) {
  const std::string frame = "{\"id\":1,\"subscribe\":{\"tf\":" + std::string(text) + "}}";
  static codec::centrifuge::JsonCommandDecoder decoder;
  decoder.decode(frame, [](codec::centrifuge::Command& command) {
    const auto* request = std::get_if<codec::centrifuge::SubscribeRequest>(&command.request);
    if (request == nullptr || !request->tf) return true;
    const auto compiled = adapter::centrifuge::compile_filter(*request->tf);
    if (!compiled) return true;
    for (const hub::Tags& tags : {hub::Tags{}, hub::Tags{{"a", "1"}, {"b", ""}, {"", "x"}}})
      require(compiled->matches(tags) == compiled->matches(tags));
    return true;
  });
}

void numbers(std::string_view a, std::string_view b) {
  const auto order = session::compare_decimals(a, b), back = session::compare_decimals(b, a);
  require(order.has_value() == back.has_value());
  if (!order) return;
  require(*order == (0 <=> *back));
  require(session::compare_decimals(a, a) == std::strong_ordering::equal);
}

}  // namespace

// A filter; and two numbers, a line each.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView text(reinterpret_cast<const char*>(data), size);
  filter(text);
  const std::string_view first = text.substr(0, text.find('\n'));
  numbers(first, text.substr(std::min(first.size() + 1, text.size())));
  return 0;
}
