// Who is present, in one block of memory.
#pragma once

#include <memory>
#include <string_view>

#include "hub/publication.h"

namespace parley::hub {

// What: an immutable ClientInfo in the smallest form: each session has one for each channel in
// which it is present, and four strings cost three times as much. Owner: PresenceBook. Shard: its
// own.
class PackedInfo {
 public:
  explicit PackedInfo(const ClientInfo& info);
  std::string_view user() const { return field(0); }
  std::string_view client() const { return field(1); }
  ClientInfo unpack() const;

 private:
  static constexpr size_t kFields = 4;
  std::string_view field(size_t index) const;

  std::unique_ptr<char[]> block_;  // where each field ends, and the fields
};

}  // namespace parley::hub
