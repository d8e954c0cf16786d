#include "adapter/centrifuge/codec.h"

#include "codec/centrifuge/json_command_decoder.h"
#include "codec/centrifuge/protobuf_command_decoder.h"
#include "codec/http1/uri.h"

namespace parley::adapter::centrifuge {

const Codec& codec_for(const session::Handshake& handshake) {
  if (handshake.one_way) return one_way_codec();
  const auto asks = [&handshake](std::string_view parameter) {
    // Where it is not messages that come, how they lie in the stream is agreed with their encoding.
    return handshake.session.empty() &&
           codec::http1::find_query_param(handshake.query, parameter) == "protobuf";
  };
  const bool protobuf = handshake.binary || handshake.subprotocol == "centrifuge-protobuf" ||
                        asks("format") || asks("cf_protocol");
  return protobuf ? protobuf_codec() : json_codec();
}

std::optional<session::UplinkMessage> read_uplink(session::MessageType type, ByteView request,
                                                  std::string_view node) {
  // One for all requests of a thread: it keeps nothing between them but its memory.
  static thread_local wire::JsonCommandDecoder json;
  wire::EmulationRequest emulated;
  const bool good = type == session::MessageType::kBinary
                        ? wire::ProtobufCommandDecoder().decode(request, emulated)
                        : json.decode(request, emulated);
  if (!good) return std::nullopt;
  return session::UplinkMessage{
      .session = emulated.node == node ? std::string(emulated.session) : std::string(),
      .data = Buffer(emulated.data)};
}

}  // namespace parley::adapter::centrifuge
