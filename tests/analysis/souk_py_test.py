"""souk_py_test.py PROGRAM REPOSITORY: the Python package, with the program, by pytest.

Exit code 77, which CTest shows as skipped, where there is no pytest, pandas or NumPy.
"""

import importlib.util
import os
import sys

for module, package in (("pytest", "python3-pytest"), ("pandas", "python3-pandas"), ("numpy", "python3-numpy")):
    if importlib.util.find_spec(module) is None:
        print(f"skipped: this Python has no {module} (Debian: {package})")
        sys.exit(77)

import pytest

program, repository = sys.argv[1:3]
os.environ["SOUK_PROGRAM"] = program
os.environ["SOUK_REPOSITORY"] = repository
sys.path.insert(0, os.path.join(repository, "analysis", "python"))
tests = os.path.join(repository, "tests", "analysis", "python")
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "--rootdir", tests, "-o", "python_files=*_test.py", tests]))
