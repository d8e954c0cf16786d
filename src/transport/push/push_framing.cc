#include "transport/push/push_framing.h"

#include <charconv>

namespace parley::transport::push {
namespace {

struct FormatRow {
  std::string_view content_type;
  std::string_view preamble;
  std::string_view before;  // each message
  std::string_view behind;
};

constexpr std::string_view kEventStream = "text/event-stream; charset=utf-8";
constexpr FormatRow kRows[kPushFormats] = {
    {kEventStream, ":\n\n", "", ""},
    {kEventStream, "\r\n", "data: ", "\n\n"},
    {"application/x-ndjson", "", "", "\n"},
    {"application/octet-stream", "", "", ""},
};

constexpr const FormatRow& row_of(PushFormat format) { return kRows[static_cast<size_t>(format)]; }

class BodyFraming final : public session::Framing {
 public:
  BodyFraming(PushFormat format, bool chunked) : row_(row_of(format)), chunked_(chunked) {}

  void frame(session::MessageType, Buffer& out, size_t start) const override {
    // All that goes in front goes there at once, since it moves the message.
    char front[32];
    char* end = front;
    if (chunked_) {
      const size_t size = row_.before.size() + (out.size() - start) + row_.behind.size();
      end = std::to_chars(front, front + 16, size, 16).ptr;
      *end++ = '\r';
      *end++ = '\n';
    }
    end += row_.before.copy(end, row_.before.size());
    out.insert(start, front, static_cast<size_t>(end - front));
    out.append(row_.behind);
    if (chunked_) out.append("\r\n");
  }

 private:
  const FormatRow& row_;
  const bool chunked_;
};

}  // namespace

std::string_view content_type(PushFormat format) { return row_of(format).content_type; }

std::string_view preamble(PushFormat format) { return row_of(format).preamble; }

const session::Framing& framing_for(PushFormat format, bool chunked) {
  using enum PushFormat;
  static const BodyFraming kFramings[kPushFormats][2] = {{{kEvents, false}, {kEvents, true}},
                                                         {{kEventData, false}, {kEventData, true}},
                                                         {{kLines, false}, {kLines, true}},
                                                         {{kBytes, false}, {kBytes, true}}};
  return kFramings[static_cast<size_t>(format)][chunked ? 1 : 0];
}

}  // namespace parley::transport::push
