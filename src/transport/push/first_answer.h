// What a request for a stream is answered with: the stream, or why there is none.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "codec/http1/response_encoder.h"
#include "session/end_reason.h"
#include "transport/push/push_framing.h"

namespace parley::transport::push {

struct Refusal {
  int status;
  std::string_view text;
};
// An adapter that speaks HTTP statuses says which; otherwise the reason does.
Refusal refusal_for(session::EndReason reason, const session::EndCode& code);

// Of a session that was not known to be let in when its socket was taken over: the answer waits for
// what the session says first, or for its end. A value.
struct FirstAnswer {
  Buffer stream;       // the head of a stream, and what opens it
  std::string origin;  // of the page that may read a refusal; "": none

  // The whole response of the connection's last request.
  Buffer refusal(session::EndReason reason, const session::EndCode& code) const;
};

}  // namespace parley::transport::push
