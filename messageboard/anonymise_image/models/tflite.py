"""Reads what the conversion needs of a TensorFlow Lite file: tensors, constants and operators.

A .tflite file is a FlatBuffer. A table starts with the (signed, backward) distance to its vtable,
which holds 16-bit offsets of the fields, 0 for an absent one; vectors, strings and tables inside a
table are 32-bit offsets forward. Field numbers are those of TensorFlow's schema.fbs.
"""
import dataclasses
import struct

import numpy

FLOAT32 = 0
# BuiltinOperator
ADD, CONV_2D, FULLY_CONNECTED, MAX_POOL_2D, MUL = 0, 3, 9, 17, 18
SAME, VALID = 0, 1


@dataclasses.dataclass
class Tensor:
    name: str
    shape: tuple
    constant: object  # a numpy array, or None when the network computes it


@dataclasses.dataclass
class Operator:
    code: int
    inputs: list
    outputs: list
    options: list  # the first six fields of the options table, as bytes


class Reader:
    def __init__(self, data):
        self.data = data

    def at(self, form, offset):
        return struct.unpack_from("<" + form, self.data, offset)[0]

    def field(self, table, number):
        """Where a field's bytes lie, or None."""
        vtable = table - self.at("i", table)
        if 4 + 2 * number >= self.at("H", vtable):
            return None
        offset = self.at("H", vtable + 4 + 2 * number)
        return table + offset if offset else None

    def scalar(self, table, number, form):
        where = self.field(table, number)
        return self.at(form, where) if where is not None else 0

    def target(self, table, number):
        where = self.field(table, number)
        return where + self.at("I", where) if where is not None else None

    def vector(self, table, number):
        """(offset of the first element, count)."""
        where = self.target(table, number)
        return (where + 4, self.at("I", where)) if where is not None else (0, 0)

    def integers(self, table, number):
        first, count = self.vector(table, number)
        return list(struct.unpack_from(f"<{count}i", self.data, first))

    def octets(self, table, number):
        first, count = self.vector(table, number)
        return self.data[first:first + count]

    def tables(self, table, number):
        first, count = self.vector(table, number)
        slots = range(first, first + 4 * count, 4)
        return [slot + self.at("I", slot) for slot in slots]


def read(data):
    """(tensors, operators) of the file's only subgraph."""
    reader = Reader(data)
    model = reader.at("I", 0)
    codes = [max(reader.scalar(code, 0, "B"), reader.scalar(code, 3, "i"))
             for code in reader.tables(model, 1)]
    buffers = [reader.octets(buffer, 0) for buffer in reader.tables(model, 4)]
    (subgraph,) = reader.tables(model, 2)

    tensors = []
    for table in reader.tables(subgraph, 0):
        shape = tuple(reader.integers(table, 0))
        octets = buffers[reader.scalar(table, 2, "I")]
        constant = None
        if octets and reader.scalar(table, 1, "B") == FLOAT32:
            constant = numpy.frombuffer(octets, "<f4").reshape(shape)
        tensors.append(Tensor(reader.octets(table, 3).decode(), shape, constant))

    operators = []
    for table in reader.tables(subgraph, 3):
        options = reader.target(table, 4)
        operators.append(Operator(
            codes[reader.scalar(table, 0, "I")],
            [tensors[index] for index in reader.integers(table, 1)],
            [tensors[index] for index in reader.integers(table, 2)],
            [reader.scalar(options, number, "B") for number in range(6)] if options else []))
    return tensors, operators
