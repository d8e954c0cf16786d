"""What a protocol costs outside of its own folders: the lines of code and build files that name it.

Counted is what has to change elsewhere for a protocol to exist: every line of code (comments aside) and of the build that has the
protocol's name as a word, in src/, examples/, cmake/, tools/ and the test support. Not counted:
- its own folders, and test files, corpora and pages that are named after it (own);
- what merely uses protocols that exist: tests of other modules, end-to-end tests, the simulated world, the demo page, the pages of
  examples, benchmarks and their load generator (USES);
- documents, package lists and these checks (PROSE).
"""

import re

from . import cpp, files

MAX_LINES = 3
IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
PART = re.compile(r"[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*|\d+")
# Documents tell of protocols and lock files list clients; neither is code that has to change.
PROSE = re.compile(r"\.md$|(^|/)package(-lock)?\.json$|(^|/)LICENSE$|^tools/(tests|checks)/")
USES = re.compile(r"_(test|testing|fuzz)\.(cc|h)$|^tests/(e2e|sim)/|^web/|^examples/.*\.(mjs|js|html)$|^(src/)?bench/.*\.(cc|h|mjs|js|py)$")
CODE = {".h", ".cc", ".txt", ".cmake", ".toml", ".json", ".mjs", ".js", ".ts", ".tsx", ".html", ".yaml", ".yml", ""}


def names(protocol, line):
    """Whether a line names the protocol as a word: SseAdapter names sse, Session does not."""
    for identifier in IDENTIFIER.findall(line):
        parts = [part.lower() for part in PART.findall(identifier)]
        # kSse and mqtt5: the constant's k and a version are not part of the name.
        parts = parts[1:] if parts[:1] == ["k"] else parts
        for start in range(len(parts)):
            word = ""
            for part in parts[start:]:
                word += part
                if word == protocol or word.rstrip("0123456789") == protocol:
                    return True
    return False


def check(root=files.ROOT):
    """Each protocol that there is keeps to the limit."""
    problems = []
    for folder in sorted((root / "src" / "adapter").iterdir() if (root / "src" / "adapter").is_dir() else ()):
        lines = outside(folder.name, root)
        if len(lines) > MAX_LINES:
            problems += [f"{path}:{number}: names {folder.name}" for path, number, _ in lines]
            problems.append(f"{folder.name}: {len(lines)} lines outside its own folders, at most {MAX_LINES}")
    return problems


def own(protocol, path):
    """Whether a path belongs to the protocol: its folders, and files of tests, corpora and pages that are named after it."""
    folders = path.split("/")
    if path.startswith("src/"):
        return len(folders) > 3 and folders[1] in ("adapter", "codec", "transport") and names(protocol, folders[2])
    return folders[0] in ("tests", "fuzz", "web", "docs", "examples", "bench") and any(names(protocol, f) for f in folders[1:])


def outside(protocol, root=files.ROOT):
    """(path, line number, text) of each line that names the protocol outside of its own folders; comments are not counted."""
    found = []
    for file in files.walk(root, suffixes=CODE):
        path = file.relative_to(root).as_posix()
        if path.startswith(".git") or PROSE.search(path) or USES.search(path) or own(protocol, path):
            continue
        try:
            text = file.read_text()
        except UnicodeDecodeError:
            continue
        if text.startswith("#!") and "bash" in text.split("\n", 1)[0]:
            continue  # a shell script says echo without meaning a protocol
        code = cpp.without_comments(text) if file.suffix in (".h", ".cc", ".ts", ".mjs", ".js") else re.sub(r"#.*", "", text)
        found += [(path, number, line.strip()) for number, line in enumerate(code.split("\n"), 1) if names(protocol, line)]
    return found
