// Any bytes: no crash, limits hold, and the decoder says the same however the bytes are cut.
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "codec/http1/request_transcript.h"

namespace {

using parley::codec::http1::Limits;
using parley::codec::http1::transcript_of;

// Pieces of 1 to 16 bytes, chosen by the bytes themselves.
std::vector<std::string_view> cut(std::string_view in) {
  std::vector<std::string_view> pieces;
  uint32_t state = 2166136261u;
  while (!in.empty()) {
    state = (state ^ static_cast<uint8_t>(in.front())) * 16777619u;
    pieces.push_back(in.substr(0, 1 + (state >> 16) % 16));
    in.remove_prefix(pieces.back().size());
  }
  return pieces;
}

void check_cuts(std::string_view in, Limits limits) {
  const auto whole = transcript_of(std::vector{in}, limits);
  std::vector<std::string_view> bytes;
  for (size_t i = 0; i < in.size(); ++i) bytes.push_back(in.substr(i, 1));
  CHECK(transcript_of(bytes, limits) == whole);
  CHECK(transcript_of(cut(in), limits) == whole);
  CHECK(transcript_of(std::vector{in.substr(0, in.size() / 2), in.substr(in.size() / 2)}, limits) ==
        whole);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view in(reinterpret_cast<const char*>(data), size);
  check_cuts(in, Limits{});
  check_cuts(in,
             Limits{.request_line = 40, .header_bytes = 60, .header_count = 3, .body_bytes = 8});
  return 0;
}
