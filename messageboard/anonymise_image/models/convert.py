#!/usr/bin/python3
"""convert.py FR_DETECT.onnx RNET.tflite ONET.tflite FOLDER: the networks as OpenCV 4.6 loads them.

Writes ultraface.onnx, rnet.onnx and onet.onnx into FOLDER. The same inputs give the same bytes.
"""
import pathlib
import sys

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

import tflite

# Classes and boxes of the four levels, before the shipped graph reshapes them for 320x240 only.
ULTRAFACE_HEADS = ["319", "333", "365", "379", "405", "419", "437", "449"]


def cut_ultraface(source, target):
    """The graph from its input to the eight head convolutions, for an input of any size."""
    graph = onnx.load(str(source)).graph
    makers = {output: node for node in graph.node for output in node.output}
    needed, todo = set(), list(ULTRAFACE_HEADS)
    while todo:
        node = makers.get(todo.pop())
        if node is not None and node.output[0] not in needed:
            needed.add(node.output[0])
            todo += node.input
    nodes = [node for node in graph.node if node.output[0] in needed]
    used = {name for node in nodes for name in node.input}
    constants = [constant for constant in graph.initializer if constant.name in used]
    names = {constant.name for constant in constants}
    (image,) = [value.name for value in graph.input if value.name in used - names]
    save(target, nodes, constants, image, [1, 3, "height", "width"],
         [(name, [1, "channels", "rows", "columns"]) for name in ULTRAFACE_HEADS])


class Chain:
    """A network that is one line of layers, as ONNX in NCHW; tflite has NHWC."""

    def __init__(self):
        self.nodes, self.constants, self.top = [], [], "image"

    def constant(self, name, array):
        array = numpy.ascontiguousarray(array, numpy.float32)
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def add(self, kind, *constants, **attributes):
        name = f"{kind.lower()}{len(self.nodes)}"
        inputs = [self.top] + [self.constant(f"{name}.{index}", array)
                               for index, array in enumerate(constants)]
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        self.top = name


def add_pool(chain, operator):
    padding, stride_x, stride_y, width, height = operator.options[:5]
    # SAME with these shapes pads only at the far edges: what rounding the size up does.
    chain.add("MaxPool", kernel_shape=[height, width], strides=[stride_y, stride_x],
              ceil_mode=int(padding == tflite.SAME))


def add_dense(chain, weights, bias, shape):
    """`shape` is that of the input, (rows, columns, channels), when it is not flat yet."""
    if shape is not None:
        weights = weights.reshape(-1, *shape).transpose(0, 3, 1, 2).reshape(len(weights), -1)
        chain.add("Flatten", axis=1)
    chain.add("Gemm", weights, bias, transB=1)


def convert_chain(source, target):
    """RNet or ONet: convolutions, PReLU, pools, dense layers; one output: 2 classes, then 4 box
    numbers. Landmarks and the softmax are left out."""
    tensors, operators = tflite.read(source.read_bytes())
    side = tensors and next(op.inputs[0].shape[1] for op in operators)
    chain, shape, heads = Chain(), None, []
    for operator in operators:
        slope = operator.inputs[0].constant
        if operator.code == tflite.CONV_2D:
            _, weights, bias = operator.inputs
            chain.add("Conv", weights.constant.transpose(0, 3, 1, 2), bias.constant,
                      kernel_shape=list(weights.shape[1:3]))
            shape = operator.outputs[0].shape[1:]
        elif operator.code == tflite.MUL and slope is not None:
            # PReLU is spelled relu(x) + slope * -relu(-x): its slope stands in for all of it.
            slope = slope if shape is None else slope.reshape(-1, 1, 1)
            chain.add("PRelu", slope)
        elif operator.code == tflite.MAX_POOL_2D:
            add_pool(chain, operator)
            shape = operator.outputs[0].shape[1:]
        elif operator.code == tflite.FULLY_CONNECTED:
            weights, bias = (tensor.constant for tensor in operator.inputs[1:])
            if len(weights) in (2, 4, 10):
                heads.append((weights, bias))
            else:
                add_dense(chain, weights, bias, shape)
                shape = None
    classes, boxes = (next(head for head in heads if len(head[0]) == size) for size in (2, 4))
    add_dense(chain, *(numpy.concatenate(pair) for pair in zip(classes, boxes)), None)
    save(target, chain.nodes, chain.constants, "image", ["batch", 3, side, side],
         [(chain.top, ["batch", 6])])


def save(target, nodes, constants, image, image_shape, outputs):
    graph = helper.make_graph(
        nodes, target.stem,
        [helper.make_tensor_value_info(image, TensorProto.FLOAT, image_shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs],
        constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 9)])
    model.ir_version = 4
    target.write_bytes(model.SerializeToString(deterministic=True))


def main():
    ultraface, rnet, onet, folder = (pathlib.Path(argument) for argument in sys.argv[1:])
    cut_ultraface(ultraface, folder / "ultraface.onnx")
    convert_chain(rnet, folder / "rnet.onnx")
    convert_chain(onet, folder / "onet.onnx")


if __name__ == "__main__":
    main()
