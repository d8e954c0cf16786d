"""Format, sizes, and words that do not belong into the repository."""

import concurrent.futures
import os
import re
import subprocess

from . import files

MAX_LINES = 800
FORMATTED = ("src", "tests", "examples", "bench")
LOOSE_END = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
# Written so that this file does not match itself.
MACHINE_PATH = re.compile(r"""(?<![\w.~}/-])/(?:work|root|home|tmp|Users)/[\w.$-]""")
REGISTRY = re.compile(r"\bregistry[.](?!get\b)[a-z0-9-]+[.][a-z]+\b|\bpypi[.]org\b|\bfiles[.]pythonhosted\b", re.IGNORECASE)
TEXT_SUFFIXES = {".h", ".cc", ".md", ".py", ".mjs", ".js", ".ts", ".tsx", ".css", ".html", ".json", ".toml", ".yaml", ".yml",
                 ".txt", ".cmake", ".sh", ".npmrc", ""}
SELF = "tools/tests/"


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


def words_in(path, text):
    """Yields problems of one text file, whose path is relative to the root."""
    for number, line in enumerate(text.splitlines(), 1):
        if path != "tools/checks/text.py" and LOOSE_END.search(line):
            yield f"{path}:{number}: a loose end: do it, or write an issue"
        machine = MACHINE_PATH.search(line)
        if machine and not (number == 1 and line.startswith("#!")):
            yield f"{path}:{number}: a path of one machine: {machine.group(0)}..."
        if REGISTRY.search(line):
            yield f"{path}:{number}: names a package registry"
        if path.endswith("package-lock.json") and '"resolved"' in line:
            yield f"{path}:{number}: a registry address in the lock file (see tests/e2e/.npmrc)"


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
