// When users were last there, and last did something.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/hash.h"
#include "base/time.h"

namespace parley::hub {

struct UserStatusOptions {
  bool enabled = false;
  seconds keep = std::chrono::hours(744);  // behind the last sign of life
  size_t users = 100'000;                  // above: who showed none for longest is forgotten
};

// Times are seconds since 1970; 0: not known.
struct UserStatus {
  std::string user;
  int64_t active = 0;  // did something
  int64_t online = 0;  // was connected
};

// What: the statuses of the users that one shard is home to, in memory. Owner: its hub. Shard: its
// own. Failure: none: over the limit the oldest goes.
class UserStatuses {
 public:
  explicit UserStatuses(const UserStatusOptions& options) : options_(options) {}

  void note_active(std::string_view user, int64_t now) { touch(user, now).active = now; }
  void note_online(std::string_view user, int64_t now) { touch(user, now).online = now; }
  // With the name alone where nothing is known.
  UserStatus find(std::string_view user) const;
  void remove(std::string_view user);
  void expire(int64_t now);
  size_t size() const { return by_age_.size(); }

 private:
  struct Row {
    UserStatus status;
    int64_t touched = 0;
  };
  using Rows = std::list<Row>;

  UserStatus& touch(std::string_view user, int64_t now);
  void remove_oldest();

  UserStatusOptions options_;
  Rows by_age_;  // the oldest first
  std::unordered_map<std::string_view, Rows::iterator, SeededHash, std::equal_to<>> by_name_;
};

}  // namespace parley::hub
