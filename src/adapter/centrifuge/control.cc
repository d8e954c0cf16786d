// What the application's backend wants of a client.
#include "adapter/centrifuge/adapter.h"

namespace parley::adapter::centrifuge {

void CentrifugeAdapter::on_control(const hub::Control& control, session::Effects& effects) {
  if (control.kind == hub::Control::Kind::kUnsubscribe)
    control_unsubscribe(control.channel, effects);
}

// The client is told whether or not it was subscribed, as Centrifugo does.
void CentrifugeAdapter::control_unsubscribe(const std::string& name, session::Effects& effects) {
  Channel* channel = find(name);
  if (channel != nullptr && channel->joining) {
    channel->joining->revoked = true;
    return;
  }
  if (channel != nullptr) drop(*channel, effects);
  push_unsubscribe(name, wire::UnsubscribeCode::kServer, effects);
}

void CentrifugeAdapter::push_unsubscribe(std::string_view channel, wire::UnsubscribeCode code,
                                         session::Effects& effects) const {
  Buffer& push = effects.scratch();
  codec_->append_unsubscribe_push(push, channel, code);
  effects.send(push);
}

}  // namespace parley::adapter::centrifuge
