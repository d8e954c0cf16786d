"""clang-tidy over src/, remembered file by file.

tools/tidy.lock has a line for each file that passed: its path, and a digest of its text and of the rules (.clang-tidy without its
comments, and the options below). A file that is not there as it is now is looked at; the others are not. What a file includes is not
in its digest: otherwise whoever touches a header of base looks at everything again. So a file can be made wrong by another one
without being looked at; `make tidy ALL=1` finds that.

The lock is a set of lines, so that git can merge it by keeping both sides' (.gitattributes). What passed is also kept in build/tidy, so
that `tools/check` looks once at a file that is not in the lock yet.

The files of one module are read as one: most of the time goes into the standard library's headers, and so is spent once.
"""

import concurrent.futures
import hashlib
import os
import re
import shutil
import subprocess

from . import files

PROGRAM = "clang-tidy-19"
COMPLAINT = re.compile(r"^(\S+?):(\d+):\d+: (?:warning|error): (.*)$")
# Sources that cannot share a file with their neighbours: APART in the module's CMakeLists.txt.
APART = re.compile(r"\bAPART\b([^)]*)")
FLAGS = ["-std=c++23", "-Isrc", "-I.", '-DPARLEY_COMMIT=""', '-DPARLEY_VERSION=""', "-DSPDLOG_COMPILED_LIB", "-DSPDLOG_FMT_EXTERNAL",
         "-DSPDLOG_SHARED_LIB", "-DFMT_SHARED"]
# Sources include each other here on purpose.
OPTIONS = ["--quiet", "--checks=-bugprone-suspicious-include"]
# GoogleTest's and Google Benchmark's macros are what would be complained of there.
NOT_LOOKED_AT = ("_test.cc", "_fuzz.cc", "_bench.cc", "_testing.h")
LOCK, KEPT = "tools/tidy.lock", "build/tidy/passed.lock"
HEADING = "# Files as clang-tidy passed them. Written by `make tidy`; after a merge, run it again.\n"
# More files than `tools/check` looks at by itself: a module, or three files of it, takes 3 to 10 s of processor time.
AFFORDABLE = 60


def sources(root):
    """{path: digest} of all files that are looked at."""
    rules = re.sub(r"(?m)^\s*#.*\n", "", (root / ".clang-tidy").read_text())
    state = hashlib.sha256("\n".join([rules, *OPTIONS, *FLAGS]).encode())
    found = {}
    for path in files.cpp_files(root, "src"):
        if not path.name.endswith(NOT_LOOKED_AT):
            one = state.copy()
            one.update(path.read_bytes())
            found[path.relative_to(root).as_posix()] = one.hexdigest()[:16]
    return found


def read_lock(root):
    """{(path, digest)}, of the lock and of what passed here."""
    passed = set()
    for name in (LOCK, KEPT):
        lines = (root / name).read_text().splitlines() if (root / name).exists() else []
        passed |= {tuple(line.split()) for line in lines if not line.startswith("#")}
    return passed


def write_lock(root, passed, name=LOCK):
    """Keeps of the files that passed those that are still like that."""
    lines = [f"{path} {digest}\n" for path, digest in sorted(sources(root).items()) if (path, digest) in passed]
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(HEADING + "".join(lines))


def stale(root):
    """The files that clang-tidy has not passed as they are now."""
    passed = read_lock(root)
    return [path for path, digest in sources(root).items() if (path, digest) not in passed]


def units(root, wanted):
    """Lists of files to be read together: a module's; a header with the source of its name, where its declarations are defined."""
    modules = {}
    for path in wanted:
        modules.setdefault(path.rpartition("/")[0], set()).add(path)
        if path.endswith(".h") and (root / path).with_suffix(".cc").exists():
            modules[path.rpartition("/")[0]].add(path.removesuffix(".h") + ".cc")
    found = []
    for folder, paths in modules.items():
        recipe = root / folder / "CMakeLists.txt"
        names = " ".join(APART.findall(recipe.read_text())).split() if recipe.exists() else []
        apart = {f"{folder}/{name}" for name in names} & paths
        # Headers first, so that a source's using-declarations are not what they are read with.
        together = sorted(paths - apart, key=lambda path: (path.endswith(".cc"), path))
        found += [group for group in (together, *([path] for path in sorted(apart))) if group]
    return found


def look_at(root, unit):
    """What clang-tidy complains of, as lines."""
    joined = root / "build/tidy" / (unit[0].replace("/", "__") + ".cc")
    joined.parent.mkdir(parents=True, exist_ok=True)
    joined.write_text("".join(f'#include "{path.removeprefix("src/")}"\n' for path in unit))
    # Headers of other modules are looked at with their own.
    mine = re.escape(unit[0].rpartition("/")[0])
    command = [PROGRAM, *OPTIONS, f"--header-filter=(^|/){mine}/[^/]*$", f"--config-file={root / '.clang-tidy'}", str(joined), "--", *FLAGS]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True)
    found = [line.replace(f"{root}/", "") for line in dict.fromkeys(result.stdout.splitlines()) if COMPLAINT.match(line)]
    if result.returncode != 0 and not found:
        found = [f"{unit[0]}: {PROGRAM} ended with {result.returncode}: {result.stderr.strip()[-300:]}"]
    return found


def look(root, wanted, lock, tell=lambda unit, lines: None):
    """Looks at files and remembers those that passed. Returns the complaints."""
    now, passed, complaints = sources(root), read_lock(root), []
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        jobs = {pool.submit(look_at, root, unit): unit for unit in units(root, wanted)}
        for job in concurrent.futures.as_completed(jobs):
            unit, lines = jobs[job], job.result()
            tell(unit, lines)
            complaints += lines
            # What is wrong in one file may hide what is wrong in those that were read with it.
            if not lines:
                passed |= {(path, now[path]) for path in unit if path in wanted}
                write_lock(root, passed, lock)
    return complaints


def run(root, wanted):
    """`make tidy`: prints what it looks at; writes the lock. Returns the complaints."""
    def tell(unit, lines):
        print("\n".join(lines + [f"{'FAIL' if lines else 'ok  '} {unit[0].rpartition('/')[0]}: {len(unit)} files"]), flush=True)
    write_lock(root, {(path, digest) for path, digest in read_lock(root) if path not in wanted})
    (root / KEPT).unlink(missing_ok=True)
    return look(root, wanted, LOCK, tell)


def check(root=files.ROOT):
    """`tools/check tidy`: nothing, while each file is in the lock as it is; else looks at what changed, if that is little."""
    wanted = stale(root)
    if not wanted:
        return []
    what = f"{len(wanted)} of {len(sources(root))} files (or .clang-tidy) changed since {PROGRAM} passed them"
    if len(wanted) > AFFORDABLE:
        return [f"run make tidy: {what}, more than the {AFFORDABLE} that are looked at here"]
    if not shutil.which(PROGRAM):
        return [f"run make tidy: {what}, and it is not installed: {' '.join(wanted)}"]
    complaints = look(root, wanted, KEPT)
    return complaints + ([f"run make tidy: {what}, and it complains now"] if complaints else [])
