#include "hub/packed_info.h"

#include <array>
#include <cstring>

namespace parley::hub {
namespace {

constexpr char kListed = 1, kAnnounced = 2;

}  // namespace

PackedInfo::PackedInfo(const ClientInfo& info, PresenceManner manner) {
  const std::array<std::string_view, kFields> fields{info.user, info.client, info.connection_info,
                                                     info.channel_info};
  std::array<uint32_t, kFields> ends;
  uint32_t end = 0;
  for (size_t i = 0; i < kFields; ++i) ends[i] = end += static_cast<uint32_t>(fields[i].size());
  block_ = std::make_unique_for_overwrite<char[]>(kFieldsBegin + end);
  std::memcpy(block_.get(), ends.data(), sizeof ends);
  block_[sizeof ends] =
      static_cast<char>((manner.listed ? kListed : 0) | (manner.announced ? kAnnounced : 0));
  char* to = block_.get() + kFieldsBegin;
  for (const std::string_view field : fields) to += field.copy(to, field.size());
}

std::string_view PackedInfo::field(size_t index) const {
  std::array<uint32_t, kFields> ends;
  std::memcpy(ends.data(), block_.get(), sizeof ends);
  const uint32_t begin = index == 0 ? 0 : ends[index - 1];
  return {block_.get() + kFieldsBegin + begin, ends[index] - begin};
}

PresenceManner PackedInfo::manner() const {
  const char marks = block_[kFieldsBegin - 1];
  return {.listed = (marks & kListed) != 0, .announced = (marks & kAnnounced) != 0};
}

ClientInfo PackedInfo::unpack() const {
  return {.user = std::string(field(0)),
          .client = std::string(field(1)),
          .connection_info = Buffer(field(2)),
          .channel_info = Buffer(field(3))};
}

}  // namespace parley::hub
