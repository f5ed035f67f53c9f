"""Writes UCI's optdigits (optdigits.tra, optdigits.tes: 64 values of 0 to 16 and a class a line) as IDX files of 8 x 8 images.

    digits_as_images.py FOLDER_OF_OPTDIGITS FOLDER
"""
import pathlib
import struct
import sys

source, target = map(pathlib.Path, sys.argv[1:])
target.mkdir(parents=True, exist_ok=True)
for file, split in (("optdigits.tra", "train"), ("optdigits.tes", "t10k")):
    rows = [[int(value) for value in line.split(",")] for line in (source / file).read_text().split()]
    pixels = bytes(round(value * 255 / 16) for row in rows for value in row[:64])
    (target / f"{split}-images-idx3-ubyte").write_bytes(struct.pack(">iiii", 0x803, len(rows), 8, 8) + pixels)
    (target / f"{split}-labels-idx1-ubyte").write_bytes(struct.pack(">ii", 0x801, len(rows)) + bytes(row[64] for row in rows))
