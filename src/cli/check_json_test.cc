#include <gtest/gtest.h>

#include "cli/configuration.h"

namespace parley::cli {
namespace {

TEST(CheckJson, TellsProblemsWithTheirPlaces) {
  const ConfigurationFault fault{{{.place = {.source = "p.yaml", .at = {.line = 3, .column = 7}},
                                   .path = "client.ping_interval",
                                   .message = "\"x\" is no duration"}}};
  EXPECT_EQ(check_json("p.yaml", nullptr, &fault),
            R"({"ok":false,"file":"p.yaml","problems":[{"source":"p.yaml","line":3,"column":7,)"
            R"("option":"client.ping_interval","message":"\"x\" is no duration"}],)"
            R"("warnings":[],"insecure":[]})");
}

TEST(CheckJson, TellsWarnings) {
  config::Loaded loaded;
  loaded.warnings.push_back({.place = {.source = "p.yaml"}, .path = {}, .message = "ignored"});
  loaded.config.warnings.push_back("anybody may publish");
  EXPECT_EQ(check_json("p.yaml", &loaded, nullptr),
            R"({"ok":true,"file":"p.yaml","problems":[],"warnings":[{"source":"p.yaml","line":0,)"
            R"("column":0,"option":"","message":"ignored"}],"insecure":["anybody may publish"]})");
}

}  // namespace
}  // namespace parley::cli
