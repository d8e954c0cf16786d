// Any frame: no crash, bounded work, and what is passed on unread is valid JSON.
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static JsonCommandDecoder decoder({.max_depth = 60, .max_commands = 50, .max_items = 50});
  decoder.decode(ByteView(reinterpret_cast<const char*>(data), size), [](Command& command) {
    std::visit(Echo{}, command.request);
    return true;
  });
  return 0;
}
