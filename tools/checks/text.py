"""Format, sizes, and words that do not belong into the repository."""

import concurrent.futures
import os
import re
import subprocess
import tomllib

from . import files

MAX_LINES = 800
FORMATTED = ("src", "tests", "examples", "bench")
TEXT_SUFFIXES = {".h", ".cc", ".md", ".py", ".mjs", ".js", ".ts", ".tsx", ".css", ".html", ".json", ".toml", ".yaml", ".yml",
                 ".txt", ".cmake", ".sh", ".npmrc", ""}
WORDS = files.ROOT / "tools/checks/words.toml"
# Where the banned texts stand on purpose.
SELF = ("tools/tests/", "tools/checks/words.toml")


def format_command(fix):
    return ["clang-format-19", "-i"] if fix else ["clang-format-19", "--dry-run", "-Werror"]


def check_format(root=files.ROOT, fix=False):
    sources = [str(f.relative_to(root)) for f in files.cpp_files(root, *FORMATTED)]
    workers = os.cpu_count() or 1
    batches = [batch for batch in (sources[n::workers] for n in range(workers)) if batch]
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        results = pool.map(lambda batch: subprocess.run(format_command(fix) + batch, cwd=root, capture_output=True, text=True),
                           batches)
    problems = []
    for result in results:
        problems += sorted({line for line in result.stderr.splitlines() if "error:" in line})
        if result.returncode != 0 and not result.stderr.strip():
            problems.append(f"clang-format-19 ended with {result.returncode}")
    return problems


def check_sizes(root=files.ROOT):
    problems = []
    for file in files.cpp_files(root, "src"):
        lines = file.read_text().count("\n")
        if lines > MAX_LINES:
            problems.append(f"{file.relative_to(root)}: {lines} lines, at most {MAX_LINES}: split it, each part with a real name")
    return problems


class Ban:
    """One entry of words.toml."""

    def __init__(self, what, pattern, reason, only="", program=False):
        self.what, self.reason, self.program = what, reason, program
        self.pattern, self.only = re.compile(pattern), re.compile(only)

    def found_in(self, path, number, line):
        if not self.only.search(path) or (self.program and number == 1 and line.startswith("#!")):
            return None
        return self.pattern.search(line)


def read_bans(file=WORDS):
    return [Ban(**entry) for entry in tomllib.loads(file.read_text())["banned"]]


BANS = read_bans()


def words_in(path, text, bans=None):
    """Yields problems of one text file, whose path is relative to the root."""
    bans = [ban for ban in (BANS if bans is None else bans) if ban.only.search(path)]
    for number, line in enumerate(text.splitlines(), 1):
        for ban in bans:
            if match := ban.found_in(path, number, line):
                yield f"{path}:{number}: {ban.what}, {match.group(0).strip()!r}: {ban.reason}"


def check_words(root=files.ROOT):
    problems = []
    for file in files.walk(root):
        path = file.relative_to(root).as_posix()
        if file.suffix not in TEXT_SUFFIXES or path == "LICENSE" or path.startswith(SELF) or path == ".git":
            continue
        try:
            problems += words_in(path, file.read_text())
        except UnicodeDecodeError:
            if file.suffix:
                problems.append(f"{path}: not UTF-8")
    return problems
