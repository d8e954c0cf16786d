"""Which files of the repository the checks look at."""

import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = {".git", "build", "node_modules", "__pycache__", "corpus"}


def walk(root, *folders, suffixes=None):
    """All files below root's folders (or root itself), sorted, without build output and fetched packages."""
    found = []
    for folder in folders or (".",):
        for path, names, files in os.walk(root / folder):
            names[:] = [name for name in names if name not in SKIPPED]
            found += [pathlib.Path(path) / file for file in files]
    return sorted(file for file in found if suffixes is None or file.suffix in suffixes)


def cpp_files(root, *folders):
    return walk(root, *folders, suffixes={".h", ".cc"})
