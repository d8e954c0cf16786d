"""That each fuzz target has a corpus and a row in the inventory of decoders, fuzz/README.md, and the other way round."""

import re

from . import files

INVENTORY = "fuzz/README.md"
ROW = re.compile(r"^\|.*\| `(\w+)_fuzz` \| `corpus/(\w+)` \|\s*$")
MIN_CORPUS = 15


def check(root=files.ROOT):
    targets = {}
    for source in sorted((root / "src").rglob("*_fuzz.cc")):
        targets.setdefault(source.stem.removesuffix("_fuzz"), []).append(source.relative_to(root).as_posix())
    inventory = root / INVENTORY
    rows = [match.groups() for match in map(ROW.match, inventory.read_text().splitlines()) if match] if inventory.is_file() else []
    problems = [f"{INVENTORY}: `{target}_fuzz` is not beside `corpus/{corpus}`" for target, corpus in rows if target != corpus]
    problems += [f"{INVENTORY}: no such target: {target}_fuzz" for target, _ in rows if target not in targets]
    listed = {target for target, _ in rows}
    for target, sources in targets.items():
        if len(sources) > 1:
            problems.append(f"{' and '.join(sources)} share a name and so a corpus")
        if target not in listed:
            problems.append(f"{sources[0]}: not in the table of {INVENTORY}")
        count = sum(file.is_file() for file in (root / "fuzz/corpus" / target).glob("*"))
        if count < MIN_CORPUS:
            problems.append(f"{sources[0]}: {count} files in fuzz/corpus/{target}, at least {MIN_CORPUS}")
    for folder in sorted((root / "fuzz/corpus").glob("*")):
        if folder.name not in targets:
            problems.append(f"{folder.relative_to(root).as_posix()}: no target reads it")
    return problems
