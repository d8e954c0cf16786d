// Any frame: no crash, bounded work, and what is passed on is within the frame.
#include <cstdlib>

#include "base/utf8.h"
#include "codec/centrifuge/protobuf_command_decoder.h"
#include "codec/centrifuge/protobuf_encoder.h"

namespace {

using namespace parley;
using namespace parley::codec::centrifuge;

void require(bool condition) {
  if (!condition) std::abort();
}

// A publish comes back as a push; of other requests the bytes are only looked at.
struct Echo {
  ByteView frame;

  void inside(ByteView bytes) const {
    require(bytes.data() == nullptr ||
            (bytes.data() >= frame.data() &&
             bytes.data() + bytes.size() <= frame.data() + frame.size()));
  }
  template <class Request>
  void operator()(const Request& request) const {
    if constexpr (requires { request.data; }) inside(request.data);
    if constexpr (requires { request.channel; }) {
      inside(request.channel);
      require(is_valid_utf8(request.channel));
    }
    if constexpr (std::is_same_v<Request, PublishRequest>) push(request);
  }
  static void push(const PublishRequest& request) {
    const ClientInfo info{
        .user = request.key, .client = request.channel, .conn_info = request.data};
    Buffer out;
    ProtobufEncoder::push(out, request.channel,
                          Publication{.data = request.data, .info = &info, .score = request.type});
    // Lengths add up: the first varint covers all the rest.
    size_t at = 0;
    uint64_t length = 0;
    for (int shift = 0; at == 0 || static_cast<uint8_t>(out[at - 1]) >= 128; ++at, shift += 7)
      length |= uint64_t{static_cast<uint8_t>(out[at]) & 127u} << shift;
    require(at + length == out.size());
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ProtobufCommandDecoder decoder({.max_depth = 60, .max_commands = 50, .max_items = 50});
  const ByteView frame(reinterpret_cast<const char*>(data), size);
  uint32_t commands = 0;
  decoder.decode(frame, [&](Command& command) {
    require(++commands <= 50);
    std::visit(Echo{frame}, command.request);
    return true;
  });
  return 0;
}
