// The Centrifuge protocol's Protobuf encoding in terms of its JSON, for tests: JSON commands
// become Protobuf commands, Protobuf replies become JSON. Written from the schema alone and shares
// nothing with the codec.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "codec/json/reader.h"
#include "codec/json/write.h"

namespace parley::testing {

struct SchemaField {
  enum Type { kUint, kInt, kZigzag, kFlag, kText, kBytes, kMessage, kTextMap, kMessageMap };
  enum Form { kSingle, kList, kAlways };  // kAlways: JSON has it even when it is zero

  uint32_t number;
  std::string_view key;
  Type type = kUint;
  const std::vector<SchemaField>* message = nullptr;
  Form form = kSingle;
};

using Schema = std::vector<SchemaField>;

inline const Schema& command_schema() {
  using F = SchemaField;
  static const Schema filter = {{1, "op", F::kText},
                                {2, "key", F::kText},
                                {3, "cmp", F::kText},
                                {4, "val", F::kText},
                                {5, "vals", F::kText, nullptr, F::kList},
                                {6, "nodes", F::kMessage, &filter, F::kList}};
  static const Schema subscribe = {{1, "channel", F::kText},
                                   {2, "token", F::kText},
                                   {3, "recover", F::kFlag},
                                   {6, "epoch", F::kText},
                                   {7, "offset"},
                                   {8, "data", F::kBytes},
                                   {9, "positioned", F::kFlag},
                                   {10, "recoverable", F::kFlag},
                                   {11, "join_leave", F::kFlag},
                                   {12, "delta", F::kText},
                                   {13, "tf", F::kMessage, &filter},
                                   {14, "flag", F::kInt},
                                   {15, "type", F::kInt},
                                   {16, "phase", F::kInt},
                                   {17, "cursor", F::kText},
                                   {18, "limit", F::kInt},
                                   {19, "asc", F::kFlag}};
  static const Schema connect = {
      {1, "token", F::kText}, {2, "data", F::kBytes},   {3, "subs", F::kMessageMap, &subscribe},
      {4, "name", F::kText},  {5, "version", F::kText}, {6, "headers", F::kTextMap},
      {7, "flag", F::kInt},   {8, "dict", F::kText},    {9, "profile", F::kText}};
  static const Schema channel = {{1, "channel", F::kText}};
  static const Schema publish = {{1, "channel", F::kText},
                                 {2, "data", F::kBytes},
                                 {3, "type", F::kInt},
                                 {4, "key", F::kText},
                                 {5, "removed", F::kFlag}};
  static const Schema since = {{1, "offset"}, {2, "epoch", F::kText}};
  static const Schema history = {{1, "channel", F::kText},
                                 {7, "limit", F::kInt},
                                 {8, "since", F::kMessage, &since},
                                 {9, "reverse", F::kFlag}};
  static const Schema send = {{1, "data", F::kBytes}};
  static const Schema rpc = {{1, "data", F::kBytes}, {2, "method", F::kText}};
  static const Schema refresh = {{1, "token", F::kText}};
  static const Schema item = {{1, "key", F::kText}, {2, "version"}};
  static const Schema batch = {{1, "signature", F::kText},
                               {2, "items", F::kMessage, &item, F::kList}};
  static const Schema sub_refresh = {{1, "channel", F::kText},
                                     {2, "token", F::kText},
                                     {3, "type", F::kInt},
                                     {4, "track", F::kMessage, &batch, F::kList},
                                     {5, "untrack", F::kText, nullptr, F::kList}};
  static const Schema none = {};
  static const Schema command = {{1, "id"},
                                 {4, "connect", F::kMessage, &connect},
                                 {5, "subscribe", F::kMessage, &subscribe},
                                 {6, "unsubscribe", F::kMessage, &channel},
                                 {7, "publish", F::kMessage, &publish},
                                 {8, "presence", F::kMessage, &channel},
                                 {9, "presence_stats", F::kMessage, &channel},
                                 {10, "history", F::kMessage, &history},
                                 {11, "ping", F::kMessage, &none},
                                 {12, "send", F::kMessage, &send},
                                 {13, "rpc", F::kMessage, &rpc},
                                 {14, "refresh", F::kMessage, &refresh},
                                 {15, "sub_refresh", F::kMessage, &sub_refresh}};
  return command;
}

inline const Schema& reply_schema() {
  using F = SchemaField;
  static const Schema none = {};
  static const Schema info = {{1, "user", F::kText, nullptr, F::kAlways},
                              {2, "client", F::kText, nullptr, F::kAlways},
                              {3, "conn_info", F::kBytes},
                              {4, "chan_info", F::kBytes}};
  static const Schema publication = {{4, "data", F::kBytes},
                                     {5, "info", F::kMessage, &info},
                                     {6, "offset"},
                                     {7, "tags", F::kTextMap},
                                     {8, "delta", F::kFlag},
                                     {10, "channel", F::kText},
                                     {11, "key", F::kText},
                                     {12, "removed", F::kFlag},
                                     {13, "score", F::kZigzag},
                                     {14, "epoch", F::kText},
                                     {16, "version"}};
  static const Schema subscribe = {{1, "expires", F::kFlag},
                                   {2, "ttl"},
                                   {3, "recoverable", F::kFlag},
                                   {6, "epoch", F::kText},
                                   {7, "publications", F::kMessage, &publication, F::kList},
                                   {8, "recovered", F::kFlag},
                                   {9, "offset"},
                                   {10, "positioned", F::kFlag},
                                   {11, "data", F::kBytes},
                                   {12, "was_recovering", F::kFlag},
                                   {13, "delta", F::kFlag},
                                   {14, "id"},
                                   {15, "type", F::kInt},
                                   {16, "phase", F::kInt},
                                   {17, "cursor", F::kText},
                                   {18, "state", F::kMessage, &publication, F::kList},
                                   {19, "publish_debounce"}};
  static const Schema connect = {{1, "client", F::kText},
                                 {2, "version", F::kText},
                                 {3, "expires", F::kFlag},
                                 {4, "ttl"},
                                 {5, "data", F::kBytes},
                                 {6, "subs", F::kMessageMap, &subscribe},
                                 {7, "ping"},
                                 {8, "pong", F::kFlag},
                                 {9, "session", F::kText},
                                 {10, "node", F::kText},
                                 {11, "time", F::kInt}};
  // In the order of the reply's JSON.
  static const Schema connect_push = {{1, "client", F::kText},
                                      {2, "version", F::kText},
                                      {5, "expires", F::kFlag},
                                      {6, "ttl"},
                                      {3, "data", F::kBytes},
                                      {4, "subs", F::kMessageMap, &subscribe},
                                      {7, "ping"},
                                      {8, "pong", F::kFlag},
                                      {9, "session", F::kText},
                                      {10, "node", F::kText},
                                      {11, "time", F::kInt}};
  static const Schema presence = {{1, "presence", F::kMessageMap, &info, F::kAlways}};
  static const Schema stats = {{1, "num_clients", F::kUint, nullptr, F::kAlways},
                               {2, "num_users", F::kUint, nullptr, F::kAlways}};
  static const Schema history = {{1, "publications", F::kMessage, &publication, F::kAlways},
                                 {2, "epoch", F::kText, nullptr, F::kAlways},
                                 {3, "offset", F::kUint, nullptr, F::kAlways}};
  static const Schema data = {{1, "data", F::kBytes}};
  static const Schema refresh = {
      {1, "client", F::kText}, {2, "version", F::kText}, {3, "expires", F::kFlag}, {4, "ttl"}};
  static const Schema sub_refresh = {
      {1, "expires", F::kFlag}, {2, "ttl"}, {3, "items", F::kMessage, &publication, F::kList}};
  static const Schema error = {{1, "code"}, {2, "message", F::kText}, {3, "temporary", F::kFlag}};
  static const Schema member = {{1, "info", F::kMessage, &info}};
  static const Schema unsubscribe = {{2, "code"}, {3, "reason", F::kText}};
  static const Schema subscribe_push = {{1, "recoverable", F::kFlag},
                                        {4, "epoch", F::kText},
                                        {5, "offset"},
                                        {6, "positioned", F::kFlag},
                                        {7, "data", F::kBytes}};
  static const Schema disconnect = {
      {1, "code"}, {2, "reason", F::kText}, {3, "reconnect", F::kFlag}};
  static const Schema refresh_push = {{1, "expires", F::kFlag}, {2, "ttl"}};
  static const Schema push = {{1, "id"},
                              {2, "channel", F::kText},
                              {4, "pub", F::kMessage, &publication},
                              {5, "join", F::kMessage, &member},
                              {6, "leave", F::kMessage, &member},
                              {7, "unsubscribe", F::kMessage, &unsubscribe},
                              {8, "message", F::kMessage, &data},
                              {9, "subscribe", F::kMessage, &subscribe_push},
                              {10, "connect", F::kMessage, &connect_push},
                              {11, "disconnect", F::kMessage, &disconnect},
                              {12, "refresh", F::kMessage, &refresh_push}};
  static const Schema reply = {{1, "id"},
                               {2, "error", F::kMessage, &error},
                               {4, "push", F::kMessage, &push},
                               {5, "connect", F::kMessage, &connect},
                               {6, "subscribe", F::kMessage, &subscribe},
                               {7, "unsubscribe", F::kMessage, &none},
                               {8, "publish", F::kMessage, &none},
                               {9, "presence", F::kMessage, &presence},
                               {10, "presence_stats", F::kMessage, &stats},
                               {11, "history", F::kMessage, &history},
                               {13, "rpc", F::kMessage, &data},
                               {14, "refresh", F::kMessage, &refresh},
                               {15, "sub_refresh", F::kMessage, &sub_refresh}};
  return reply;
}

inline void put_varint(std::string& out, uint64_t value) {
  for (; value >= 128; value /= 128) out.push_back(static_cast<char>(value % 128 + 128));
  out.push_back(static_cast<char>(value));
}

// A length-delimited field; with number 0 only the length and the bytes.
inline std::string delimited(uint32_t number, std::string_view bytes) {
  std::string out;
  if (number != 0) put_varint(out, number * 8 + 2);
  put_varint(out, bytes.size());
  return out.append(bytes);
}

// JSON commands, a line each, as one Protobuf frame.
class ToProtobuf {
 public:
  static std::string frame(std::string_view lines) {
    std::string out;
    while (!lines.empty()) {
      const size_t size = lines.find('\n');
      codec::json::Scratch scratch;
      codec::json::Reader in(lines.substr(0, size), scratch);
      out += delimited(0, object(in, command_schema()));
      CHECK(in.finish());
      lines.remove_prefix(size == lines.npos ? lines.size() : size + 1);
    }
    return out;
  }

