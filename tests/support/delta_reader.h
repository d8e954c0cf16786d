// A protocol's deltas in their simplest form, for tests of sessions: what is appended to the base.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/scripted_adapter.h"

namespace parley::testing {

// As LineDialect; a change is "channel:offset:+rest". Counts what it encodes.
class AppendDialect final : public session::Dialect {
 public:
  session::MessageType type() const override { return session::MessageType::kText; }
  void encode(const hub::LocalChannel& channel, const hub::Publication& publication,
              Buffer& out) const override {
    ++whole;
    LineDialect::shared().encode(channel, publication, out);
  }
  bool encode_delta(const hub::LocalChannel& channel, const hub::Publication& publication,
                    const hub::Publication& base, Buffer& out) const override {
    const std::string_view data = publication.data;
    if (data.starts_with('-') || !data.starts_with(base.data) || data.size() == base.data.size())
      return false;
    ++changes;
    out.append(channel.key().name).append(":");
    append_uint(out, publication.offset);
    out.append(":+").append(data.substr(base.data.size()));
    return true;
  }
  static const AppendDialect& shared() {
    static const AppendDialect dialect;
    return dialect;
  }
  mutable int whole = 0;
  mutable int changes = 0;
};

// What a client makes of the frames of one subscription: it knows no offsets, only what it had
// last.
class DeltaReader {
 public:
  // Returns the publication as a LineDialect would have written it.
  std::string read(const std::string& frame) {
    const size_t number = frame.find(':') + 1;
    const size_t data = frame.find(':', number) + 1;
    const bool change = frame.compare(data, 1, "+") == 0;
    EXPECT_TRUE(!change || !last_.empty());
    last_ = change ? last_ + frame.substr(data + 1) : frame.substr(data);
    changes_ += change ? 1 : 0;
    seen_[std::stoull(frame.substr(number))] = last_;
    return frame.substr(0, data) + last_;
  }
  const std::map<uint64_t, std::string>& seen() const { return seen_; }
  size_t changes() const { return changes_; }

 private:
  std::string last_;
  std::map<uint64_t, std::string> seen_;
  size_t changes_ = 0;
};

}  // namespace parley::testing
