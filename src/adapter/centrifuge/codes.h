// How neutral failures are called in this protocol: one table for each.
#pragma once

#include "auth/access.h"
#include "codec/centrifuge/codes.h"
#include "hub/requester.h"
#include "session/end_reason.h"

namespace parley::adapter::centrifuge {

// What the client is told when its session ends for `reason`.
session::EndCode end_code(session::EndReason reason);

codec::centrifuge::ErrorCode error_code(hub::HubError error);
// Not for kAllow.
codec::centrifuge::ErrorCode error_code(auth::Verdict verdict);

// A refused connect, for clients that are sent no replies.
session::EndReason one_way_end(codec::centrifuge::ErrorCode code);

}  // namespace parley::adapter::centrifuge
