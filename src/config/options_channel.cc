// channel, and the options of a namespace.
#include <array>

#include "config/option_rows.h"

namespace parley::config {
namespace {

constexpr std::array kRecoveryModes = {
    Choice{"", static_cast<int>(RecoveryMode::kStream)},
    Choice{"stream", static_cast<int>(RecoveryMode::kStream)},
    Choice{"cache", static_cast<int>(RecoveryMode::kCache)},
};
constexpr std::array kDataFormats = {
    Choice{"", static_cast<int>(DataFormat::kAny)},
    Choice{"json", static_cast<int>(DataFormat::kJson)},
    Choice{"json_object", static_cast<int>(DataFormat::kJsonObject)},
    Choice{"binary", static_cast<int>(DataFormat::kBinary)},
};
constexpr std::array kOverflows = {
    Choice{"", static_cast<int>(Overflow::kByHistory)},
    Choice{"resume", static_cast<int>(Overflow::kResume)},
    Choice{"drop_oldest", static_cast<int>(Overflow::kDropOldest)},
    Choice{"latest", static_cast<int>(Overflow::kLatest)},
    Choice{"block", static_cast<int>(Overflow::kBlock)},
};
constexpr std::array kSubscriptionTypes = {Choice{""},          Choice{"stream"},
                                           Choice{"map"},       Choice{"map_clients"},
                                           Choice{"map_users"}, Choice{"shared_poll"}};

// `Path` leads from the table's object to the Namespace.
template <auto... Path>
void add_stream_rows(Rows& rows) {
  rows.supported<Path..., &Namespace::presence>("presence", "false",
                                                "Who is in the channel is kept.");
  rows.supported<Path..., &Namespace::join_leave>("join_leave", "false",
                                                  "Joins and leaves are told.");
  rows.supported<Path..., &Namespace::force_push_join_leave>(
      "force_push_join_leave", "false",
      "All subscribers are told of joins and leaves, not only those that ask.");
  rows.supported<Path..., &Namespace::history_size>(
      "history_size", "0", "Publications kept; needs history_ttl. 0: no history.");
  rows.supported<Path..., &Namespace::history_ttl>(
      "history_ttl", "0s", "How long each is kept, in whole seconds; needs history_size.");
  rows.supported<Path..., &Namespace::history_meta_ttl>(
      "history_meta_ttl", "0s",
      "How long an idle channel's position is remembered, at least history_ttl; 0: "
      "channel.history_meta_ttl.");
  rows.supported<Path..., &Namespace::force_positioning>(
      "force_positioning", "false", "All subscribers are told when they miss something.");
  rows.supported<Path..., &Namespace::allow_positioning>(
      "allow_positioning", "false", "Subscribers that ask are told when they miss something.");
  rows.supported<Path..., &Namespace::force_recovery>(
      "force_recovery", "false",
      "All subscribers get what they missed when they come back; needs history.");
  rows.supported<Path..., &Namespace::allow_recovery>(
      "allow_recovery", "false",
      "Subscribers that ask get what they missed when they come back; needs history.");
  rows.supported<Path..., &Namespace::force_recovery_mode>(
          "force_recovery_mode", "",
          "`stream` (the same as empty): all that was missed; `cache`: the latest publication.")
      .one_of(kRecoveryModes);
  rows.supported<Path..., &Namespace::auto_cache_recover>(
      "auto_cache_recover", "false",
      "A first subscribe gets the latest publication too; needs force_recovery and `cache`.");
  rows.supported<Path..., &Namespace::allowed_delta_types>(
      "allowed_delta_types", "", "Deltas that subscribers may ask for: `fossil`.");
  rows.supported<Path..., &Namespace::delta_publish>(
      "delta_publish", "false", "All publications go out as deltas where a subscriber takes them.");
  rows.supported<Path..., &Namespace::allow_tags_filter>(
      "allow_tags_filter", "false", "Subscribers may filter publications by tags.");
  rows.supported<Path..., &Namespace::allow_channel_compaction>(
          "allow_channel_compaction", "false",
          "Subscribers may ask for short numbers in place of the channel's name.")
      .in_pro();
}

template <auto... Path>
void add_overflow_rows(Rows& rows) {
  rows.supported<Path..., &Namespace::overflow>(
          "overflow", "",
          "What a subscriber that is too slow gets: `resume` (everything, from history, when it "
          "reads again), `drop_oldest` (the newest that the limits allow), `latest` (the newest "
          "publication, or that of each key) or `block` (publishers wait for it); empty: `resume` "
          "with a history, `drop_oldest` "
          "without. See the guide "
          "`guides/overflow.md`.")
      .one_of(kOverflows)
      .of_parley();
  rows.supported<Path..., &Namespace::overflow_max_bytes>(
          "overflow_max_bytes", "1048576",
          "How far behind it may be, in bytes of publications, before some are skipped; 1 to "
          "1048576.")
      .of_parley();
  rows.supported<Path..., &Namespace::overflow_max_delay>(
          "overflow_max_delay", "0s",
          "... and in time, give or take a second, at most 5m; 0: 1s with `latest`, no limit "
          "with `drop_oldest`.")
      .of_parley();
  rows.supported<Path..., &Namespace::overflow_max_wait>(
          "overflow_max_wait", "1s",
          "With `block`: how long a publish waits for a subscriber that is too far behind before "
          "it is refused as overloaded, error 111 or status 503; 10ms to 5s.")
      .of_parley();
  rows.supported<Path..., &Namespace::overflow_key>(
          "overflow_key", "",
          "With `latest`: the name of the tag that says which state a publication tells, such as "
          "`symbol`; a slow subscriber is given the newest publication of each of its values. "
          "Empty: the channel has one state.")
      .of_parley();
}

template <auto... Path>
void add_rate_rows(Rows& rows) {
  rows.supported<Path..., &Namespace::publish_rate_limit>(
          "publish_rate_limit", "0",
          "Publications a second of one channel by all clients together, exact on a node; above it "
          "error 111, at `/pub` 429. The server API is not limited. 0: any number.")
      .of_parley();
}

template <auto... Path>
void add_permission_rows(Rows& rows) {
  rows.supported<Path..., &Namespace::allow_subscribe_for_client>(
      "allow_subscribe_for_client", "false", "Users may subscribe without a subscription token.");
  rows.supported<Path..., &Namespace::allow_subscribe_for_anonymous>(
      "allow_subscribe_for_anonymous", "false",
      "allow_subscribe_for_client is for the anonymous user too.");
  rows.supported<Path..., &Namespace::allow_publish_for_client>("allow_publish_for_client", "false",
                                                                "Users may publish.");
  rows.supported<Path..., &Namespace::allow_publish_for_subscriber>(
      "allow_publish_for_subscriber", "false", "Subscribers may publish.");
  rows.supported<Path..., &Namespace::allow_publish_for_anonymous>(
      "allow_publish_for_anonymous", "false",
      "allow_publish_for_client and _for_subscriber are for the anonymous user too.");
  rows.supported<Path..., &Namespace::allow_presence_for_client>(
      "allow_presence_for_client", "false", "Users may ask who is in the channel.");
  rows.supported<Path..., &Namespace::allow_presence_for_subscriber>(
      "allow_presence_for_subscriber", "false", "Subscribers may ask who is in the channel.");
  rows.supported<Path..., &Namespace::allow_presence_for_anonymous>(
      "allow_presence_for_anonymous", "false",
      "allow_presence_for_client and _for_subscriber are for the anonymous user too.");
  rows.supported<Path..., &Namespace::allow_history_for_client>("allow_history_for_client", "false",
                                                                "Users may read the history.");
  rows.supported<Path..., &Namespace::allow_history_for_subscriber>(
      "allow_history_for_subscriber", "false", "Subscribers may read the history.");
  rows.supported<Path..., &Namespace::allow_history_for_anonymous>(
      "allow_history_for_anonymous", "false",
      "allow_history_for_client and _for_subscriber are for the anonymous user too.");
  rows.supported<Path..., &Namespace::allow_user_limited_channels>(
      "allow_user_limited_channels", "false",
      "A channel's name may end in the users that may subscribe: `room#1,2`.");
  rows.supported<Path..., &Namespace::channel_regex>(
      "channel_regex", "",
      "What a name must be behind the namespace, as a regular expression; empty: any ASCII.");
  rows.supported<Path..., &Namespace::publication_data_format>(
          "publication_data_format", "",
          "What data must be: `json`, `json_object`, or `binary` (anything); empty: "
          "channel.publication_data_format.")
      .one_of(kDataFormats);
}

void add_map_rows(Rows& rows) {
  rows.idle("map", "only with subscription_type map",
            {{"mode"},
             {"key_ttl", Type::kDuration, "0s"},
             {"stream_size", Type::kInt, "0"},
             {"stream_ttl", Type::kDuration, "0s"},
             {"meta_ttl", Type::kDuration, "0s"},
             {"remove_client_on_unsubscribe", Type::kBool, "false"},
             {"client_key"},
             {"allow_publish_for_client", Type::kBool, "false"},
             {"allow_publish_for_subscriber", Type::kBool, "false"},
             {"allow_publish_for_anonymous", Type::kBool, "false"},
             {"allow_remove_for_client", Type::kBool, "false"},
             {"allow_remove_for_subscriber", Type::kBool, "false"},
             {"allow_remove_for_anonymous", Type::kBool, "false"},
             {"publish_proxy_enabled", Type::kBool, "false"},
             {"publish_proxy_name", Type::kString, "default"},
             {"remove_proxy_enabled", Type::kBool, "false"},
             {"remove_proxy_name", Type::kString, "default"},
             {"default_page_size", Type::kInt, "0"},
             {"min_page_size", Type::kInt, "0"},
             {"max_page_size", Type::kInt, "0"},
             {"live_transition_max_publication_limit", Type::kInt, "0"},
             {"subscribe_catch_up_timeout", Type::kDuration, "0s"}});
  rows.idle("shared_poll", "only with subscription_type shared_poll",
            {{"proxy_name"},
             {"mode"},
             {"refresh_interval", Type::kDuration, "0s"},
             {"refresh_batch_size", Type::kInt, "0"},
             {"max_keys_per_connection", Type::kInt, "0"},
             {"channel_shutdown_delay", Type::kDuration, "1s"},
             {"track_expired_extra_delay", Type::kDuration, "25s"},
             {"publish_enabled", Type::kBool, "false"}});
}

void add_missing_rows(Rows& rows) {
  rows.refused("subscription_type", Type::kString, "",
               "clients would get streams where they expect maps or polls")
      .one_of(kSubscriptionTypes)
      .off_at("stream");
  for (const std::string event : {"subscribe", "publish", "sub_refresh", "subscribe_stream"}) {
    rows.refused(event + "_proxy_enabled", Type::kBool, "false",
                 "the backend would not be asked what is allowed");
    rows.idle("", "only with a proxy", {{event + "_proxy_name", Type::kString, "default"}});
  }
  rows.idle("", "only with a proxy",
            {{"subscribe_stream_proxy_bidirectional", Type::kBool, "false"}});
  for (const char* name :
       {"map_clients_presence_channel_prefix", "map_users_presence_channel_prefix"})
    rows.refused(name, Type::kString, "", "presence would not be kept in those map channels");
  const std::string_view rule = "a rule of who may do what would not be followed";
  for (const char* name : {"subscribe_cel", "publish_cel", "history_cel", "presence_cel"})
    rows.refused(name, Type::kString, "", rule).in_pro();
  for (const char* name : {"cache_empty_proxy_enabled", "state_proxy_enabled"})
    rows.refused(name, Type::kBool, "false", "the backend would not be told").in_pro();
  rows.refused("state_events", Type::kStrings, "", "the backend would not be told").in_pro();
  const std::string_view saving = "more bytes are sent, nothing else changes";
  rows.warned("keep_latest_publication", Type::kBool, "false", saving).in_pro();
  rows.warned("client_publish_debounce_interval", Type::kDuration, "0s", saving).in_pro();
  const std::string_view batching = "what is ready goes out in one write, without delay";
  rows.warned("batch_max_size", Type::kInt, "0", batching).in_pro();
  rows.warned("batch_max_delay", Type::kDuration, "0s", batching).in_pro();
  rows.warned("batch_flush_latest", Type::kBool, "false", batching).in_pro();
  rows.warned("shared_position_sync", Type::kBool, "false",
              "positions need no checks: holes are found as they appear")
      .in_pro();
}

}  // namespace

void add_namespace_rows(std::vector<Option>& out) {
  Rows rows(out, "");
  rows.supported<&Namespace::name>(
      "name", "", "The namespace's name: two or more of letters, digits, `-`, `_` and `.`.");
  add_stream_rows<>(rows);
  add_rate_rows<>(rows);
  add_overflow_rows<>(rows);
  add_permission_rows<>(rows);
  add_map_rows(rows);
  add_missing_rows(rows);
}

void add_channel_rows(std::vector<Option>& out) {
  constexpr auto kChannel = &Config::channel;
  Rows rows(out, "channel");
  rows.supported<kChannel, &Channel::history_meta_ttl>("history_meta_ttl", "720h",
                                                       "For namespaces that say nothing else.");
  rows.supported<kChannel, &Channel::publication_data_format>(
          "publication_data_format", "",
          "For namespaces that say nothing else; empty: anything but nothing.")
      .one_of(kDataFormats);
  rows.supported<kChannel, &Channel::max_length>("max_length", "255",
                                                 "Bytes of a channel's name, at most 255.");
  rows.supported<kChannel, &Channel::private_prefix>(
      "private_prefix", "$",
      "Channels that begin with it need a subscription token; empty: there are none.");
  rows.supported<kChannel, &Channel::namespace_boundary>(
      "namespace_boundary", ":", "What stands between a namespace and the rest; empty: nothing.");
  rows.supported<kChannel, &Channel::user_boundary>(
      "user_boundary", "#", "What stands before a channel's users; empty: there are none.");
  rows.supported<kChannel, &Channel::user_separator>("user_separator", ",",
                                                     "What stands between two of them.");
  Option namespaces;
  namespaces.path = "channel.namespaces";
  namespaces.type = Type::kObjects;
  namespaces.note = "Namespaces; each has a name and the options of channel.without_namespace.";
  namespaces.elements = &namespace_options();
  out.push_back(std::move(namespaces));
  Rows without(out, "channel.without_namespace");
  add_stream_rows<kChannel, &Channel::without_namespace>(without);
  add_rate_rows<kChannel, &Channel::without_namespace>(without);
  add_overflow_rows<kChannel, &Channel::without_namespace>(without);
  add_permission_rows<kChannel, &Channel::without_namespace>(without);
  add_map_rows(without);
  add_missing_rows(without);
  for (const char* event : {"subscribe", "publish", "sub_refresh", "subscribe_stream",
                            "map_publish", "map_remove", "shared_poll_refresh"})
    add_proxy_object_rows(out, Rows::join("channel.proxy", event));
}

}  // namespace parley::config
