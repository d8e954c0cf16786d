#include "tests/contract/broker_contract.h"

#include <utility>

namespace parley::testing {

void BrokerLog::on_attached(const hub::ChannelKey& channel, hub::FeedId id, AttachResult result) {
  ASSERT_TRUE(result.has_value());
  lines.push_back("attached " + channel.name + "#" + std::to_string(id) + " " +
                  std::to_string(result->base) + ".." + std::to_string(result->top));
  attached[channel.name] = *result;
  feed_ids[channel.name] = id;
}

void BrokerLog::on_published(hub::BrokerToken token, PublishResult result) {
  lines.push_back("published " + std::to_string(token));
  EXPECT_TRUE(published.emplace(token, result).second) << "completed twice: " << token;
}

void BrokerLog::on_read(hub::BrokerToken token, ReadResult page) {
  lines.push_back("read " + std::to_string(token));
  EXPECT_TRUE(pages.emplace(token, std::move(page)).second) << "completed twice: " << token;
}

void BrokerLog::on_history_removed(hub::BrokerToken token,
                                   std::expected<void, hub::BrokerError> result) {
  EXPECT_TRUE(result.has_value());
  lines.push_back("removed " + std::to_string(token));
}

void BrokerLog::on_publication(const hub::ChannelKey& channel, hub::FeedId id,
                               hub::PublicationPtr publication) {
  EXPECT_EQ(id, feed_ids[channel.name]) << channel.name;
  lines.push_back("feed " + channel.name + ":" + std::to_string(publication->offset) + "=" +
                  publication->data);
  feed[channel.name].push_back(std::move(publication));
}

void BrokerLog::on_reset(const hub::ChannelKey& channel, const hub::Attached&, hub::GapReason) {
  lines.push_back("reset " + channel.name);
}

void BrokerLog::on_feed_broken(const std::vector<hub::Slot>&) { lines.push_back("broken"); }

BrokerClient::Options BrokerClient::with_history(uint32_t size, seconds ttl, seconds meta_ttl) {
  auto options = std::make_shared<hub::ChannelOptions>();
  options->history_size = size;
  options->history_ttl = ttl;
  options->history_meta_ttl = meta_ttl;
  return options;
}

hub::PublishRecord BrokerClient::record(const std::string& channel, const std::string& data,
                                        Options options) {
  hub::PublishRecord made;
  made.channel = {channel};
  made.options = std::move(options);
  made.publication = std::make_unique<hub::Publication>();
  made.publication->data = data;
  return made;
}

hub::BrokerToken BrokerClient::publish(hub::PublishRecord record) {
  broker().publish(++last_token_, std::move(record));
  return last_token_;
}

hub::BrokerToken BrokerClient::read(const std::string& channel, const hub::ReadQuery& query) {
  broker().read(++last_token_, {channel}, query);
  return last_token_;
}

hub::BrokerToken BrokerClient::remove_history(const std::string& channel) {
  broker().remove_history(++last_token_, {channel});
  return last_token_;
}

void BrokerClient::attach(const std::string& channel, hub::FeedId feed, Options options) {
  broker().attach({channel}, std::move(options), feed);
}

hub::Published BrokerClient::published(hub::PublishRecord record) {
  const hub::BrokerToken token = publish(std::move(record));
  pump();
  return log_.published.at(token).value();
}

hub::ReadPage BrokerClient::page(const std::string& channel, const hub::ReadQuery& query) {
  const hub::BrokerToken token = read(channel, query);
  pump();
  return log_.pages.at(token).value();
}

void BrokerClient::fill(const std::string& channel, int count, Options options) {
  for (int i = 1; i <= count; ++i) publish(channel, std::to_string(i), options);
  pump();
}

std::vector<std::string> BrokerClient::take_lines() { return std::exchange(log_.lines, {}); }

std::vector<uint64_t> offsets_of(const std::vector<hub::PublicationPtr>& publications) {
  std::vector<uint64_t> offsets;
  for (const auto& publication : publications) offsets.push_back(publication->offset);
  return offsets;
}

std::vector<std::string> names_in_one_slot(size_t count) {
  std::vector<std::string> names;
  for (int i = 0; names.size() < count; ++i) {
    std::string name = "channel-" + std::to_string(i);
    if (hub::slot_of(name) == 7) names.push_back(std::move(name));
  }
  return names;
}

}  // namespace parley::testing
