"""What clang-tidy is asked about, and what it is not asked about again. With the real program, on files that include nothing."""

import contextlib
import io
import pathlib
import tempfile
import unittest
from unittest import mock

from checks import files, tidy

CLEAN = "namespace parley {\ninline int twice(int number) { return 2 * number; }\n}  // namespace parley\n"
LONG = "int sum(int n) {\n" + "  n += 1;\n" * 71 + "  return n;\n}\n"
COPIES = "struct Big {\n  Big(const Big& other);\n  int size;\n};\nint size_of(Big big) { return big.size; }\n"
ASSIGNS = "int sign(int n) {\n  if (n < 0) return -1; else return -1;\n}\n"


class TidyTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)
        self.addCleanup(self.folder.cleanup)
        self.write(".clang-tidy", (files.ROOT / ".clang-tidy").read_text())

    def write(self, path, content):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)

    def tidy(self):
        with contextlib.redirect_stdout(io.StringIO()):
            return tidy.run(self.root, tidy.stale(self.root))

    def looked_at(self):
        """What `tools/check` would ask about now."""
        asked = []
        with mock.patch.object(tidy, "look_at", lambda root, unit: asked.extend(unit) or []):
            self.assertEqual(tidy.check(self.root), [])
        return asked

    def test_each_kind_is_found(self):
        for name, text, kind in (("naming", "int twiceOf(int n) { return 2 * n; }\n", "readability-identifier-naming"),
                                 ("size", LONG, "readability-function-size"),
                                 ("bugs", ASSIGNS, "bugprone-branch-clone"),
                                 ("speed", COPIES, "performance-unnecessary-value-param")):
            self.write(f"src/{name}/a.cc", text)
            complaints = "\n".join(tidy.check(self.root))
            self.assertRegex(complaints, rf"src/{name}/a\.cc:\d+:\d+: error: .*{kind}")
            self.assertIn("run make tidy: 1 of 1 files", complaints)
            (self.root / f"src/{name}/a.cc").unlink()

    def test_what_does_not_compile_has_not_passed(self):
        self.write("src/a/a.cc", "int broken(\n")
        self.assertTrue(self.tidy())
        self.assertEqual(tidy.stale(self.root), ["src/a/a.cc"])

    def test_what_passed_is_not_looked_at_again(self):
        self.write("src/a/a.h", "#pragma once\n" + CLEAN)
        self.write("src/a/b.cc", '#include "a/a.h"\n')
        self.write("src/a/b_test.cc", "int NotLookedAt;\n")
        self.assertEqual(self.tidy(), [])
        self.assertEqual(self.looked_at(), [])
        self.write("src/a/a.h", "#pragma once\n\n" + CLEAN)
        self.assertEqual(self.looked_at(), ["src/a/a.h"])

    def test_the_check_remembers_what_passed(self):
        self.write("src/a/a.cc", CLEAN)
        self.assertEqual(tidy.check(self.root), [])
        self.assertEqual(self.looked_at(), [])
        self.assertFalse((self.root / tidy.LOCK).exists())

    def test_other_rules_ask_again_and_comments_do_not(self):
        self.write("src/a/a.cc", CLEAN)
        self.tidy()
        rules = (self.root / ".clang-tidy").read_text()
        self.write(".clang-tidy", "# A reason.\n" + rules)
        self.assertEqual(self.looked_at(), [])
        self.write(".clang-tidy", rules.replace("LineThreshold: 70", "LineThreshold: 60"))
        self.assertEqual(self.looked_at(), ["src/a/a.cc"])

    def test_a_header_is_read_with_its_source(self):
        self.write("src/a/a.h", "#pragma once\nint twice(int number);\n")
        self.write("src/a/a.cc", '#include "a/a.h"\nint twice(int number) { return 2 * number; }\n')
        self.assertEqual(self.tidy(), [])
        self.write("src/a/a.h", "#pragma once\nint twice(int other);\n")
        self.assertIn("readability-inconsistent-declaration-parameter-name", tidy.check(self.root)[0])

    def test_sources_are_read_apart_where_the_build_says_so(self):
        self.write("src/a/CMakeLists.txt", "parley_module(a APART b.cc)\n")
        for name in ("a.cc", "b.cc", "c.cc"):
            self.write(f"src/a/{name}", "namespace {\nconstexpr int kTable = 1;\n}\n" if name != "c.cc" else "")
        self.assertEqual(tidy.units(self.root, tidy.stale(self.root)), [["src/a/a.cc", "src/a/c.cc"], ["src/a/b.cc"]])
        self.assertEqual(self.tidy(), [])

    def test_a_merge_that_keeps_both_sides_lines(self):
        self.write("src/a/a.cc", CLEAN)
        self.write("src/a/b.cc", "")
        self.tidy()
        lock = (self.root / tidy.LOCK).read_text()
        self.write(tidy.LOCK, lock.replace("src/a/a.cc ", "src/a/a.cc 0123456789abcdef\nsrc/a/a.cc ") + "src/gone.cc 0123456789abcdef\n")
        self.assertEqual(self.looked_at(), [])
        self.tidy()
        self.assertEqual((self.root / tidy.LOCK).read_text(), lock)

    def test_too_much_is_left_to_make_tidy(self):
        for n in range(tidy.AFFORDABLE + 1):
            self.write(f"src/a/f{n}.cc", "")
        self.assertIn(f"run make tidy: {tidy.AFFORDABLE + 1} of {tidy.AFFORDABLE + 1} files", tidy.check(self.root)[0])

    def test_without_the_program_it_is_told_what_changed(self):
        self.write("src/a/a.cc", CLEAN)
        with mock.patch.object(tidy, "PROGRAM", "no-such-program"):
            self.assertRegex(tidy.check(self.root)[0], "run make tidy: .* not installed: src/a/a.cc")


if __name__ == "__main__":
    unittest.main()
