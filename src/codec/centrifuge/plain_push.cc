#include "codec/centrifuge/plain_push.h"

#include <cstring>

#include "codec/json/write.h"

namespace parley::codec::centrifuge {
namespace {

// All that stands between the fields, and an offset.
constexpr size_t kFixedPart = 160;

bool is_plain(const ClientInfo& info) {
  return json::is_plain(info.user) && json::is_plain(info.client) &&
         json::is_compact(info.conn_info) && json::is_compact(info.chan_info);
}

bool is_plain(std::string_view channel, const Publication& publication) {
  const Publication& p = publication;
  const bool more = p.data_as_string || !p.tags.empty() || p.delta || !p.channel.empty() ||
                    !p.key.empty() || p.removed || p.score != 0 || !p.epoch.empty() ||
                    p.version != 0;
  return !more && !channel.empty() && !p.data.empty() && json::is_plain(channel) &&
         json::is_compact(p.data) && (p.info == nullptr || is_plain(*p.info));
}

size_t size_of(const ClientInfo& info) {
  return info.user.size() + info.client.size() + info.conn_info.size() + info.chan_info.size();
}

// Writes into room that is known to suffice.
struct Pen {
  void put(std::string_view text) {
    // None may have no place either, which memcpy() must not be given.
    if (text.empty()) return;
    std::memcpy(at, text.data(), text.size());
    at += text.size();
  }
  void put_present(std::string_view name, ByteView value) {
    if (value.empty()) return;
    put(name);
    put(value);
  }
  void put(const ClientInfo& info) {
    put(R"(,"info":{"user":")");
    put(info.user);
    put(R"(","client":")");
    put(info.client);
    put("\"");
    put_present(R"(,"conn_info":)", info.conn_info);
    put_present(R"(,"chan_info":)", info.chan_info);
    put("}");
  }
  void put_number(uint64_t value) { at = std::to_chars(at, at + 20, value).ptr; }

  char* at;
};

}  // namespace

bool append_plain_push(Buffer& out, std::string_view channel, const Publication& publication) {
  if (!is_plain(channel, publication)) return false;
  const size_t start = out.size();
  const size_t most = start + kFixedPart + channel.size() + publication.data.size() +
                      (publication.info != nullptr ? size_of(*publication.info) : 0);
  out.resize_and_overwrite(most, [&](char* bytes, size_t) {
    Pen pen{bytes + start};
    pen.put(R"({"push":{"channel":")");
    pen.put(channel);
    pen.put(R"(","pub":{"data":)");
    pen.put(publication.data);
    if (publication.info != nullptr) pen.put(*publication.info);
    if (publication.offset != 0) {
      pen.put(R"(,"offset":)");
      pen.put_number(publication.offset);
    }
    pen.put("}}}");
    return static_cast<size_t>(pen.at - bytes);
  });
  return true;
}

}  // namespace parley::codec::centrifuge
