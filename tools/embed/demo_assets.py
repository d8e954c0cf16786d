#!/usr/bin/env python3
"""Writes the C++ source that holds the demo page's files.

usage: tools/embed/demo_assets.py WEB_FOLDER OUT.cc DEPFILE     Called by src/admin/CMakeLists.txt.
"""

import hashlib
import pathlib
import sys

# Served path: file below web/. Nothing is compiled or minified: what is read in the repository is what the browser gets.
CLIENT = "node_modules/centrifuge"
FILES = {
    "/": "demo/index.html",
    "/demo/style.css": "demo/style.css",
    "/demo/icon.svg": "demo/icon.svg",
    "/demo/main.js": "demo/main.js",
    "/demo/event_source_client.js": "demo/event_source_client.js",
    "/demo/line.js": "demo/line.js",
    "/demo/pane.js": "demo/pane.js",
    "/demo/presence.js": "demo/presence.js",
    "/demo/publish.js": "demo/publish.js",
    "/demo/sdk_client.js": "demo/sdk_client.js",
    "/demo/centrifuge.js": f"{CLIENT}/dist/centrifuge.js",
    "/demo/centrifuge.license.txt": f"{CLIENT}/LICENSE",
}
CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
LINE_BYTES = 100

HEAD = """\
// Written by tools/embed/demo_assets.py from the files of web/.
#include "admin/demo_assets.h"

namespace parley::admin {
namespace {
using namespace std::string_view_literals;

constexpr Asset kDemoAssets[] = {
"""
TAIL = """\
};
}  // namespace

std::span<const Asset> demo_assets() { return kDemoAssets; }

}  // namespace parley::admin
"""


def literal(data):
    """The bytes as C++ string literals. Octal escapes are always three digits: what follows cannot be taken for a part of one."""
    def escaped(byte):
        char = chr(byte)
        if char in '"\\?':
            return "\\" + char
        return char if 0x20 <= byte < 0x7F else f"\\{byte:03o}"

    chunks = [data[at:at + LINE_BYTES] for at in range(0, len(data), LINE_BYTES)]
    # The suffix of one literal holds for all that are joined to it.
    return "\n".join(f'"{"".join(map(escaped, chunk))}"' for chunk in chunks) + "sv"


def asset(path, file):
    body = file.read_bytes()
    if not body:
        raise ValueError(f"{file} is empty")
    suffix = pathlib.PurePosixPath(path).suffix or file.suffix
    etag = hashlib.sha256(body).hexdigest()[:32]
    return f'{{"{path}"sv, "{CONTENT_TYPES[suffix]}"sv,\n{literal(body)},\n"\\"{etag}\\""sv}},\n'


def main(web, out, depfile):
    files = {path: web / name for path, name in FILES.items()}
    for file in files.values():
        if not file.is_file():
            sys.exit(f"{file} is missing: run tools/setup first")
    out.write_text(HEAD + "".join(asset(path, file) for path, file in files.items()) + TAIL)
    depfile.write_text(f"{out}: " + " ".join(str(file).replace(" ", "\\ ") for file in files.values()) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*map(pathlib.Path, sys.argv[1:]))
