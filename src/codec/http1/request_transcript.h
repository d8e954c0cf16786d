// What a decoder says about a byte string, as text: for tests and the fuzz target, which compare
// the transcripts of one input cut in different ways.
#pragma once

#include <string>
#include <string_view>

#include "base/check.h"
#include "codec/http1/request_decoder.h"

namespace parley::codec::http1 {

inline std::string describe(const Request& request) {
  std::string out = request.method + ' ' + request.target + " [" + request.path + "][" +
                    request.query + "] 1." + std::to_string(request.minor_version) +
                    (request.keep_alive ? " keep-alive" : "") +
                    (request.upgrade ? " upgrade" : "") +
                    (request.expect_continue ? " expect-continue" : "") + '\n';
  for (const auto& header : request.headers) out += header.name + '=' + header.value + '\n';
  return out;
}

// Feeds `pieces` as a connection does, through all requests, up to an error or a missing byte.
template <class Pieces>
std::string transcript_of(const Pieces& pieces, Limits limits = {}) {
  std::string out;
  RequestDecoder decoder(limits);
  for (std::string_view in : pieces) {
    auto state = RequestDecoder::kHeadersDone;
    while (state != RequestDecoder::kNeedMore) {
      const auto step = decoder.decode(in);
      CHECK(step.consumed <= in.size());
      in.remove_prefix(step.consumed);
      state = step.state;
      if (state == RequestDecoder::kNeedMore) CHECK(in.empty());
      if (state == RequestDecoder::kHeadersDone) out += "head " + describe(decoder.request());
      if (state == RequestDecoder::kError)
        return out + "error " + std::to_string(static_cast<int>(decoder.error())) + '\n';
      if (state == RequestDecoder::kRequest) {
        CHECK(decoder.request().body.size() <= limits.body_bytes);
        out += "request " + describe(decoder.request()) + decoder.request().body + '\n';
        decoder.reset();
        CHECK(decoder.idle());
      }
    }
  }
  return out + (decoder.idle() ? "idle\n" : "open\n");
}

}  // namespace parley::codec::http1
