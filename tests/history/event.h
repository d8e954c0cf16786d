// What happened in a run, as somebody outside of the server saw it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace parley::history {

enum class Kind : uint8_t {
  // A publisher's side. Each kSent is followed by one of the other three, or by nothing (unknown).
  kSent,     // client, channel, value; key: an idempotency key; tag: what filters look at
  kAcked,    // client, channel, value; epoch and offset if it was told; durable
  kUnknown,  // client, channel, value: no answer came, it may or may not have happened
  kRefused,  // client, channel, value: an error was told, it must never be delivered

  // A reader's side: one client in one channel.
  kSubscribed,    // epoch and offset of the top if told; recovered; positioned; asked; tag; window
  kDelivered,     // value; offset; epoch unless it is that of the subscription; again
  kGap,           // from..to, reason; epoch: the one it goes on in, unless it stays the same
  kUnsubscribed,  // told, by whomever: nothing more comes
  kDisconnected,  // the line is lost and the client tries again; channel "": all of this client's
  kEnded,         // the client left for good; channel "": all of this client's

  // Presence, as an observer is told and as it is.
  kJoin,      // client is told that `member` came into the channel
  kLeave,     // client is told that `member` left it
  kEntered,   // the truth: `member` came
  kLeft,      // the truth: `member` left
  kPresence,  // client reads the set of `members` when everything has settled

  // The run itself.
  kRestarted,   // channel ("": all) may have one new epoch from here on; reason
  kEpochBegan,  // channel: `epoch` begins and keeps the publications of `after` up to `offset`
  kHealed,      // no fault any more: from here on everybody must catch up in time
  kQuiet,       // the run waited for everything: whoever is still subscribed must have it all
};

// One line of a history. A plain value; what a kind does not name is left as it is here.
struct Event {
  Kind kind = Kind::kSent;
  int64_t at = 0;      // microseconds of one clock for all
  std::string client;  // who publishes, reads or observes
  std::string channel;
  std::string value;    // what identifies a publication: its bytes, or a name for them
  std::string epoch;    // as opaque as on the wire; "": not told
  uint64_t offset = 0;  // 0: not told, or before the first
  uint64_t from = 0;    // of a gap, inclusive
  uint64_t to = 0;
  std::optional<uint64_t> asked;  // the offset a subscription asked to go on behind; unless it is
                                  // the one that this client reached here
  bool recovered = false;         // the subscription goes on where it stood
  bool positioned = true;         // false: this reader was promised no recovery, only order
  bool durable = false;           // acknowledged at a level that survives a crash
  bool again = false;             // carries its protocol's mark of a repetition
  uint64_t window = 0;  // so many publications behind the top recovery is promised; 0: unknown
  std::string after;    // the epoch before
  std::string key;
  std::string tag;  // of a subscription: only publications with this tag; "": all
  std::string reason;
  std::string member;
  std::vector<std::string> members;
};

}  // namespace parley::history
