// Where an option's value lives in Config, as a pair of functions made from member pointers.
#pragma once

#include <limits>
#include <span>
#include <type_traits>

#include "config/config.h"
#include "config/value.h"

namespace parley::config {

// One of the words that an option takes, and the enumerator it stands for.
struct Choice {
  std::string_view word;
  int enumerator = 0;
};

struct Field {
  // The object is the one that the option's table is about: Config, or Namespace.
  void (*set)(void* object, const Value& value, std::span<const Choice> choices) = nullptr;
  Value (*get)(const void* object, std::span<const Choice> choices) = nullptr;
  Type type = Type::kString;
  int64_t max = std::numeric_limits<int64_t>::max();  // of a number
  bool is_signed = false;
};

namespace field_detail {

template <auto First, auto... Rest>
auto& follow(auto& object) {
  if constexpr (sizeof...(Rest) == 0) {
    return object.*First;
  } else {
    return follow<Rest...>(object.*First);
  }
}

template <class Class, class Member>
Class owner_of(Member Class::*);

template <auto First, auto...>
struct FirstOwner {
  using type = decltype(owner_of(First));
};

template <class T>
constexpr Type type_of() {
  if constexpr (std::is_same_v<T, bool>) return Type::kBool;
  if constexpr (std::is_same_v<T, Duration>) return Type::kDuration;
  if constexpr (std::is_same_v<T, Strings>) return Type::kStrings;
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) return Type::kInt;
  return Type::kString;  // and enums
}

template <class T>
void assign(T& out, const Value& value, std::span<const Choice> choices) {
  if constexpr (std::is_enum_v<T>) {
    for (const Choice& choice : choices)
      if (choice.word == std::get<std::string>(value)) out = static_cast<T>(choice.enumerator);
  } else if constexpr (type_of<T>() == Type::kInt) {
    out = static_cast<T>(std::get<int64_t>(value));
  } else {
    out = std::get<T>(value);
  }
}

// The word of an enumerator is the first that stands for it.
template <class T>
Value to_value(const T& in, std::span<const Choice> choices) {
  if constexpr (std::is_enum_v<T>) {
    for (const Choice& choice : choices)
      if (choice.enumerator == static_cast<int>(in)) return std::string(choice.word);
    return std::string();
  } else if constexpr (type_of<T>() == Type::kInt) {
    return static_cast<int64_t>(in);
  } else {
    return in;
  }
}

}  // namespace field_detail

// The field at the end of a chain of members: field<&Config::log, &Log::level>().
template <auto... Members>
Field field() {
  using Object = typename field_detail::FirstOwner<Members...>::type;
  using T =
      std::remove_reference_t<decltype(field_detail::follow<Members...>(std::declval<Object&>()))>;
  Field out;
  out.type = field_detail::type_of<T>();
  if constexpr (field_detail::type_of<T>() == Type::kInt) {
    out.is_signed = std::is_signed_v<T>;
    if constexpr (sizeof(T) < sizeof(int64_t)) out.max = std::numeric_limits<T>::max();
  }
  out.set = [](void* object, const Value& value, std::span<const Choice> choices) {
    field_detail::assign(field_detail::follow<Members...>(*static_cast<Object*>(object)), value,
                         choices);
  };
  out.get = [](const void* object, std::span<const Choice> choices) {
    return field_detail::to_value(
        field_detail::follow<Members...>(*static_cast<const Object*>(object)), choices);
  };
  return out;
}

}  // namespace parley::config
