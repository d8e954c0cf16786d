// Any request: no crash, and what is passed on is text where it must be.
#include <cstdlib>

#include "base/utf8.h"
#include "codec/centrifuge/json_command_decoder.h"
#include "codec/centrifuge/protobuf_command_decoder.h"

namespace {

using namespace parley;
using namespace parley::codec::centrifuge;

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static JsonCommandDecoder json({.max_depth = 60, .max_commands = 50, .max_items = 50});
  const ByteView text(reinterpret_cast<const char*>(data), size);
  if (EmulationRequest request; json.decode(text, request))
    require(is_valid_utf8(request.session) && is_valid_utf8(request.data));
  if (EmulationRequest request; ProtobufCommandDecoder().decode(text, request)) {
    require(is_valid_utf8(request.session) && is_valid_utf8(request.node));
    require(request.data.size() <= text.size());
  }
  if (ConnectRequest request; json.decode(text, request)) require(request.headers.size() <= 50);
  return 0;
}
