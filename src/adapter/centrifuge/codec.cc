#include "adapter/centrifuge/codec.h"

#include "codec/http1/uri.h"

namespace parley::adapter::centrifuge {

const Codec& codec_for(const session::Handshake& handshake) {
  const auto asks = [&handshake](std::string_view parameter) {
    return codec::http1::find_query_param(handshake.query, parameter) == "protobuf";
  };
  const bool protobuf =
      handshake.subprotocol == "centrifuge-protobuf" || asks("format") || asks("cf_protocol");
  return protobuf ? protobuf_codec() : json_codec();
}

}  // namespace parley::adapter::centrifuge
