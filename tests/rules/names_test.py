#!/usr/bin/python3
"""What a source keeps in its unnamed namespace has a name that no header has, and no other source of its module for the same.

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


def signature(line):
    """Name and types of the arguments of a function that a line defines, or of what has no arguments the name; None: the line
    ends before they do."""
    name = declared(line)
    if line.startswith("using"):
        return line.strip()
    found = re.search(r"\b%s\s*\((.*)\)\s*(?:const\s*)?\{" % name, line)
    if not found:
        return None if "(" in line else name
    types = [re.sub(r"\s*\b\w+$", "", argument.strip()) if " " in argument.strip() else "" for argument in found[1].split(",")]
    return f"{name}({', '.join(types)})"


def module_of(path, root):
    """What is compiled together: a module's sources, those with LibTorch by themselves."""
    parts = path.relative_to(root).parts
    return "/".join(parts[:2] if parts[0] == "sim" else parts[:1]) + "".join(path.suffixes[:-1])


def names(path, wanted, of=declared):
    """Names that a file declares directly in the innermost namespace called `wanted`."""
    inside = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if begin := re.match(r"(?:inline )?namespace ?([\w:]*) ?\{", line):
            inside.append(begin[1])
        elif line.startswith("}  // namespace"):
            inside.pop()
        elif inside and inside[-1] == wanted and declared(line) and (name := of(line)):
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
    kept = {}  # by module and signature
    for path in files:
        if path.suffix != ".cpp":
            continue
        for name in set(names(path, "", signature)):
            alias = re.match(r"using (\w+) = (.*)", name)  # the same type may have the same other name again
            meaning = alias[2] if alias else path
            first = kept.setdefault((module_of(path, root), alias[1] if alias else name), (meaning, path))
            if first[0] != meaning and first[1] != path and not name.startswith("using namespace"):
                print(f"{path.relative_to(root)}: {name} is in {first[1].relative_to(root)}, too")
                failed = True
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
