"""Just enough C++ lexing to look at code without comments and literals."""

import re

TOKEN = re.compile(
    r'//[^\n]*'
    r'|/\*.*?\*/'
    r'|R"(?P<tag>[^()\\\s]{0,16})\(.*?\)(?P=tag)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Za-z_])(?:u8|[uUL])?'(?:\\.|[^'\\\n])+'",
    re.DOTALL)


def blank(text):
    """The text with comments and literals replaced by spaces; line numbers stay."""
    return TOKEN.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)), text)


def without_comments(text):
    """The text with comments replaced by spaces and literals kept."""
    return TOKEN.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)) if match.group(0).startswith(("//", "/*"))
                     else match.group(0), text)