 private:
  using Reader = codec::json::Reader;

  static std::string object(Reader& in, const Schema& schema) {
    std::string out;
    CHECK(in.object());
    for (std::string_view key; in.key(key);)
      for (const SchemaField& field : schema)
        if (field.key == key) out += value(in, field);
    return out;
  }

  static std::string value(Reader& in, const SchemaField& field) {
    std::string out;
    if (field.form == SchemaField::kList) {
      CHECK(in.array());
      while (in.element()) out += one(in, field);
    } else if (field.type == SchemaField::kTextMap || field.type == SchemaField::kMessageMap) {
      CHECK(in.object());
      for (std::string_view key; in.key(key);) {
        const std::string entry = delimited(1, key);
        const auto type =
            field.type == SchemaField::kTextMap ? SchemaField::kText : SchemaField::kMessage;
        out += delimited(field.number, entry + one(in, {2, {}, type, field.message}));
      }
    } else {
      out = one(in, field);
    }
    return out;
  }

  static std::string one(Reader& in, const SchemaField& field) {
    std::string_view text;
    switch (field.type) {
      case SchemaField::kText:
        CHECK(in.string(text));
        return delimited(field.number, text);
      case SchemaField::kBytes:
        return delimited(field.number, in.raw());
      case SchemaField::kMessage:
        return delimited(field.number, object(in, *field.message));
      default:
        return number(in, field);
    }
  }

