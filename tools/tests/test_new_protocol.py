"""Writes the skeleton of a protocol into a throw-away copy and checks it as the real tree is checked."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import unittest

from checks import cost, docs, files, layers, skeleton, text

EXPECTED = {
    "src/adapter/nonesuch/CMakeLists.txt", "src/adapter/nonesuch/README.md", "src/adapter/nonesuch/adapter.h",
    "src/adapter/nonesuch/adapter.cc", "src/adapter/nonesuch/dialect.h", "src/adapter/nonesuch/dialect.cc",
    "tests/contract/nonesuch_adapter_contract_test.cc", "tests/e2e/nonesuch.test.mjs", "docs/protocols/nonesuch.md",
}


class NewProtocolTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        for name in (".clang-format", "layers.toml"):
            shutil.copy(files.ROOT / name, self.root)
        shutil.copytree(files.ROOT / "tests/contract", self.root / "tests/contract")
        self.assertIsNone(skeleton.fault("nonesuch", "Nonesuch", self.root))
        self.paths = skeleton.write("nonesuch", "Nonesuch", self.root)

    def test_writes_all_files_and_fills_them_in(self):
        self.assertEqual(set(self.paths), EXPECTED)
        for path in self.paths:
            content = (self.root / path).read_text()
            self.assertNotRegex(content, "@[A-Za-z]+@|NAME", path)
            self.assertRegex(content, "[Nn]onesuch", path)

    def test_keeps_the_layers(self):
        rules = layers.Layers(tomllib.loads((self.root / "layers.toml").read_text()))
        for path in self.paths:
            if path.startswith("src/") and path.endswith((".h", ".cc")):
                self.assertEqual(list(rules.check_file(path.removeprefix("src/"), (self.root / path).read_text())), [])

    def test_passes_the_checks(self):
        for path in self.paths:
            self.assertEqual(list(text.words_in(path, (self.root / path).read_text())), [])
        self.assertEqual(text.check_format(self.root), [])
        self.assertEqual(docs.check_links(self.root), [])
        self.assertEqual(docs.check_tests(self.root), [])

    def test_costs_nothing_outside(self):
        self.assertEqual(cost.outside("nonesuch", self.root), [])

    def test_every_test_of_the_contract_has_its_rule(self):
        suite = (files.ROOT / "tests/contract/adapter_contract.cc").read_text()
        tests = re.findall(r"TEST_P\(AdapterContract, (\w+)\)", suite)
        rig = (self.root / "tests/contract/nonesuch_adapter_contract_test.cc").read_text()
        self.assertEqual(re.findall(r'\{"(\w+)",', rig), tests)

    def test_overwrites_nothing(self):
        self.assertIn("exists already", skeleton.fault("nonesuch", "Nonesuch", self.root))
        self.assertIn("exists already", skeleton.fault("eventsource", "EventSource"))

    def test_refuses_bad_names(self):
        for name, class_name in (("Nonesuch", "Nonesuch"), ("nonesuch_post", "NonesuchPost"), ("../x", "X"), ("7up", "Up"), ("", "X"),
                                 ("nonesuch", "nonesuch"), ("nonesuch", "Dove"), ("nonesuch", "None-such")):
            self.assertIsNotNone(skeleton.fault(name, class_name, self.root), name)

    def test_the_command_says_what_is_wrong(self):
        for arguments, status in (([], 2), (["--help"], 0), (["a", "b", "c"], 2), (["UPPER"], 2)):
            result = subprocess.run([sys.executable, files.ROOT / "tools/new-protocol", *arguments], capture_output=True, text=True)
            self.assertEqual(result.returncode, status, arguments)
            self.assertTrue(result.stdout + result.stderr)


if __name__ == "__main__":
    unittest.main()
