// Who is present, in one block of memory.
#pragma once

#include <memory>
#include <string_view>

#include "hub/publication.h"

namespace parley::hub {

// What: an immutable ClientInfo, and how it is present, in the smallest form: each session has one
// for each channel in which it is present, and four strings cost three times as much. Owner:
// PresenceBook. Shard: its own.
class PackedInfo {
 public:
  PackedInfo(const ClientInfo& info, PresenceManner manner);
  std::string_view user() const { return field(0); }
  std::string_view client() const { return field(1); }
  ClientInfo unpack() const;
  PresenceManner manner() const;

 private:
  static constexpr size_t kFields = 4;
  static constexpr size_t kFieldsBegin = kFields * sizeof(uint32_t) + 1;
  std::string_view field(size_t index) const;

  std::unique_ptr<char[]> block_;  // where each field ends, the manner, and the fields
};

}  // namespace parley::hub
