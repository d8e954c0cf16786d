#include "config/document.h"

#include <gtest/gtest.h>

namespace parley::config {
namespace {

using Kind = DocumentNode::Kind;

// "kind text@line:column" of each node, depth first.
void describe(const DocumentNode& node, std::string& out) {
  out += std::to_string(static_cast<int>(node.kind)) + node.text + "@" +
         std::to_string(node.at.line) + ":" + std::to_string(node.at.column) + " ";
  for (const DocumentNode& item : node.items) describe(item, out);
  for (const Member& member : node.members) {
    out += member.key + "@" + std::to_string(member.at.line) + ":" +
           std::to_string(member.at.column) + "=";
    describe(member.value, out);
  }
}

std::string described(const Parsed& parsed) {
  if (!parsed) return parsed.error().front().text();
  std::string out;
  describe(*parsed, out);
  return out;
}

TEST(JsonDocumentTest, EveryValueKnowsItsPlace) {
  EXPECT_EQ(described(read_json("c.json", "{\n  \"a\": 1,\n  \"b\": [true, \"x\"]\n}")),
            "6@1:1 a@2:3=21@2:8 b@3:3=5@3:8 1true@3:9 4x@3:15 ");
  EXPECT_EQ(described(read_json("c.json", "[null,-1.5e3,{}]")), "5@1:1 0@1:2 3-1.5e3@1:7 6@1:14 ");
}

TEST(JsonDocumentTest, StringsAreDecoded) {
  const auto parsed = read_json("c.json", R"(["\u00e9\n\"\\\/", "\ud83d\ude00"])");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->items[0].text, "é\n\"\\/");
  EXPECT_EQ(parsed->items[1].text, "😀");
}

TEST(JsonDocumentTest, KeysAreComparedDecoded) {
  EXPECT_EQ(described(read_json("c.json", "{\"a\":1,\n \"\\u0061\":2}")),
            "c.json:2:2: a: stands here twice, first in line 1; keep one");
}

TEST(JsonDocumentTest, NoPrefixOfADocumentIsADocument) {
  const std::string text = R"({"a": {"b": [1, 2.5, true, null, "x\n"]}, "c": "d"})";
  ASSERT_TRUE(read_json("c.json", text));
  for (size_t n = 0; n < text.size(); ++n)
    EXPECT_FALSE(read_json("c.json", std::string_view(text).substr(0, n))) << n;
}

TEST(JsonDocumentTest, WhatIsWrongIsToldWithItsPlace) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "c.json:1:1: the file ends where a value is expected"},
      {"{\"a\":1,}", "c.json:1:8: a key in double quotes is expected here"},
      {"{a: 1}", "c.json:1:2: a key in double quotes is expected here"},
      {"{\n\"a\" 1}", "c.json:2:5: a colon is expected here"},
      {"[1 2]", "c.json:1:4: a comma or the end of the list is expected here"},
      {"[1,]", "c.json:1:4: a value is expected here"},
      {"{\"a\":1 \"b\":2}", "c.json:1:8: a comma or the end of the object is expected here"},
      {"{} {}", "c.json:1:4: something stands behind the end of the value; remove it"},
      {"{\n// no\n}", "c.json:2:1: JSON has no comments; remove it, or write the file as YAML"},
      {"[tru]", "c.json:1:2: a value is expected here"},
      {"[01]", "c.json:1:3: a comma or the end of the list is expected here"},
      {"[\"a]", "c.json:1:2: this string does not end, holds a line break, or has a wrong escape"},
      {"[\"\\ud800\"]", "c.json:1:2: this string holds half a surrogate pair"},
      {"[1]\x01", "c.json:1:4: a control character; remove it"},
      {"[\"\xff\"]", "c.json:1:3: this is not UTF-8; save the file as UTF-8"},
      {"[\"\xc3", "c.json:1:4: this is not UTF-8; save the file as UTF-8"},
  };
  for (const auto& [text, expected] : cases)
    EXPECT_EQ(described(read_json("c.json", text)), expected);
}

TEST(JsonDocumentTest, LimitsHold) {
  const DocumentLimits limits{.bytes = 20, .depth = 3, .nodes = 4};
  EXPECT_TRUE(read_json("c", "[[[1]]]", limits));
  EXPECT_EQ(described(read_json("c", "[[[[]]]]", limits)), "c:1:4: more than 3 levels deep");
  EXPECT_EQ(described(read_json("c", "[1,2,3,4]", limits)),
            "c:1:8: too many values for a configuration");
  EXPECT_EQ(described(read_json("c", std::string(21, ' '), limits)),
            "c: has 21 bytes; 20 are allowed");
}

TEST(YamlDocumentTest, EveryValueKnowsItsPlace) {
  EXPECT_EQ(described(read_yaml("c.yaml", "a: 1\nb:\n  - true\n  - x\n")),
            "6@1:1 a@1:1=21@1:4 b@2:1=5@3:3 1true@3:5 4x@4:5 ");
  EXPECT_EQ(described(read_yaml("c.yaml", "# c\na: {b: [1]}")),
            "6@2:1 a@2:1=6@2:4 b@2:5=5@2:8 21@2:9 ");
}

