#!/usr/bin/env python3
"""guides_compile_test.py REPO COMPILER PROTOC FLAG...: every whole file that a guide prints compiles, with the messages
and fields that the guides tell to enter in a copy of the schema. FLAG: what the compiler needs besides."""

import pathlib
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

MENTION = re.compile(
    r"`(?P<path>[a-z_./]+\.(?:proto|cpp|hpp))`"
    r"|`?oneof (?P<oneof>\w+)`?(?: of `(?P<message>\w+)`)?"
    r"|`(?P<type>[A-Z]\w*) (?P<name>\w+) = (?P<number>\d+);`"
)
FIELD = re.compile(r"^ +(?P<type>[A-Z]\w*) (?P<name>\w+) = (?P<number>\d+);$")


class Schema:
    """A copy of the schema that grows by what guides print."""

    def __init__(self, repository, folder):
        self.folder = folder
        (folder / "scenarios").mkdir(parents=True)
        for file in (repository / "scenarios").glob("*.proto"):
            (folder / "scenarios" / file.name).write_text(file.read_text())

    def enter_field(self, file, oneof, message, field):
        path = self.folder / file
        text = path.read_text()
        line = f"    {field['type']} {field['name']} = {field['number']};\n"
        if line in text:
            return
        start = text.index(f"message {message} {{") if message else 0
        head = f"oneof {oneof} {{\n"
        at = text.index(head, start) + len(head)
        while text[at:].lstrip().startswith("option"):
            at = text.index("\n", at) + 1
        path.write_text(text[:at] + line + text[at:])

    def append(self, file, message):
        path = self.folder / file
        path.write_text(path.read_text() + "\n" + message)


def read_guide(guide, schema):
    """Enters what it prints of the schema. Returns (path, text) of the other files that it prints whole, and of lines for
    headers that exist."""
    files, declarations, block, language, before = [], [], None, "", ""
    file = oneof = message = None
    for line in guide.read_text().splitlines(keepends=True):
        if block is not None and line.startswith("```"):
            text = "".join(block)
            block = None
            if language == "proto" and "message " in text:
                schema.append(file, text)
            elif language == "cpp" and re.match(r"(//[^\n]*\n)*#(include|pragma once)", text):
                files.append((file, text))
            elif language == "cpp" and "declaration, in" in before:
                declarations.append((file, text))
        elif block is not None:
            block.append(line)
            field = FIELD.match(line.rstrip("\n"))
            if language == "proto" and field:
                schema.enter_field(file, oneof, message, field)
        elif line.startswith("```"):
            block, language = [], line[3:].strip()
        elif line.strip():
            before = line
            for found in MENTION.finditer(line):
                if found["path"]:
                    file = found["path"]
                elif found["oneof"]:
                    oneof, message = found["oneof"], found["message"]
                else:
                    schema.enter_field(file, oneof, message, found)
    return files, declarations


def declare(header, copy, text):
    """A copy of the header with further lines at the end of its namespace."""
    whole = header.read_text()
    end = whole.rindex("}  // namespace")
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(whole[:end] + text + whole[end:])


def main():
    repository, compiler, protoc, *flags = sys.argv[1:]
    repository = pathlib.Path(repository).resolve()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        schema = Schema(repository, scratch / "schema")
        printed = []
        for guide in sorted((repository / "docs").glob("adding-a*.md")):
            files, declarations = read_guide(guide, schema)
            printed += [(guide.name, path, text) for path, text in files]
            for path, text in declarations:
                declare(repository / path, scratch / "printed" / path, text)
        generated = scratch / "generated"
        generated.mkdir()
        protos = sorted(str(file.relative_to(schema.folder)) for file in (schema.folder / "scenarios").glob("*.proto"))
        subprocess.run([protoc, f"-I{schema.folder}", f"--cpp_out={generated}", *protos], check=True)

        def compile_file(entry):
            guide, path, text = entry
            source = scratch / "printed" / path
            source.parent.mkdir(parents=True, exist_ok=True)
            source.write_text(text)
            if path.endswith(".hpp"):
                source = source.with_suffix(".cpp")
                source.write_text(f'#include "{path}"\n')
            command = [compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-x", "c++",
                       f"-I{scratch / 'printed'}", f"-I{repository}", "-isystem", str(generated), *flags, str(source)]
            result = subprocess.run(command, capture_output=True, text=True)
            return f"{guide}: {path} does not compile as printed:\n{result.stderr}" if result.returncode else ""

        with ThreadPoolExecutor(2) as pool:
            faults = [fault for fault in pool.map(compile_file, printed) if fault]
    print("\n".join(faults))
    least = 12
    if len(printed) < least:
        print(f"only {len(printed)} whole files were found in the guides, not {least}")
    sys.exit(1 if faults or len(printed) < least else 0)


if __name__ == "__main__":
    main()
