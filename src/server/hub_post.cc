#include "server/hub_post.h"

namespace parley::server {
namespace {

size_t cost(const hub::Request& request) {
  if (const auto* publish = std::get_if<hub::PublishRecord>(&request.body))
    return sizeof(request) + publish->publication->cost();
  const auto* control = std::get_if<hub::ControlRequest>(&request.body);
  return sizeof(request) + (control == nullptr ? 0 : control->control->cost());
}

// The publications of a page are shared with the history they come from, so only the references
// count.
size_t cost(const hub::Reply& reply) {
  if (!reply.body) return sizeof(reply);
  if (const auto* controlled = std::get_if<hub::Controlled>(&*reply.body))
    return sizeof(reply) + controlled->bytes;
  const auto* page = std::get_if<hub::ReadPage>(&*reply.body);
  return sizeof(reply) +
         (page == nullptr ? 0 : page->publications.size() * sizeof(hub::PublicationPtr));
}

}  // namespace

size_t HubMessageCost::operator()(const hub::HubMessage& message) const {
  if (const auto* feed = std::get_if<hub::Feed>(&message)) return feed->publication->cost();
  if (const auto* request = std::get_if<std::unique_ptr<hub::Request>>(&message))
    return cost(**request);
  if (std::holds_alternative<hub::Done>(message)) return sizeof(message) + sizeof(hub::Request);
  if (const auto* reply = std::get_if<std::unique_ptr<hub::Reply>>(&message)) return cost(**reply);
  return sizeof(message);
}

}  // namespace parley::server
