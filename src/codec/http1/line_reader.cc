#include "codec/http1/line_reader.h"

#include <algorithm>

namespace parley::codec::http1 {

LineReader::Result LineReader::take(ByteView& in, size_t limit, ByteView& line) {
  if (taken_) {
    partial_.clear();
    taken_ = false;
  }
  const size_t room = limit > partial_.size() ? limit - partial_.size() : 0;
  const auto window = in.substr(0, std::min(in.size(), room));
  const size_t line_feed = window.find('\n');
  if (line_feed == ByteView::npos) {
    if (in.size() > room) return Result::kTooLong;
    partial_.append(in);
    in = {};
    return Result::kNeedMore;
  }
  const auto piece = in.substr(0, line_feed + 1);
  in.remove_prefix(piece.size());
  if (partial_.empty()) {
    line = piece;
  } else {
    partial_.append(piece);
    taken_ = true;
    line = partial_;
  }
  if (!line.ends_with("\r\n")) return Result::kBareLineFeed;
  line.remove_suffix(2);
  return Result::kLine;
}

}  // namespace parley::codec::http1
