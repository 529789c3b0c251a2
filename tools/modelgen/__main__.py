"""Writes C++ types and descriptors of one AWS service from its published model.

Usage: modelgen --service NAME --folder FOLDER --output FOLDER [--models FOLDER]

Reads the service's model as Debian's python3-botocore installs it, merges the folder's
amendments.json into it, keeps the operations named in operations.txt and what they reach, and
writes model.h, model.cpp, errors.h and dispatch.h. terrarium/wire/model.h says what the descriptors
mean; terrarium/wire/README.md describes amendments.json.
"""

import argparse
import pathlib
import sys

import emit
import model

MODELS = "/usr/lib/python3/dist-packages/botocore/data"


def write(path, text):
    """Leaves a file that is already right untouched, so that nothing is rebuilt for it."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def main():
    parser = argparse.ArgumentParser(prog="modelgen")
    parser.add_argument("--service", required=True)
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--models", type=pathlib.Path, default=pathlib.Path(MODELS))
    arguments = parser.parse_args()
    try:
        service = model.load(arguments.service, arguments.folder, arguments.models)
        texts = emit.texts(service)
    except model.ModelError as error:
        sys.exit(f"modelgen: {arguments.service}: {error}")
    arguments.output.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        write(arguments.output / name, text)


if __name__ == "__main__":
    main()
