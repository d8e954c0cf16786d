"""Who includes whom, and which modules stay free of sockets, threads and clocks. The rules are in layers.toml."""

import fnmatch
import re
import tomllib

from . import cpp, files

THREAD_HEADERS = {"atomic", "barrier", "condition_variable", "future", "latch", "mutex", "semaphore", "shared_mutex",
                  "stop_token", "thread", "pthread.h"}
SOCKET_HEADERS = {"sys/socket.h", "sys/epoll.h", "sys/eventfd.h", "sys/timerfd.h", "sys/un.h", "netinet/in.h",
                  "netinet/tcp.h", "netdb.h", "poll.h", "liburing.h"}
THREAD_TOKEN = re.compile(r"\bstd\s*::\s*((recursive_|shared_|timed_|recursive_timed_|shared_timed_)?mutex|j?thread"
                          r"|this_thread|atomic\w*|condition_variable\w*|lock_guard|unique_lock|scoped_lock|shared_lock"
                          r"|promise|packaged_task|async|call_once|once_flag)\b|\bpthread_\w+")
CLOCK_TOKEN = re.compile(r"\b\w*[cC]lock\s*::\s*now\s*\(|\b(clock_gettime|gettimeofday)\s*\(|\btime\s*\(\s*(nullptr|NULL|0)\s*\)")
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')
SIDE_FILE = re.compile(r"_(test|fuzz|bench)\.cc$")


class Layers:
    def __init__(self, rules):
        self.may = {pattern: rule["may"] for pattern, rule in rules["modules"].items()}
        self.sans_io = rules["sans_io"]["modules"]
        self.threads = rules["threads"]["may"]
        self.tests = rules["tests"]["may"]

    def module_of(self, path):
        """(module, pattern) of a path below src/, or None. '*' stands for exactly one folder name."""
        folders = path.split("/")[:-1]
        for pattern in sorted(self.may, key=lambda p: (-p.count("/"), p.count("*"))):  # the most exact one wins
            parts = pattern.split("/")
            if len(folders) >= len(parts) and all(fnmatch.fnmatchcase(f, p) for f, p in zip(folders, parts)):
                return "/".join(folders[: len(parts)]), pattern
        return None

    def check_file(self, path, text):
        """Yields (line, message) for a file whose path is relative to src/."""
        home = self.module_of(path)
        if home is None:
            yield 1, "belongs to no module of layers.toml"
            return
        module, pattern = home
        side = bool(SIDE_FILE.search(path))
        sans_io = any(matches(module, p) for p in self.sans_io)
        threads_forbidden = not side and not any(fnmatch.fnmatchcase(path, p) for p in self.threads)
        allowed = self.may[pattern] + (self.tests if side else [])
        # Includes are read from the raw lines (they are strings), where the blanked text still has the directive.
        for number, (raw, code) in enumerate(zip(text.split("\n"), cpp.blank(text).split("\n")), 1):
            include = INCLUDE.match(raw) if code.lstrip().startswith("#") else None
            if include:
                yield from ((number, m) for m in self.check_include(module, allowed, side, *include.groups()))
                header = include.group(2)
                if header in THREAD_HEADERS and (sans_io or threads_forbidden):
                    yield number, f"<{header}> is not for {'a module without IO' if sans_io else 'files outside [threads]'}"
                if header in SOCKET_HEADERS and sans_io:
                    yield number, f"<{header}> is not for a module without IO"
            token = THREAD_TOKEN.search(code)
            if token and (sans_io or threads_forbidden):
                yield number, f"{token.group(0)} is not for {'a module without IO' if sans_io else 'files outside [threads]'}"
            token = CLOCK_TOKEN.search(code)
            if token and sans_io:
                yield number, f"{token.group(0).strip()} reads a clock; a module without IO is given the time"

    def check_include(self, module, allowed, side, quoted, _angled):
        if quoted is None:
            return
        if quoted.startswith("tests/"):
            if not side:
                yield f'"{quoted}": only tests may include tests/'
            return
        if "/" not in quoted or ".." in quoted.split("/"):
            yield f'"{quoted}": write the path from src/'
            return
        target = self.module_of(quoted)
        if target is None:
            yield f'"{quoted}" belongs to no module of layers.toml; foreign headers are included with <>'
        elif target[0] != module and not any(matches(target[0], p) for p in allowed):
            yield f"{module} may not include {target[0]} (\"{quoted}\")"


def matches(module, pattern):
    names, parts = module.split("/"), pattern.split("/")
    return len(names) == len(parts) and all(fnmatch.fnmatchcase(n, p) for n, p in zip(names, parts))


def check(root=files.ROOT):
    """All violations of the tree, as `path:line: message`."""
    layers = Layers(tomllib.loads((root / "layers.toml").read_text()))
    src = root / "src"
    return [f"src/{path}:{line}: {message}"
            for path in (f.relative_to(src).as_posix() for f in files.cpp_files(root, "src"))
            for line, message in layers.check_file(path, (src / path).read_text())]
