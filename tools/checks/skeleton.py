"""The files of a protocol that does not exist yet: tools/skeleton with a name in it."""

import re
import shutil
import subprocess

from . import files

TEMPLATES = files.ROOT / "tools/skeleton"
NAME = re.compile(r"[a-z][a-z0-9]{1,23}")
CLASS = re.compile(r"[A-Z][A-Za-z0-9]{1,31}")
FILLER = re.compile(r"@(name|Name)@")


def contents(name, class_name):
    """{path from the root: text} of all files."""
    words = {"name": name, "Name": class_name}
    return {template.relative_to(TEMPLATES).as_posix().replace("NAME", name).removesuffix(".in"):
            FILLER.sub(lambda match: words[match.group(1)], template.read_text())
            for template in files.walk(TEMPLATES, suffixes={".in"})}


def fault(name, class_name, root=files.ROOT):
    """Why the skeleton cannot be written, or None."""
    if not NAME.fullmatch(name):
        return f"{name!r} is no name for a protocol: 2 to 24 lower-case letters and digits, such as mqtt or socketio"
    if not CLASS.fullmatch(class_name):
        return f"{class_name!r} is no name for its classes: letters and digits, the first one upper-case, such as SocketIo"
    if class_name.lower() != name:
        return f"{class_name} is not {name} written with capitals, so tools/adapter-cost would not know it"
    for path in contents(name, class_name):
        if (root / path).exists():
            return f"{path} exists already"
    return None


def write(name, class_name, root=files.ROOT):
    """Writes and formats the files; their paths from the root. fault() must have found nothing."""
    paths = []
    for path, text in contents(name, class_name).items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        paths.append(path)
    if shutil.which("clang-format-19"):
        code = [path for path in paths if path.endswith((".h", ".cc"))]
        subprocess.run(["clang-format-19", "-i", *code], cwd=root, check=True)
    return paths
