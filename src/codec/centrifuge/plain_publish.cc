#include "codec/centrifuge/plain_publish.h"

#include "codec/json/scan.h"
#include "codec/json/validate.h"

namespace parley::codec::centrifuge {
namespace {

// Nine digits always fit 32 bits.
constexpr size_t kMaxDigits = 9;
// Objects around the data.
constexpr uint32_t kAround = 2;

// Takes one piece after the other off the front of a line.
class Pieces {
 public:
  explicit Pieces(ByteView line) : at_(line.data()), end_(line.data() + line.size()) {}

  bool take(std::string_view literal) {
    if (!ByteView(at_, left()).starts_with(literal)) return false;
    at_ += literal.size();
    return true;
  }
  bool take_number(uint32_t& out) {
    const char* const begin = at_;
    uint32_t value = 0;
    for (; at_ != end_ && *at_ >= '0' && *at_ <= '9'; ++at_)
      value = value * 10 + static_cast<uint32_t>(*at_ - '0');
    const auto digits = static_cast<size_t>(at_ - begin);
    if (digits == 0 || digits > kMaxDigits || (*begin == '0' && digits > 1)) return false;
    out = value;
    return true;
  }
  // Up to the quote that ends it.
  bool take_text(std::string_view& out) {
    const char* const stop = json::find_special(at_, end_);
    if (stop == end_ || *stop != '"') return false;
    out = {at_, static_cast<size_t>(stop - at_)};
    at_ = stop;
    return true;
  }
  // Without space around it.
  bool take_value(uint32_t max_depth, ByteView& out) {
    if (at_ != json::skip_space(at_, end_)) return false;
    const char* const behind = json::scan_value(at_, end_, max_depth);
    if (behind == nullptr) return false;
    out = {at_, static_cast<size_t>(behind - at_)};
    at_ = behind;
    return true;
  }
  bool at_end() const { return at_ == end_; }

 private:
  size_t left() const { return static_cast<size_t>(end_ - at_); }

  const char* at_;
  const char* end_;
};

}  // namespace

bool read_plain_publish(ByteView line, uint32_t max_depth, Command& out) {
  Pieces pieces(line);
  uint32_t id = 0;
  PublishRequest publish;
  const bool numbered = pieces.take(R"({"id":)");
  if (numbered && !(pieces.take_number(id) && pieces.take(","))) return false;
  if (!numbered && !pieces.take("{")) return false;
  if (max_depth < kAround || !pieces.take(R"("publish":{"channel":")") ||
      !pieces.take_text(publish.channel) || !pieces.take(R"(","data":)") ||
      !pieces.take_value(max_depth - kAround, publish.data) || !pieces.take("}"))
    return false;
  if (!numbered && !(pieces.take(R"(,"id":)") && pieces.take_number(id))) return false;
  // Null is the same as none, which is not plain.
  if (!pieces.take("}") || !pieces.at_end() || publish.data == "null" || !json::is_utf8(line))
    return false;
  out.id = id;
  out.request.emplace<PublishRequest>(publish);
  return true;
}

}  // namespace parley::codec::centrifuge
