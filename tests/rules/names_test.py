#!/usr/bin/python3
"""What a source keeps in its unnamed namespace has a name that no header has.

The presets compile several sources as one. There a function of a source hides one of that name that a header declares,
from all sources that follow: those that meant the other are compiled with this one, often without a word.

usage: names_test.py REPOSITORY
"""
import collections
import pathlib
import re
import sys

FOLDERS = ("sim", "agents", "aggregators", "attacks", "analysis")
ARCHIVES = {"serialize", "serialize_columns"}  # overloads by the type that is saved
NO_DECLARATION = ("//", "#", "}", ")", "namespace", "template", "extern", "friend", "static_assert", "SOUK", "HWY")


def declared(line):
    """The name that a line at the margin declares, or None."""
    if not line.strip() or line[0].isspace() or line.startswith(NO_DECLARATION):
        return None
    found = re.match(r"(?:struct|class|enum class|enum)\s+(\w+)\b(?!\s*\*)", line) or re.match(r"using (\w+) =", line)
    if found:
        return found[1]
    while "<" in line and (shorter := re.sub(r"<[^<>]*>", "", line)) != line:
        line = shorter
    found = re.match(r"[\w:&*\s\[\]]*?[\s&*](\w+)\s*[(={;\[]", line)
    return found[1] if found and "::" + found[1] not in line.split("(")[0] else None


def names(path, wanted):
    """Names that a file declares directly in the innermost namespace called `wanted`."""
    inside = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if begin := re.match(r"(?:inline )?namespace ?([\w:]*) ?\{", line):
            inside.append(begin[1])
        elif line.startswith("}  // namespace"):
            inside.pop()
        elif inside and inside[-1] == wanted and (name := declared(line)):
            yield name


def main():
    root = pathlib.Path(sys.argv[1])
    public = collections.defaultdict(set)
    files = [path for folder in FOLDERS for path in sorted((root / folder).rglob("*.[ch]pp"))]
    for path in files:
        if path.suffix == ".hpp":
            for name in names(path, "souk"):
                public[name].add(path)
    failed = False
    for path in files:
        if path.suffix != ".cpp":
            continue
        for name in names(path, ""):
            others = public.get(name, set()) - {path.parent / (path.name.split(".")[0] + ".hpp")}
            if others and name not in ARCHIVES:
                print(f"{path.relative_to(root)}: {name} is declared in {min(others).relative_to(root)}, too")
                failed = True
    if len(public) < 1000:
        print(f"only {len(public)} names found in headers: is {root} the repository?")
        failed = True
    sys.exit(failed)


main()