  static std::string number(Reader& in, const SchemaField& field) {
    std::string out;
    put_varint(out, field.number * 8);
    bool flag = false;
    uint64_t natural = 0;
    int64_t whole = 0;
    switch (field.type) {
      case SchemaField::kFlag:
        CHECK(in.boolean(flag));
        put_varint(out, flag);
        break;
      case SchemaField::kUint:
        CHECK(in.integer(natural));
        put_varint(out, natural);
        break;
      default:
        CHECK(in.integer(whole));
        put_varint(out, static_cast<uint64_t>(whole));
    }
    return out;
  }
};

// Protobuf replies as JSON, a line each. Whatever the schema does not know ends the program.
class FromProtobuf {
 public:
  static std::string frame(std::string_view frame) {
    std::string out;
    while (!frame.empty()) {
      if (!out.empty()) out += '\n';
      object(take(frame, take_varint(frame)), reply_schema(), out);
    }
    return out;
  }

 private:
  struct Value {
    uint64_t number = 0;
    std::string_view bytes = {};
  };

  static uint64_t take_varint(std::string_view& in) {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      CHECK(!in.empty() && shift < 64);
      const auto byte = static_cast<uint8_t>(in.front());
      in.remove_prefix(1);
      value |= uint64_t{byte & 127u} << shift;
      if (byte < 128) return value;
    }
  }

