"""Plants a violation of each kind and expects the check to name it."""

import pathlib
import tempfile
import tomllib
import unittest

from checks import cost, cpp, docs, files, fuzz, headers, layers, text

RULES = layers.Layers(tomllib.loads((files.ROOT / "layers.toml").read_text()))


def messages(path, source):
    return [message for _, message in RULES.check_file(path, source)]


class Tree(unittest.TestCase):
    """A throw-away repository."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)
        self.addCleanup(self.folder.cleanup)

    def write(self, path, content):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)


class LayersTest(unittest.TestCase):
    def test_arrows_go_down_only(self):
        self.assertEqual(messages("hub/channel.h", '#include "base/bytes.h"\n'), [])
        self.assertIn("hub may not include session", messages("hub/channel.h", '#include "session/outbox.h"\n')[0])
        self.assertIn("base may not include hub", messages("base/log.cc", '#include "hub/hub.h"\n')[0])

    def test_plug_ins_never_see_one_another(self):
        self.assertEqual(messages("adapter/one/a.cc", '#include "adapter/one/a.h"\n#include "codec/x/d.h"\n'), [])
        self.assertIn("adapter/one may not include adapter/two", messages("adapter/one/a.cc", '#include "adapter/two/a.h"\n')[0])

    def test_server_sees_everything(self):
        self.assertEqual(messages("server/wire.cc", '#include "adapter/two/a.h"\n#include "hub/hub.h"\n'), [])

    def test_every_file_has_a_module(self):
        self.assertTrue(messages("stray/a.h", ""))
        self.assertTrue(messages("codec/a.h", ""))
        self.assertTrue(messages("server/a.cc", '#include "stray/a.h"\n'))

    def test_the_most_exact_pattern_wins(self):
        rules = {"modules": {"codec/*": {"may": []}, "codec/a": {"may": ["codec/b"]}}, "sans_io": {"modules": []},
                 "threads": {"may": []}, "tests": {"may": []}}
        layer = layers.Layers(rules)
        self.assertEqual(list(layer.check_file("codec/a/x.h", '#include "codec/b/y.h"\n')), [])
        self.assertTrue(list(layer.check_file("codec/c/x.h", '#include "codec/b/y.h"\n')))

    def test_includes_are_written_from_src(self):
        self.assertTrue(messages("hub/a.cc", '#include "a.h"\n'))
        self.assertTrue(messages("hub/a.cc", '#include "hub/../session/a.h"\n'))

    def test_only_tests_include_tests(self):
        self.assertTrue(messages("hub/a.cc", '#include "tests/support/cuts.h"\n'))
        self.assertEqual(messages("hub/a_test.cc", '#include "tests/support/cuts.h"\n'), [])
        self.assertTrue(messages("hub/a_test.cc", '#include "session/outbox.h"\n'))

    def test_sans_io(self):
        for line in ("#include <mutex>", "#include <sys/socket.h>", "std::mutex m;", "std::atomic<int> n;", "std::jthread t;",
                     "auto t = std::chrono::steady_clock::now();", "Clock::now();", "time(nullptr);"):
            with self.subTest(line):
                self.assertTrue(messages("codec/x/a.cc", line + "\n"))
                self.assertTrue(messages("session/a_test.cc", line + "\n"))

    def test_comments_and_strings_are_not_code(self):
        self.assertEqual(messages("hub/a.cc", '// std::mutex\n/* #include "session/a.h"\n */ auto s = "std::thread";\n'), [])
        self.assertEqual(messages("hub/a.cc", "// #include <mutex>\n"), [])

    def test_threads_have_their_places(self):
        self.assertTrue(messages("http/a.cc", "std::mutex m;\n"))
        self.assertTrue(messages("base/random.cc", "#include <thread>\n"))
        for path in ("io/shard.cc", "base/log.cc", "base/metrics.h", "server/run.cc", "http/a_test.cc"):
            self.assertEqual(messages(path, "#include <mutex>\nstd::mutex m;\n"), [], path)


class CppTest(unittest.TestCase):
    def test_blank_keeps_lines_and_code(self):
        source = 'int a = 1\'000; // x\nchar q = \'"\'; /* y\n */ f("//", R"(")"); int b;\n'
        blanked = cpp.blank(source)
        self.assertEqual(blanked.count("\n"), source.count("\n"))
        self.assertIn("1'000;", blanked)
        self.assertIn("int b;", blanked)
        self.assertNotIn("y", blanked)
        self.assertIn('"//"', cpp.without_comments(source))


class TextTest(Tree):
    def test_loose_ends_paths_and_registries(self):
        for line in ("// TO" "DO: later", "open /ho" "me/me/x", "see '/wo" "rk/x'", "https://registry" ".npmjs.org/ws"):
            self.assertTrue(list(text.words_in("src/a.cc", line)), line)
        for line in ("GET /v1/work/item", "https://example.com/home/x", "${TMPDIR}/tmp/x", "registry.get(name)"):
            self.assertEqual(list(text.words_in("src/a.cc", line)), [], line)

    def test_a_ban_is_told_with_its_reason(self):
        self.assertTrue(all(ban.what and ban.reason for ban in text.BANS))
        self.write("tools/checks/words.toml", "[[banned]]\nwhat = 'a foul word'\npattern = 'darn'\nreason = 'be kind'\nonly = '[.]md$'\n")
        bans = text.read_bans(self.root / "tools/checks/words.toml")
        self.assertEqual(list(text.words_in("a.md", "so\ndarn it\n", bans)), ["a.md:2: a foul word, 'darn': be kind"])
        self.assertEqual(list(text.words_in("a.cc", "darn it\n", bans)), [])

    def test_names_that_say_nothing(self):
        for line in ("class Session" "Manager {", "struct Fd" "Util;", '#include "base/string_util.h"', '#include "common.h"'):
            self.assertTrue(list(text.words_in("src/a/a.cc", line)), line)
        for line in ("class Utility;", '#include "base/community.h"', "int managers;"):
            self.assertEqual(list(text.words_in("src/a/a.cc", line)), [], line)
        self.assertEqual(list(text.words_in("docs/a.md", "Never `Manager`")), [])

    def test_lock_files_name_no_registry(self):
        self.assertTrue(list(text.words_in("tests/e2e/package-lock.json", '"resolved": "x"')))

    def test_sizes(self):
        self.write("src/hub/a.cc", "int a;\n" * 801)
        self.write("src/hub/b.cc", "int a;\n" * 800)
        self.assertEqual(len(text.check_sizes(self.root)), 1)

    def test_format(self):
        self.write(".clang-format", "BasedOnStyle: Google\n")
        self.write("src/hub/a.cc", "int   a ;\n")
        self.assertTrue(text.check_format(self.root))
        text.check_format(self.root, fix=True)
        self.assertEqual(text.check_format(self.root), [])


class DocsTest(Tree):
    def test_links(self):
        self.write("docs/a.md", "[ok](b.md#x) [web](https://example.com) [gone](c.md)\n```\n[x](in-a-fence.md)\n```\n`[y](z)`\n")
        self.write("docs/b.md", "[up](../docs/a.md) ![gone](x.png)\n")
        self.assertEqual(docs.check_links(self.root), ["docs/a.md:1: no such file: c.md", "docs/b.md:1: no such file: x.png"])

    def test_symbols(self):
        self.write("src/hub/hub.h", "class Hub {\n  void publish();  // Hub::vanished\n};\n")
        self.write("src/hub/hub.cc", "void Hub::publish() {}\n")
        good = "`hub/hub.h:Hub` `src/hub/hub.h:Hub::publish` `Hub::publish` `hub/hub.cc` `publish()` `std::move` `a word`"
        self.write("docs/life-of-a-message.md", good)
        self.assertEqual(docs.check_symbols(self.root), [])
        bad = ["hub/hub.h:Gone", "hub/gone.h:Hub", "Hub::vanished", "Gone::publish", "hub/gone.cc", "gone()"]
        self.write("docs/life-of-a-message.md", " ".join(f"`{span}`" for span in bad))
        self.assertEqual(len(docs.check_symbols(self.root)), len(bad))

    def test_tests(self):
        self.write("src/hub/hub_test.cc", "TEST(Hub, Publishes) {}\nTEST_F(HubTest,\n       Feeds) {}\n")
        self.write("docs/a.md", "`Hub.Publishes`, `HubTest.Feeds`, `HubTest.*`, `README.md`, `Hub::publish`\n")
        self.assertEqual(docs.check_tests(self.root), [])
        self.write("docs/a.md", "`Hub.Publishes`, `.Vanished`, `Gone.*`\n`HubTest.Publishes`\n")
        self.assertEqual(docs.check_tests(self.root),
                         ["docs/a.md:1: no such test: Hub.Vanished", "docs/a.md:1: no such test: Gone.*",
                          "docs/a.md:2: no such test: HubTest.Publishes"])

    def test_metrics(self):
        self.write("src/hub/hub.cc", 'Names names = {"late", "early"};\nFamily f("parley_x_total", "Help", "why", names);\n')
        self.write("docs/limits.md", "| limit | metric |\n| --- | --- |\n| a | `parley_x_total{why=late}`, `{why=early}` | `A.B` |\n")
        self.assertEqual(docs.check_metrics(self.root), [])
        self.write("docs/limits.md", "| a | `parley_x_total{why=never}` | [e](e.test.mjs) |\n| b | `A.B` |\n| c | `parley_y_total` |\n")
        self.assertEqual(docs.check_metrics(self.root),
                         ['docs/limits.md:1: nothing in src/ is called "never"', "docs/limits.md:2: no metric in this row",
                          'docs/limits.md:3: nothing in src/ is called "parley_y_total"', "docs/limits.md:3: no test in this row"])


class HeadersTest(Tree):
    def test_alone(self):
        self.write("src/hub/good.h", "#pragma once\n#include <string>\ninline std::string a;\n")
        self.write("src/hub/bad.h", "#pragma once\ninline std::string a;\n")
        self.write("src/hub/proven.h", "#pragma once\ninline std::string a;\n")
        self.write("src/hub/proven.cc", '// what it is\n#include "hub/proven.h"\n')
        problems = headers.check(self.root)
        self.assertEqual(len(problems), 1)
        self.assertIn("src/hub/bad.h", problems[0])


class FuzzTest(Tree):
    def setUp(self):
        super().setUp()
        self.write("src/codec/x/good_fuzz.cc", "")
        self.write("fuzz/README.md", "| decoder | target | corpus |\n| --- | --- | --- |\n| X | `good_fuzz` | `corpus/good` |\n")
        for n in range(fuzz.MIN_CORPUS):
            self.write(f"fuzz/corpus/good/{n}", "x")

    def test_complete(self):
        self.assertEqual(fuzz.check(self.root), [])

    def test_incomplete(self):
        self.write("src/codec/x/bare_fuzz.cc", "")
        self.write("fuzz/corpus/bare/1", "x")
        self.write("fuzz/corpus/left/1", "x")
        with (self.root / "fuzz/README.md").open("a") as table:
            table.write("| Y | `gone_fuzz` | `corpus/gone` |\n| Z | `good_fuzz` | `corpus/other` |\n")
        self.assertEqual(fuzz.check(self.root), [
            "fuzz/README.md: `good_fuzz` is not beside `corpus/other`", "fuzz/README.md: no such target: gone_fuzz",
            "src/codec/x/bare_fuzz.cc: not in the table of fuzz/README.md", "src/codec/x/bare_fuzz.cc: 1 files in fuzz/corpus/bare, at least 15",
            "fuzz/corpus/left: no target reads it"])

    def test_names_differ(self):
        self.write("src/codec/y/good_fuzz.cc", "")
        self.assertEqual(fuzz.check(self.root), ["src/codec/x/good_fuzz.cc and src/codec/y/good_fuzz.cc share a name and so a corpus"])


class CostTest(Tree):
    def test_words(self):
        for line in ("SseAdapter a;", "make_sse()", "adapter/sse/x.h", 'name == "sse"', "kSSE"):
            self.assertTrue(cost.names("sse", line), line)
        for line in ("Session s;", "assert(x)", "classes"):
            self.assertFalse(cost.names("sse", line), line)
        self.assertTrue(cost.names("socketio", "SocketIoAdapter"))
        self.assertTrue(cost.names("socketio", "socket_io/x"))

    def test_own_folders_are_free(self):
        self.write("src/adapter/sse/a.cc", "class SseAdapter;\n")
        self.write("tests/e2e/sse.test.mjs", "sse\n")
        self.write("docs/protocols/sse.md", "sse\n")
        self.write("README.md", "sse\n")
        self.write("src/server/list.cc", '// sse is explained here\n#include "adapter/sse/a.h"\nadd<SseAdapter>();\n')
        self.assertEqual([line for _, line, _ in cost.outside("sse", self.root)], [2, 3])

    def test_a_protocol_above_the_limit_is_told(self):
        self.write("src/adapter/sse/a.cc", "class SseAdapter;\n")
        self.write("src/adapter/mqtt/a.cc", "class MqttAdapter;\n")
        self.write("src/server/list.cc", "add<Mqtt>();\n" + "add<Sse>();\n" * 3)
        self.assertEqual(cost.check(self.root), [])
        self.write("src/session/session.cc", "Sse a;\n")
        problems = cost.check(self.root)
        self.assertEqual(len(problems), 5)
        self.assertIn("src/session/session.cc:1", problems[-2] + problems[0])
        self.assertIn("sse: 4 lines", problems[-1])

    def test_uses_are_free_and_build_files_are_not(self):
        self.write("tests/e2e/doors.test.mjs", "open('sse');\n")
        self.write("src/session/session_test.cc", "SseAdapter a;\n")
        self.write("web/demo/main.js", "sse();\n")
        self.write("examples/page/page.js", "sse();\n")
        self.write("examples/other/other.cc", "SseAdapter a;\n")
        self.write("src/session/session.cc", "SseAdapter a;\n")
        self.write("tests/contract/CMakeLists.txt", "parley_test(sse_test)\n")
        self.assertEqual({path for path, _, _ in cost.outside("sse", self.root)},
                         {"examples/other/other.cc", "src/session/session.cc", "tests/contract/CMakeLists.txt"})


if __name__ == "__main__":
    unittest.main()
