#include "tests/sim/recording_broker.h"

namespace parley::sim {

void RecordingBroker::publish(hub::BrokerToken token, hub::PublishRecord&& record) {
  Asked asked{record.channel.name, std::make_unique<hub::Publication>()};
  asked.publication->data = record.publication->data;
  asked.publication->tags = record.publication->tags;
  asked_.emplace(token, std::move(asked));
  broker_->publish(token, std::move(record));
}

void RecordingBroker::on_published(hub::BrokerToken token,
                                   std::expected<hub::Published, hub::BrokerError> result) {
  const Asked asked = std::move(asked_.extract(token).mapped());
  if (result && !result->outdated) {
    asked.publication->epoch = result->position.epoch;
    asked.publication->offset = result->position.offset;
    asked.publication->prev = result->prev;
    ledger_.sequenced(asked.channel, *asked.publication);
  }
  events_->on_published(token, std::move(result));
}

void RecordingBroker::on_read(hub::BrokerToken token,
                              std::expected<hub::ReadPage, hub::BrokerError> page) {
  if (const auto look = looking_.extract(token); !look.empty()) {
    if (page) look.mapped()(*page);
    return;
  }
  const auto asked = reads_.extract(token);
  if (page) ledger_.lives_in(asked.mapped(), page->epoch);
  if (page)
    for (const auto& publication : page->publications)
      ledger_.sequenced(asked.mapped(), *publication);
  events_->on_read(token, std::move(page));
}

}  // namespace parley::sim
