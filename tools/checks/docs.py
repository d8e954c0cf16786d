"""Links of the documents, the symbols that some of them name, the tests and metrics that any names, and the table of limits."""

import re

from . import cpp, files

LINK = re.compile(r"(?<!\!)\[[^\]\n]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)|!\[[^\]\n]*\]\(\s*([^)\s]+)\s*\)")
FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
INLINE_CODE = re.compile(r"`([^`\n]+)`")
SYMBOL_DOCS = ("docs/life-of-a-message.md", "docs/limits.md")
LIMITS_DOC = "docs/limits.md"
IN_FILE = re.compile(r"^([\w./-]+\.(?:h|cc|ts|mjs)):([A-Za-z_]\w*(?:::~?\w+)*)(?:\(.*\))?$")
FILE = re.compile(r"^[\w-]+(?:/[\w.-]+)+\.(?:h|cc|ts|mjs|md|toml)$")
MEMBER = re.compile(r"^([A-Za-z_]\w*(?:::~?[A-Za-z_]\w*)+)(?:\(.*\))?$")
FUNCTION = re.compile(r"^([A-Za-z_]\w*)\(.*\)$")
TEST = re.compile(r"\b(?:TYPED_)?TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\s*\)")
# `Suite.Name` or `Suite.*`, and `.Name` for another test of the suite named before it on the line.
TEST_SPAN = re.compile(r"^([A-Z]\w*)?\.([A-Z]\w*|\*)$")

# `parley_x_total`, `parley_x_total{label=value}`, or `{label=value}` for another one of the metric named before it on the line.
METRIC_SPAN = re.compile(r"^(parley_\w+)?(?:\{(\w+)=(\w+)\})?$")


def check_links(root=files.ROOT):
    problems = []
    for file in files.walk(root, suffixes={".md"}):
        text = INLINE_CODE.sub("", FENCE.sub(lambda m: "\n" * m.group(0).count("\n"), file.read_text()))
        for number, line in enumerate(text.split("\n"), 1):
            for match in LINK.finditer(line):
                target = (match.group(1) or match.group(2)).split("#")[0]
                if not target or re.match(r"[a-z][a-z0-9+.-]*:", target):
                    continue
                base = root if target.startswith("/") else file.parent
                if not (base / target.lstrip("/")).exists():
                    problems.append(f"{file.relative_to(root)}:{number}: no such file: {target}")
    return problems


class Sources:
    """The code of src/ without comments, to look symbols up in."""

    def __init__(self, root):
        self.root = root
        self.code = {f.relative_to(root / "src").as_posix(): cpp.without_comments(f.read_text())
                     for f in files.cpp_files(root, "src")}

    def has_word(self, text, word):
        return re.search(rf"(?<![\w~]){re.escape(word)}\b", text) is not None

    def in_file(self, path, symbol):
        text = self.code.get(path.removeprefix("src/"))
        if text is None:
            file = self.root / path
            if not file.is_file():
                return f"no such file: {path}"
            text = file.read_text()
        parts = symbol.split("::")
        return None if all(self.has_word(text, part) for part in parts) else f"{path} has no {symbol}"

    def member(self, symbol):
        owner, name = symbol.split("::")[-2:]
        declares = re.compile(rf"\b(class|struct|union|enum|enum class|namespace)\s+(?:[\w:]+::)?{owner}\b(?!\s*;)")
        for text in self.code.values():
            if f"{owner}::{name}" in text or (declares.search(text) and self.has_word(text, name)):
                return None
        return f"no {symbol} in src/"

    def problem_with(self, span):
        """What is wrong with one span of inline code, or None. Spans that name no symbol are not looked at."""
        if match := IN_FILE.match(span):
            return self.in_file(*match.groups())
        if FILE.match(span):
            known = span.removeprefix("src/") in self.code or (self.root / span).exists()
            return None if known else f"no such file: {span}"
        if match := MEMBER.match(span):
            return None if span.startswith("std::") else self.member(match.group(1))
        if match := FUNCTION.match(span):
            word = match.group(1)
            return None if any(self.has_word(text, word) for text in self.code.values()) else f"no {word} in src/"
        return None


def check_symbols(root=files.ROOT):
    documents = [root / name for name in SYMBOL_DOCS if (root / name).exists()]
    if not documents:
        return []
    sources = Sources(root)
    problems = []
    for document in documents:
        text = FENCE.sub(lambda m: "\n" * m.group(0).count("\n"), document.read_text())
        for number, line in enumerate(text.split("\n"), 1):
            for span in INLINE_CODE.findall(line):
                if problem := sources.problem_with(span.strip()):
                    problems.append(f"{document.relative_to(root)}:{number}: {problem}")
    return problems


def check_tests(root=files.ROOT):
    """Every test that a document names as proof exists."""
    tests = {}
    for file in files.cpp_files(root, "src", "tests", "examples"):
        for suite, name in TEST.findall(file.read_text()):
            tests.setdefault(suite, {"*"}).add(name)
    problems = []
    for document in files.walk(root / "docs", suffixes={".md"}) if (root / "docs").is_dir() else ():
        for number, line in enumerate(document.read_text().split("\n"), 1):
            suite = None
            for match in filter(None, map(TEST_SPAN.match, INLINE_CODE.findall(line))):
                suite = match.group(1) or suite
                if match.group(2) not in tests.get(suite, ()):
                    problems.append(f"{document.relative_to(root)}:{number}: no such test: {suite}.{match.group(2)}")
    return problems


def check_metrics(root=files.ROOT):
    """Every metric that a document names exists, and each row of the tables of limits has a metric and a test."""
    code = "\n".join(text for file, text in Sources(root).code.items() if not file.endswith("_test.cc"))
    problems = []
    for document in files.walk(root / "docs", suffixes={".md"}) if (root / "docs").is_dir() else ():
        where = document.relative_to(root).as_posix()
        for number, line in enumerate(document.read_text().split("\n"), 1):
            spans = INLINE_CODE.findall(line)
            named = [match.groups() for match in map(METRIC_SPAN.match, spans) if match]
            problems += [f"{where}:{number}: nothing in src/ is called \"{word}\""
                         for words in named for word in words if word and f'"{word}"' not in code]
            if where == LIMITS_DOC and re.match(r"\| (?!---|limit |what happened )", line):
                if not named:
                    problems.append(f"{where}:{number}: no metric in this row")
                if ".test.mjs)" not in line and not any(map(TEST_SPAN.match, spans)):
                    problems.append(f"{where}:{number}: no test in this row")
    return problems