TEST(YamlDocumentTest, PlainScalarsFollowTheCoreSchema) {
  const std::pair<const char*, Kind> cases[] = {
      {"true", Kind::kBool},  {"False", Kind::kBool},    {"yes", Kind::kString},
      {"on", Kind::kString},  {"null", Kind::kNull},     {"~", Kind::kNull},
      {"12", Kind::kInt},     {"-12", Kind::kInt},       {"0x1f", Kind::kInt},
      {"0o17", Kind::kInt},   {"1.5", Kind::kFloat},     {"1e3", Kind::kFloat},
      {".5", Kind::kFloat},   {".", Kind::kString},      {"1.2.3", Kind::kString},
      {"25s", Kind::kString}, {"\"12\"", Kind::kString}, {"'true'", Kind::kString},
      {".inf", Kind::kFloat}, {"1e", Kind::kString},     {"0x", Kind::kString},
      {"-", Kind::kList},     {"5.", Kind::kFloat},
  };
  for (const auto& [text, kind] : cases) {
    const auto parsed = read_yaml("c.yaml", std::string("- ") + text);
    ASSERT_TRUE(parsed) << text << described(parsed);
    EXPECT_EQ(parsed->items.front().kind, kind) << text;
  }
}

TEST(YamlDocumentTest, EmptyIsAnEmptyMap) {
  for (const char* text : {"", "\n", "# nothing\n", "---\n", "---\n...\n", "null"}) {
    const auto parsed = read_yaml("c.yaml", text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->kind, Kind::kMap) << text;
  }
}

TEST(YamlDocumentTest, BlockScalarsAndQuotesAreDecoded) {
  const auto parsed = read_yaml("c.yaml", "key: |\n  one\n  two\nother: \"a\\n\\u00e9\"\n");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->members[0].value.text, "one\ntwo\n");
  EXPECT_EQ(parsed->members[1].value.text, "a\né");
}

TEST(YamlDocumentTest, MoreThanTheCoreIsRefused) {
  const std::pair<const char*, const char*> cases[] = {
      {"a: &x 1", "c.yaml:1:4: anchors (&name) are not read; write the value out where needed"},
      {"a: &x\n  b: 1",
       "c.yaml:1:4: anchors (&name) are not read; write the value out where needed"},
      {"a: &x [1]\nb: *x",
       "c.yaml:1:4: anchors (&name) are not read; write the value out where needed"},
      {"a: !!str 1", "c.yaml:1:4: tags are not read; remove tag:yaml.org,2002:str"},
      {"a: !x {}", "c.yaml:1:4: tags are not read; remove !x"},
      {"a: 1\n---\nb: 2",
       "c.yaml:2:1: a second document begins here; a configuration is one document"},
      {"? [a]\n: 1", "c.yaml:1:3: a key must be a word, not a list or a map"},
      {": 1", "c.yaml:1:1: a key is expected before this colon"},
      {"a: 1\nb: 2\na: 3", "c.yaml:3:1: a: stands here twice, first in line 1; keep one"},
      {"a:\n  b: 1\n  c: [{d: 1, d: 2}]",
       "c.yaml:3:14: a.c[0].d: stands here twice, first in line 3; keep one"},
      {"a: *x", "c.yaml:1:4: this is not YAML: the referenced anchor is not defined"},
      {"a: [1", "c.yaml:1:1: this is not YAML: end of sequence flow not found"},
      {"a: 1\n b: 2", "c.yaml:2:3: this is not YAML: illegal map value"},
      {"a:\n\tb: 1", "c.yaml:2:3: this is not YAML: illegal map value (the file has tabs"},
      {"a: \x07", "c.yaml:1:4: a control character; remove it"},
      {"a: \xc3(", "c.yaml:1:5: this is not UTF-8; save the file as UTF-8"},
  };
  for (const auto& [text, expected] : cases)
    EXPECT_EQ(described(read_yaml("c.yaml", text)).substr(0, std::string(expected).size()),
              expected);
}

TEST(YamlDocumentTest, LimitsHold) {
  const DocumentLimits limits{.bytes = 40, .depth = 3, .nodes = 4};
  EXPECT_TRUE(read_yaml("c", "[[[1]]]", limits));
  EXPECT_EQ(described(read_yaml("c", "[[[[]]]]", limits)), "c:1:4: more than 3 levels deep");
  EXPECT_EQ(described(read_yaml("c", "[1,2,3,4]", limits)),
            "c:1:8: too many values for a configuration");
  EXPECT_EQ(described(read_yaml("c", std::string(41, ' '), limits)),
            "c: has 41 bytes; 40 are allowed");
  EXPECT_FALSE(read_yaml("c", std::string(100'000, '[')));
  EXPECT_FALSE(read_yaml("c", std::string(100'000, '{')));
}

TEST(DocumentTest, TheExtensionOrALookTellsTheFormat) {
  EXPECT_TRUE(read_document("c.yaml", "a: 1"));
  EXPECT_TRUE(read_document("c.yml", "a: 1"));
  EXPECT_FALSE(read_document("c.json", "a: 1"));
  EXPECT_TRUE(read_document("c", "a: 1"));
  EXPECT_EQ(described(read_document("c", "# x\n {\"a\": 1,}")).substr(0, 6), "c:1:1:");
  EXPECT_EQ(described(read_document("c.conf", " \n{\"a\": \n1,}")),
            "c.conf:3:3: a key in double "
            "quotes is expected here");
}

TEST(DocumentTest, TomlIsRefusedInOneSentence) {
  const std::string advice = "TOML is not read; write the same options as YAML or JSON";
  EXPECT_EQ(described(read_document("c.toml", "")), "c.toml:1:1: " + advice);
  for (const char* text : {"[client]\ninsecure = true", "# c\n[[channel.namespaces]]",
                           "http_server.port = 8000", "a=1"})
    EXPECT_EQ(described(read_document("c", text)), "c:1:1: " + advice) << text;
  for (const char* text : {"[a, b]", "a: b=c", "{}"})
    EXPECT_NE(described(read_document("c", text)), "c:1:1: " + advice) << text;
}

}  // namespace
}  // namespace parley::config
