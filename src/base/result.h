// Errors are values. Result<T> carries an operating error for people; a codec's peer errors use its
// own enum as E.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace parley {

// An operating error: what is wrong, where, and what to do, in one sentence for the person who
// reads it.
struct Error {
  std::string message;
};

template <class T, class E = Error>
using Result = std::expected<T, E>;

inline std::unexpected<Error> fail(std::string message) {
  return std::unexpected(Error{std::move(message)});
}

}  // namespace parley

// TRY(expr): the value of a Result, or return its error from the enclosing function.
#define TRY(expr)                                                                         \
  __extension__({                                                                         \
    auto&& try_result_ = (expr);                                                          \
    if (!try_result_.has_value()) return std::unexpected(std::move(try_result_).error()); \
    std::move(try_result_).value();                                                       \
  })
