"""clang-tidy over src/, a module at a time, remembered by content.

A module's sources are read as one file: most of the time goes into the standard library's headers, and so is spent once. What
passed is kept in tools/tidy.lock as a digest of all that the module is made of (its sources, every header of ours that they reach,
.clang-tidy): only what changed since is looked at again.
"""

import concurrent.futures
import hashlib
import os
import re
import subprocess

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
DEFINITION = re.compile(r"^(\S+?):(\d+):\d+: (?:warning|error): (.*)$")
# Sources that cannot share a file with their neighbours: APART in the module's CMakeLists.txt.
APART = re.compile(r"\bAPART\b([^)]*)")
FLAGS = ["-std=c++23", "-Isrc", "-I.", '-DPARLEY_COMMIT=""', '-DPARLEY_VERSION=""', "-DSPDLOG_COMPILED_LIB", "-DSPDLOG_FMT_EXTERNAL",
         "-DSPDLOG_SHARED_LIB", "-DFMT_SHARED"]
# Sources include each other here on purpose.
CHECKS = "-bugprone-suspicious-include"


def modules(root):
    """{name: [[sources read together], ...]} of the folders below src/ with a CMakeLists.txt."""
    found = {}
    for folder in sorted(path.parent for path in (root / "src").rglob("CMakeLists.txt")):
        sources = sorted(path for path in folder.glob("*.cc") if not path.stem.endswith(("_test", "_fuzz", "_bench")))
        if not sources:
            continue
        apart = " ".join(APART.findall((folder / "CMakeLists.txt").read_text())).split()
        together = [path for path in sources if path.name not in apart]
        found[folder.relative_to(root / "src").as_posix()] = [together] + [[path] for path in sources if path.name in apart]
    return found


def reached(root, sources):
    """The sources and every header of ours that they include, directly or not."""
    seen, waiting = set(), list(sources)
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        for name in INCLUDE.findall(path.read_text()):
            header = next((place / name for place in (root / "src", root) if (place / name).is_file()), None)
            if header:
                waiting.append(header)
    return sorted(seen)


def digest(root, groups):
    state = hashlib.sha256((root / ".clang-tidy").read_bytes())
    for path in reached(root, [source for group in groups for source in group]):
        state.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return state.hexdigest()[:16]


def read_lock(root):
    lock = root / "tools/tidy.lock"
    lines = lock.read_text().splitlines() if lock.exists() else []
    return dict(line.split() for line in lines if line and not line.startswith("#"))


def write_lock(root, passed):
    text = "# Modules that clang-tidy passed, and what they were then. Written by `make tidy`.\n"
    (root / "tools/tidy.lock").write_text(text + "".join(f"{name} {passed[name]}\n" for name in sorted(passed)))


def stale(root):
    lock = read_lock(root)
    return {name: groups for name, groups in modules(root).items() if lock.get(name) != digest(root, groups)}


def run_group(root, name, index, group):
    """What clang-tidy complains of, as lines."""
    unit = root / "build/tidy" / f"{name.replace('/', '__')}_{index}.cc"
    unit.parent.mkdir(parents=True, exist_ok=True)
    unit.write_text("".join(f'#include "{path.relative_to(root).as_posix()}"\n' for path in group))
    command = ["clang-tidy-19", "--quiet", "--header-filter=/src/", f"--checks={CHECKS}", str(unit), "--", *FLAGS]
    output = subprocess.run(command, cwd=root, capture_output=True, text=True).stdout
    found = dict.fromkeys(line for line in output.splitlines() if DEFINITION.match(line))
    return [line.replace(f"{root}/", "") for line in found]


def run(root, names=()):
    """Looks at the modules that changed, or at those named; writes the lock. Returns the number of complaints."""
    wanted = {name: groups for name, groups in (modules(root) if names else stale(root)).items() if not names or name in names}
    passed, complaints = {name: value for name, value in read_lock(root).items() if name in modules(root)}, 0
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        jobs = {name: [pool.submit(run_group, root, name, i, group) for i, group in enumerate(groups)] for name, groups in wanted.items()}
        for name, parts in jobs.items():
            lines = [line for part in parts for line in part.result()]
            print("\n".join(lines + [f"{'FAIL' if lines else 'ok  '} {name}"]), flush=True)
            complaints += len(lines)
            passed.pop(name, None)
            if not lines:
                passed[name] = digest(root, wanted[name])
    write_lock(root, passed)
    return complaints
