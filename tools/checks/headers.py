"""Every header of src/ compiles alone.

The build proves it already for a header that some source of the same name includes first (x.cc or x_test.cc); only the others
are compiled here, through ccache, so that an unchanged one costs nothing.
"""

import concurrent.futures
import os
import re
import subprocess

from . import files

FIRST_INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]', re.MULTILINE)


def proven_by_build(src, header):
    for suffix in (".cc", "_test.cc", "_fuzz.cc"):
        source = header.with_name(header.stem + suffix)
        if source.exists():
            first = FIRST_INCLUDE.search(source.read_text())
            if first and first.group(1) == header.relative_to(src).as_posix():
                return True
    return False


def compile_alone(root, header):
    """The compiler's complaint about one header, or None."""
    name = header.relative_to(root / "src").as_posix()
    unit = root / "build" / "headers" / (name.replace("/", "__") + ".cc")
    text = f'#include "{name}"\n#include "{name}"\n'
    if not unit.exists() or unit.read_text() != text:
        unit.write_text(text)
    command = ["ccache", "g++", "-std=c++23", "-O0", "-Isrc", "-I.", "-Wall", "-Werror", "-c", str(unit.relative_to(root)), "-o",
               str(unit.relative_to(root).with_suffix(".o"))]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True)
    if result.returncode == 0:
        return None
    errors = [line for line in result.stderr.splitlines() if "error:" in line] or result.stderr.splitlines() or ["failed"]
    return f"src/{name}: does not compile alone: {errors[0]}"


def check(root=files.ROOT):
    src = root / "src"
    headers = [h for h in files.cpp_files(root, "src") if h.suffix == ".h" and not proven_by_build(src, h)]
    (root / "build" / "headers").mkdir(parents=True, exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return [problem for problem in pool.map(lambda h: compile_alone(root, h), headers) if problem]
