// Ownership of a file descriptor, and the process's limit of them.
#pragma once

#include <cstddef>
#include <utility>

namespace parley::io {

// Closes its descriptor when destroyed. Any thread.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset();

 private:
  int fd_ = -1;
};

// Raises the soft limit of open descriptors to the hard one and returns what holds now.
size_t raise_fd_limit();

}  // namespace parley::io