  static std::string_view take(std::string_view& in, uint64_t size) {
    CHECK(size <= in.size());
    const std::string_view bytes = in.substr(0, size);
    in.remove_prefix(size);
    return bytes;
  }

  static std::multimap<uint64_t, Value> values(std::string_view message) {
    std::multimap<uint64_t, Value> all;
    for (uint64_t last = 0; !message.empty();) {
      const uint64_t tag = take_varint(message);
      CHECK(tag / 8 >= last);  // in the order of their numbers
      last = tag / 8;
      Value value;
      if (tag % 8 == 0) {
        value.number = take_varint(message);
      } else {
        CHECK(tag % 8 == 2);
        value.bytes = take(message, take_varint(message));
      }
      all.emplace(last, value);
    }
    return all;
  }

  static void object(std::string_view message, const Schema& schema, std::string& out) {
    const auto all = values(message);
    size_t known = 0;
    char before = '{';
    for (const SchemaField& field : schema) {
      const size_t count = all.count(field.number);
      known += count;
      if (count == 0 && field.form != SchemaField::kAlways) continue;
      out += before;
      before = ',';
      codec::json::append_string(out, field.key);
      out += ':';
      several(field, all, out);
    }
    CHECK(known == all.size());
    out += before == '{' ? "{}" : "}";
  }

  static void several(const SchemaField& field, const std::multimap<uint64_t, Value>& all,
                      std::string& out) {
    const auto [begin, end] = all.equal_range(field.number);
    const bool map = field.type == SchemaField::kTextMap || field.type == SchemaField::kMessageMap;
    const bool list = field.form == SchemaField::kList ||
                      (field.form == SchemaField::kAlways && field.type == SchemaField::kMessage);
    if (!map && !list) {
      CHECK(all.count(field.number) <= 1);
      return one(field, begin == end ? Value{} : begin->second, out);
    }
    out += map ? '{' : '[';
    for (auto value = begin; value != end; ++value) {
      if (value != begin) out += ',';
      if (map) {
        entry(field, value->second.bytes, out);
      } else {
        one(field, value->second, out);
      }
    }
    out += map ? '}' : ']';
  }

  static void entry(const SchemaField& map, std::string_view message, std::string& out) {
    auto parts = values(message);
    codec::json::append_string(out, parts.count(1) == 0 ? "" : parts.find(1)->second.bytes);
    out += ':';
    const bool text = map.type == SchemaField::kTextMap;
    CHECK(text || parts.count(2) == 1);
    one({2, {}, text ? SchemaField::kText : SchemaField::kMessage, map.message},
        parts.count(2) == 0 ? Value{} : parts.find(2)->second, out);
  }

  static void one(const SchemaField& field, Value value, std::string& out) {
    switch (field.type) {
      case SchemaField::kUint:
        out += std::to_string(value.number);
        break;
      case SchemaField::kInt:
        out += std::to_string(static_cast<int64_t>(value.number));
        break;
      case SchemaField::kZigzag:
        out += std::to_string(static_cast<int64_t>(value.number / 2) * (value.number % 2 ? -1 : 1) -
                              static_cast<int64_t>(value.number % 2));
        break;
      case SchemaField::kFlag:
        CHECK(value.number == 1);
        out += "true";
        break;
      case SchemaField::kText:
        codec::json::append_string(out, value.bytes);
        break;
      case SchemaField::kBytes:
        out += value.bytes;
        break;
      default:
        object(value.bytes, *field.message, out);
    }
  }
};

}  // namespace parley::testing
