#include "config/options.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "config/config.h"
#include "config/environment.h"
#include "config/nearest.h"

namespace parley::config {
namespace {

void expect_defaults(const Table& table, const void* object) {
  for (const Option& option : table.options()) {
    if (option.type == Type::kObjects || option.type == Type::kMap) continue;
    const auto documented = parse_value(option.type, option.fallback);
    ASSERT_TRUE(documented) << option.path << ": " << documented.error();
    if (option.status != Status::kSupported) continue;
    ASSERT_NE(option.field.get, nullptr) << option.path;
    EXPECT_EQ(option.field.get(object, option.choices), *documented) << option.path;
  }
}

TEST(OptionsTest, EveryDocumentedDefaultIsConfigsDefault) {
  const Config config;
  expect_defaults(root_options(), &config);
  const Namespace options;
  expect_defaults(namespace_options(), &options);
}

TEST(OptionsTest, EveryElementTableHasDefaultsThatParse) {
  for (const Option& option : root_options().options())
    if (option.elements != nullptr && option.elements != &namespace_options())
      expect_defaults(*option.elements, nullptr);
}

TEST(OptionsTest, EveryOptionSaysWhatItDoes) {
  for (const Option& option : root_options().options()) {
    EXPECT_FALSE(option.note.empty()) << option.path;
    EXPECT_EQ(option.note.find('|'), std::string::npos) << option.path;
  }
}

TEST(OptionsTest, EverySupportedOptionCanBeSet) {
  for (const Option& option : root_options().options()) {
    if (option.status != Status::kSupported || option.type == Type::kObjects) continue;
    Config config;
    Value value = option.field.get(&config, option.choices);
    if (auto* flag = std::get_if<bool>(&value)) {
      *flag = !*flag;
    } else if (auto* number = std::get_if<int64_t>(&value)) {
      *number += 1;
    } else if (auto* duration = std::get_if<Duration>(&value)) {
      *duration += seconds(1);
    } else if (auto* list = std::get_if<Strings>(&value)) {
      list->push_back("x");
    } else {
      value = option.choices.empty() ? std::string("x") : std::string(option.choices.back().word);
    }
    option.field.set(&config, value, option.choices);
    EXPECT_EQ(option.field.get(&config, option.choices), value) << option.path;
    EXPECT_NE(config, Config{}) << option.path << " changes nothing";
  }
}

// Two options with one setter would pass the test above.
TEST(OptionsTest, NoTwoOptionsSetTheSameField) {
  std::map<void (*)(void*, const Value&, std::span<const Choice>), std::string> seen;
  for (const Option& option : root_options().options()) {
    if (option.field.set == nullptr) continue;
    const auto [at, added] = seen.try_emplace(option.field.set, option.path);
    EXPECT_TRUE(added) << option.path << " and " << at->second;
  }
}

TEST(OptionsTest, NoTwoOptionsShareAVariable) {
  std::set<std::string> names;
  for (const Option& option : root_options().options())
    EXPECT_TRUE(names.insert(environment_name(option.path)).second) << option.path;
}

TEST(OptionsTest, ANamespaceHasTheOptionsOfChannelsWithoutOne) {
  std::set<std::string> outside;
  const std::string prefix = "channel.without_namespace.";
  for (const Option& option : root_options().options())
    if (option.path.starts_with(prefix)) outside.insert(option.path.substr(prefix.size()));
  std::set<std::string> inside;
  for (const Option& option : namespace_options().options()) inside.insert(option.path);
  outside.insert("name");
  EXPECT_EQ(outside, inside);
}

TEST(OptionsTest, SectionsKnowWhatIsInThem) {
  EXPECT_EQ(root_options().names_in("health"),
            (std::vector<std::string>{"enabled", "handler_prefix"}));
  EXPECT_TRUE(root_options().has_section("client.token"));
  EXPECT_FALSE(root_options().has_section("client.tok"));
  EXPECT_EQ(root_options().find("client"), nullptr);
}

TEST(NearestTest, CountsEdits) {
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("presence", "presense"), 1u);
  EXPECT_EQ(edit_distance("presnece", "presence"), 1u);
  EXPECT_EQ(edit_distance("a", "a"), 0u);
}

TEST(NearestTest, NamesWhatIsFarAwayAreNotOffered) {
  const std::vector<std::string> names = {"enabled", "handler_prefix"};
  EXPECT_EQ(nearest("enable", names), std::vector<std::string>{"enabled"});
  EXPECT_TRUE(nearest("disabled_by_default", names).empty());
}

}  // namespace
}  // namespace parley::config
