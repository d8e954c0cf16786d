#include "codec/json/embed.h"

#include "base/base64.h"
#include "codec/json/validate.h"
#include "codec/json/write.h"

namespace parley::codec::json {

Buffer to_embeddable(Buffer bytes) {
  if (bytes.empty() || is_valid(bytes)) return bytes;
  Buffer out;
  if (is_utf8(bytes)) {
    append_string(out, bytes);
    return out;
  }
  out = R"({"base64":")";
  append_base64(out, bytes);
  out += R"("})";
  return out;
}

}  // namespace parley::codec::json
