#include "hub/user_statuses.h"

#include "base/metrics.h"

namespace parley::hub {
namespace {

metrics::Counter crowded_out("parley_user_statuses_forgotten_total",
                             "Statuses of users forgotten early because there were too many");

}  // namespace

UserStatus& UserStatuses::touch(std::string_view user, int64_t now) {
  const auto known = by_name_.find(user);
  if (known != by_name_.end()) {
    by_age_.splice(by_age_.end(), by_age_, known->second);
  } else {
    if (by_age_.size() >= options_.users && !by_age_.empty()) {
      crowded_out.add(1);
      remove_oldest();
    }
    by_age_.push_back({.status = {.user = std::string(user)}});
    by_name_.emplace(by_age_.back().status.user, std::prev(by_age_.end()));
  }
  by_age_.back().touched = now;
  return by_age_.back().status;
}

UserStatus UserStatuses::find(std::string_view user) const {
  const auto known = by_name_.find(user);
  return known == by_name_.end() ? UserStatus{.user = std::string(user)} : known->second->status;
}

void UserStatuses::remove(std::string_view user) {
  const auto known = by_name_.find(user);
  if (known == by_name_.end()) return;
  const Rows::iterator row = known->second;
  by_name_.erase(known);
  by_age_.erase(row);
}

void UserStatuses::remove_oldest() {
  by_name_.erase(by_age_.front().status.user);
  by_age_.pop_front();
}

void UserStatuses::expire(int64_t now) {
  constexpr int kMostAtOnce = 1000;
  for (int i = 0; i < kMostAtOnce; ++i) {
    if (by_age_.empty() || by_age_.front().touched + options_.keep.count() > now) return;
    remove_oldest();
  }
}

}  // namespace parley::hub
