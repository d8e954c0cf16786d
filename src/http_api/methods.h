// The table of the server API's methods.
#pragma once

#include <string_view>

#include "auth/ticket_desk.h"
#include "http_api/command.h"
#include "http_api/node_info.h"
#include "http_api/protobuf_command.h"
#include "hub/hub.h"

namespace parley::http_api {

// What a method runs with.
struct Runner {
  hub::Hub& hub;
  hub::RequesterId who;
  const NodeInfo& node;
  size_t history_bytes;                 // of one history answer
  auth::TicketDesk* tickets = nullptr;  // null: there are none
};

struct Method {
  std::string_view name;
  uint32_t field;  // its number in Protobuf's Command and Reply
  DecodeCommand decode;
  DecodeProtobuf decode_protobuf;
  // Asks the hub for one channel of the command. False: `outcome` is already there.
  bool (*run)(const Runner&, hub::StepId, const Command&, const std::string& channel,
              Outcome& outcome);
  // Turns the hub's answer into the result.
  Outcome (*render)(const Runner&, const Command&, const std::string& channel,
                    const hub::AnswerValue& answer);
  bool many_channels = false;  // the result is a list of responses
  bool keeps_order = false;    // two in a row on one channel are done in that order, unanswered
};

// nullptr when there is no such method. "batch" is none: it is a list of commands.
const Method* find_method(std::string_view name);
const Method* find_method(uint32_t field);

}  // namespace parley::http_api
