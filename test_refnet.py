"""The tests of refnet; run as a program, the benchmark against NumPy.

    pytest test_refnet.py          what refnet.py and README.md say, proved
    python3 test_refnet.py         refnet and NumPy side by side, timed

The NumPy version below is the notebook's own way to write it: array operations,
(1, H) and (H, 1) shapes, one long loop.  It shares nothing with refnet.
"""

import ast
import cmath
import copy
import doctest
import inspect
import itertools
import json
import math
import os
import pathlib
import random
import re
import shlex
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import types
from decimal import Decimal, localcontext

try:
    import pytest
except ImportError:
    sys.exit("test_refnet.py: pytest is not installed; README.md says how to test")

import refnet

try:
    import numpy as np
except ImportError:
    np = None

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = (HERE / "refnet.py").read_text()
README = (HERE / "README.md").read_text()
LAST_SEED = 2**32 - 1
needs_numpy = pytest.mark.skipif(np is None, reason="NumPy is not installed")


# ----------------------------------------------------------- The NumPy version


class Held:
    """NumPy held to scalar math.exp and to sums from left to right."""

    @staticmethod
    def exp(a):
        return np.array([math.exp(v) for v in np.ravel(a)]).reshape(np.shape(a))

    @staticmethod
    def dot(a, b):
        total = np.zeros(np.shape(a)[:-1] + np.shape(b)[1:])
        for k in range(np.shape(a)[-1]):
            total = total + np.multiply.outer(a[..., k], b[k])
        return total


def numpy_start(net, seed, hidden=3):
    """The notebook's cells that draw the parameters, after np.random.seed(seed)."""
    stream = seed if hasattr(seed, "random_sample") else np.random.RandomState(seed)
    inputs = 2 if net.startswith("xor") else 1
    start = {
        "w1": 2 * stream.random_sample(size=(inputs, hidden)) - 1,
        "w2": 2 * stream.random_sample(size=(hidden, 1)) - 1,
        "b1": 2 * stream.random_sample(size=(1, hidden)) - 1,
        "b2": 2 * stream.random_sample(size=(1, 1)) - 1,
    }
    if inputs == 1:
        start["wh"] = 2 * stream.random_sample(size=(hidden, hidden)) - 1
        start["bh"] = 2 * stream.random_sample(size=(1, hidden)) - 1
    return start


def numpy_worked_step(start, eta=0.1, arithmetic=None):
    """The notebook's cells from the first example to the first update."""
    exp, dot = (arithmetic or np).exp, (arithmetic or np).dot

    def sigmoid(x):
        return 1.0 / (1 + exp(-x))

    def dsigmoid(y):
        return y * (1 - y)

    w1, w2, b1, b2 = (start[name] for name in ("w1", "w2", "b1", "b2"))
    x, y = np.array((0, 0)), np.array(0)
    act1 = dot(w1.T, x) + b1
    lay1 = sigmoid(act1)
    act2 = dot(w2.T, lay1.T) + b2
    lay2 = sigmoid(act2)
    E = 0.5 * (y - lay2) ** 2
    delta_l2 = (y - lay2) * dsigmoid(act2)
    corr_w2 = delta_l2 * lay1
    corr_b2 = delta_l2 * 1
    w2 = w2 - eta * corr_w2.T
    b2 = b2 - eta * corr_b2
    delta_l1 = dot(w2, delta_l2) * dsigmoid(act1).T
    corr_w1 = np.outer(x, delta_l1)
    corr_b1 = delta_l1 * 1
    w1 = w1 - eta * corr_w1
    b1 = b1 - eta * corr_b1.T
    names = "act1 lay1 act2 lay2 E delta_l2 corr_w2 corr_b2 delta_l1 corr_w1 corr_b1"
    step = {name: value for name, value in locals().items() if name in names.split()}
    return step, {"w1": w1, "w2": w2, "b1": b1, "b2": b2}


def numpy_xor(start, batch, eta=0.1, epochs=10000, steps=0, arithmetic=None):
    """The notebook's two XOR loops; batch says which."""
    exp, dot = (arithmetic or np).exp, (arithmetic or np).dot

    def sigmoid(x):
        return 1.0 / (1 + exp(-x))

    def dsigmoid(y):
        return y * (1 - y)

    X = [(0, 0), (1, 0), (0, 1), (1, 1)]
    Y = [0, 1, 1, 0]
    w1, w2, b1, b2 = (start[name] for name in ("w1", "w2", "b1", "b2"))
    error = np.zeros((epochs, 1))
    told, lines = [], []
    for n in range(epochs):
        if batch:
            Dw_1 = np.zeros(w1.shape)
            Dw_2 = np.zeros(w2.shape)
            Db_1 = np.zeros(b1.shape)
            Db_2 = np.zeros(b2.shape)
        line = ""
        for i in range(len(X)):
            x = np.array(X[i])
            y = np.array(Y[i])
            # Forward pass, 1st layer
            act1 = dot(w1.T, x) + b1
            lay1 = sigmoid(act1)
            # Forward pass, 2nd layer
            act2 = dot(w2.T, lay1.T) + b2
            lay2 = sigmoid(act2)
            # Computing error
            E = 0.5 * (lay2 - y) ** 2
            error[n] += E[0]
            # Backprop, 2nd layer
            delta_l2 = (lay2 - y) * dsigmoid(lay2)
            corr_w2 = (delta_l2 * lay1).T
            corr_b2 = delta_l2 * 1
            # Backprop, 1st layer
            delta_l1 = dot(w2, delta_l2) * dsigmoid(lay1).T
            corr_w1 = np.outer(x, delta_l1)
            corr_b1 = (delta_l1 * 1).T
            if batch:
                Dw_2 += corr_w2
                Dw_1 += corr_w1
                Db_2 += corr_b2
                Db_1 += corr_b1
            else:
                w2 = w2 - eta * corr_w2
                b2 = b2 - eta * corr_b2
                w1 = w1 - eta * corr_w1
                b1 = b1 - eta * corr_b1
            if n % 1000 == 0:
                line += f"| {y}, {lay2[0][0]:.3f}"
            if len(told) < steps:
                step = {"epoch": n, "example": i, "x": x, "y": y, "act1": act1}
                step.update(lay1=lay1, act2=act2, lay2=lay2, E=E, delta_l2=delta_l2)
                step.update(corr_w2=corr_w2, corr_b2=corr_b2, delta_l1=delta_l1)
                step.update(corr_w1=corr_w1, corr_b1=corr_b1)
                told.append(step)
        if n % 1000 == 0:
            lines.append(f"{line} < --- {n}")
        if batch:
            w2 = w2 - eta * Dw_2
            b2 = b2 - eta * Db_2
            w1 = w1 - eta * Dw_1
            b1 = b1 - eta * Db_1
        error[n] /= len(X)
    final = {"w1": w1, "w2": w2, "b1": b1, "b2": b2}
    return {"steps": told, "error": error, "final": final, "lines": lines}


def numpy_rnn(start, through_time, eta=0.1, epochs=10000, steps=0, arithmetic=None):
    """The notebook's loop over the sequences, and the gradient it leaves out."""
    exp, dot = (arithmetic or np).exp, (arithmetic or np).dot

    def sigmoid(x):
        return 1.0 / (1 + exp(-x))

    def dsigmoid(y):
        return y * (1 - y)

    Xr = [[0, 0, 1], [1, 1, 0], [1, 0, 0], [0, 1, 0]]
    w1, w2, b1, b2 = (start[name] for name in ("w1", "w2", "b1", "b2"))
    wh, bh = start["wh"], start["bh"]
    error = np.zeros((epochs, 1))
    corr_w1 = np.zeros(w1.shape)
    corr_b1 = np.zeros(b1.shape)
    corr_w2 = np.zeros(w2.shape)
    corr_b2 = np.zeros(b2.shape)
    corr_wh = np.zeros(wh.shape)
    corr_bh = np.zeros(bh.shape)
    told, lines = [], []
    for n in range(epochs):
        for i in range(len(Xr)):
            lay1_mem = [np.zeros(b1.shape)]
            lay2_mem = []
            telling = len(told) < steps
            if telling:
                memory = {name: [None, None] for name in COMPUTED}
            line = ""
            for k in range(2):
                x = np.array([Xr[i][k]])
                y = np.array(Xr[i][k + 1])
                # Forward pass, 1st layer
                act1 = (dot(w1.T, x) + b1) + (dot(lay1_mem[-1], wh) + bh)
                lay1 = sigmoid(act1)
                # Forward pass, 2nd layer
                act2 = dot(w2.T, lay1.T) + b2
                lay2 = sigmoid(act2)
                # Computing error
                E = 0.5 * (lay2 - y) ** 2
                error[n] += E[0]
                lay1_mem.append(np.copy(lay1))
                lay2_mem.append(np.copy(lay2))
                if n % 1000 == 0:
                    line += f"{x[0]} - > {y} ({lay2[0][0]:.3f}|{lay2[0][0] > 0.5:.0f})"
                if telling:
                    for name in ("act1", "lay1", "act2", "lay2", "E"):
                        memory[name][k] = locals()[name]
            if through_time:
                delta_next = np.zeros((len(wh), 1))
            for k in range(1, -1, -1):
                x = np.array(Xr[i][k])
                y = np.array(Xr[i][k + 1])
                # Backprop, 2nd layer
                delta_l2 = (lay2_mem[k] - y) * dsigmoid(lay2_mem[k])
                corr_w2 += (delta_l2 * lay1_mem[k + 1]).T
                corr_b2 += delta_l2 * 1
                # Backprop, 1st layer
                back = dot(w2, delta_l2)
                if through_time:
                    back = back + dot(wh, delta_next)
                delta_l1 = back * dsigmoid(lay1_mem[k + 1]).T
                delta_next = delta_l1
                corr_w1 += np.outer(x, delta_l1)
                corr_b1 += (delta_l1 * 1).T
                # Backprop, recurrent layer
                corr_wh += np.outer(lay1_mem[k], delta_l1)
                corr_bh += (delta_l1 * 1).T
                if telling:
                    memory["delta_l2"][k], memory["delta_l1"][k] = delta_l2, delta_l1
            if telling:
                step = {"epoch": n, "example": i, "x": Xr[i], **memory}
                for name in ("w1", "w2", "b1", "b2", "wh", "bh"):
                    step["corr_" + name] = np.copy(locals()["corr_" + name])
                told.append(step)
            w2 = w2 - eta * corr_w2
            b2 = b2 - eta * corr_b2
            w1 = w1 - eta * corr_w1
            b1 = b1 - eta * corr_b1
            wh = wh - eta * corr_wh
            bh = bh - eta * corr_bh
            corr_w2 *= 0
            corr_b2 *= 0
            corr_w1 *= 0
            corr_b1 *= 0
            corr_wh *= 0
            corr_bh *= 0
            if n % 1000 == 0:
                lines.append(f"{line} < --- {n}")
        error[n] /= len(Xr) * 2
    final = {"w1": w1, "w2": w2, "b1": b1, "b2": b2, "wh": wh, "bh": bh}
    return {"steps": told, "error": error, "final": final, "lines": lines}


COMPUTED = ["act1", "lay1", "act2", "lay2", "E", "delta_l2", "delta_l1"]


def numpy_trace(net, seed=1, hidden=3, start=None, **how):
    """A candidate for check: the NumPy version, run from refnet's start."""
    start = numpy_start(net, seed, hidden) if start is None else start
    training = numpy_xor if net.startswith("xor") else numpy_rnn
    result = training(start, net in ("xor-batch", "rnn-bptt"), **how)
    del result["lines"]
    epochs = how.get("epochs", 10000)
    head = {"net": net, "hidden": hidden, "epochs": epochs, "eta": how.get("eta", 0.1)}
    return {**head, "initial": start, **result}


# ----------------------------------------------------------------- Small tools


def flat(value):
    """The numbers of nested lists and arrays in row-major order, by itself."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [number for part in value for number in flat(part)]
    return [value]


def close(got, want, rtol=1e-9, atol=1e-12):
    """Whether all numbers of got are within the tolerance of those of want."""
    got, want = flat(got), flat(want)
    return len(got) == len(want) and all(
        abs(g - w) <= atol + rtol * abs(w) for g, w in zip(got, want)
    )


def trained(kind, examples, training, start, epochs=10000, eta=0.1):
    """The error curve and the net after a training of refnet's."""
    net = kind(**start)
    learning = training(net, examples, eta)
    return [next(learning)[0] for _ in range(epochs)], net


def program(*words, stdin=None, timeout=120, flags=(), cwd=HERE):
    """Run refnet.py as a program."""
    command = [sys.executable, *flags, str(HERE / "refnet.py"), *map(str, words)]
    return subprocess.run(
        command, input=stdin, capture_output=True, text=True, timeout=timeout, cwd=cwd
    )


def changed(*replacements, **names):
    """refnet with lines of its source replaced: a port with a bug, or another order."""
    source = SOURCE
    for old, new in replacements:
        assert source.count(old) == 1, f"{source.count(old)} times in refnet.py: {old}"
        source = source.replace(old, new)
    module = types.ModuleType("changed_refnet")
    exec(compile(source, "changed_refnet.py", "exec"), module.__dict__)
    module.__dict__.update(names)
    return module


# --------------------------------------------------- The notebook, value for value


def numpy_notebook(seed):
    """The progress lines of the whole notebook after np.random.seed(seed)."""
    stream = np.random.RandomState(seed)
    step, start = numpy_worked_step(numpy_start("xor", stream))
    lines = numpy_xor(start, batch=False)["lines"]
    lines += numpy_xor(numpy_start("xor", stream), batch=True)["lines"]
    return lines + numpy_rnn(numpy_start("rnn", stream), through_time=False)["lines"]


@needs_numpy
@pytest.mark.parametrize("seed", [0, 1, 7, LAST_SEED])
def test_the_run_prints_the_progress_lines_of_the_notebook(seed):
    result = program("run", "--seed", seed)
    assert result.returncode == 0
    lines = [line for line in result.stdout.split("\n") if "< ---" in line]
    assert len(lines) == 60
    assert lines == numpy_notebook(seed)


@needs_numpy
@pytest.mark.parametrize("seed", [0, 1, 42, 123456789, 2**31, LAST_SEED])
def test_the_random_numbers_are_those_of_numpy(seed):
    stream = refnet.RandomState(seed)
    ours = [stream.random_sample() for _ in range(2000)]
    assert ours == np.random.RandomState(seed).random_sample(2000).tolist()


def test_the_random_numbers_are_those_of_the_standard_library_generator():
    stream = refnet.RandomState(7)
    twin = random.Random()
    twin.setstate((3, (*stream.words, 624), None))
    assert [stream.random_sample() for _ in range(2000)] == [
        twin.random() for _ in range(2000)
    ]


@needs_numpy
@pytest.mark.parametrize("hidden", [1, 3, 8])
@pytest.mark.parametrize("seed", [0, 5, LAST_SEED])
def test_the_worked_step_is_the_notebooks(seed, hidden):
    start = refnet.initial_parameters(refnet.XorNet, refnet.RandomState(seed), hidden)
    net = refnet.XorNet(**start)
    ours = refnet.worked_step(net, (0, 0), 0)
    theirs, after = numpy_worked_step(numpy_start("xor", seed, hidden))
    assert set(ours) == set(theirs) and len(ours) == 11
    for name in ours:
        assert close(ours[name], theirs[name]), name
    for name in after:
        assert close(getattr(net, name), after[name]), name


@needs_numpy
@pytest.mark.parametrize("net", sorted(refnet.NETS))
@pytest.mark.parametrize("seed, hidden", [(1, 3), (2, 1), (3, 8), (LAST_SEED, 3)])
def test_every_quantity_agrees_with_numpy(net, seed, hidden):
    compare_with_numpy(net, seed, hidden, None, close)


@needs_numpy
@pytest.mark.parametrize("net", sorted(refnet.NETS))
@pytest.mark.parametrize("seed, hidden", [(1, 3), (4, 8)])
def test_held_to_the_same_operations_numpy_agrees_bit_for_bit(net, seed, hidden):
    compare_with_numpy(net, seed, hidden, Held, lambda a, b: flat(a) == flat(b))


def compare_with_numpy(net, seed, hidden, arithmetic, same):
    ours = refnet.trace(net, seed=seed, hidden=hidden, steps=8)
    theirs = numpy_trace(net, seed, hidden, steps=8, arithmetic=arithmetic)
    assert len(flat(ours["error"])) == 10000
    assert same(ours["error"], theirs["error"])
    for part in ("initial", "final"):
        assert set(ours[part]) == set(theirs[part])
        for name in ours[part]:
            assert same(ours[part][name], theirs[part][name]), (part, name)
    assert len(ours["steps"]) == len(theirs["steps"]) == 8
    for mine, other in zip(ours["steps"], theirs["steps"]):
        assert set(mine) == set(other)
        for name in mine:
            assert same(mine[name], other[name]), (mine["epoch"], mine["example"], name)


def test_the_worked_step_drops_what_was_collected_before():
    start = refnet.initial_parameters(refnet.XorNet, refnet.RandomState(1))
    fresh, used = refnet.XorNet(**start), refnet.XorNet(**start)
    used.forward((1, 1))
    used.backward((1, 1), 0)
    assert refnet.worked_step(fresh, (0, 0), 0) == refnet.worked_step(used, (0, 0), 0)
    assert fresh.parameters() == used.parameters()


def test_the_training_yields_the_mean_error_and_the_outputs_met():
    start = refnet.initial_parameters(refnet.XorNet, refnet.RandomState(3))
    error, outputs = next(refnet.batch(refnet.XorNet(**start), refnet.XOR))
    net = refnet.XorNet(**start)
    assert outputs == [net.forward(x) for x, y in refnet.XOR]
    errors = [(lay2 - y) * (lay2 - y) / 2 for (x, y), lay2 in zip(refnet.XOR, outputs)]
    assert error == (errors[0] + errors[1] + errors[2] + errors[3]) / 4


# ---------------------------------------------------------------- The gradients


def sequences(bits):
    """A few sequences of that many bits, among them all zeros and all ones."""
    some = random.Random(bits)
    mixed = [[some.randrange(2) for _ in range(bits)] for _ in range(3)]
    return [[0] * bits, [1] * bits, *mixed]


def complex_step(make, start, error):
    """The true derivative of error(net) for every parameter: Im error(p + ih) / h."""
    h = 1e-30
    gradient = {}
    for name in start:
        gradient[name] = []
        for n in range(len(flat(start[name]))):
            net = make(**start)
            for each in start:  # the constructor takes real numbers only
                numbers = [complex(v) for v in flat(start[each])]
                if each == name:
                    numbers[n] += 1j * h
                shape = refnet.flattened(each, start[each])[0]
                setattr(net, each, refnet.nested(shape, iter(numbers)))
            gradient[name].append(error(net).imag / h)
    return gradient


@pytest.mark.parametrize("hidden", [1, 3, 8])
def test_the_xor_nets_corrections_are_the_derivative_of_its_error(monkeypatch, hidden):
    start = refnet.initial_parameters(refnet.XorNet, refnet.RandomState(hidden), hidden)
    for x, y in refnet.XOR:
        net = refnet.XorNet(**start)
        net.forward(x)
        net.backward(x, y)
        with monkeypatch.context() as patch:
            patch.setattr(refnet, "exp", cmath.exp)
            true = complex_step(
                refnet.XorNet, start, lambda n: refnet.squared_error(n.forward(x), y)
            )
        for name in start:
            assert close(getattr(net, "corr_" + name), true[name], 1e-12, 1e-17), name


@pytest.mark.parametrize("bits", range(2, 9))
@pytest.mark.parametrize("through_time", [True, False])
def test_the_recurrent_nets_corrections_are_what_they_claim(
    monkeypatch, bits, through_time
):
    start = refnet.initial_parameters(refnet.RecurrentNet, refnet.RandomState(bits))
    for x in sequences(bits):
        net = refnet.RecurrentNet(**start)
        net.forward(x)
        if through_time:
            net.backward(x, through_time=True)
        else:
            net.backward(x)

        def error(other):
            """The sequence's error; the previous states are constants by default."""
            if through_time:
                outputs = other.forward(x)
            else:
                outputs = []
                for k in range(bits - 1):
                    other.zeros = net.lay1_mem[k]
                    outputs += other.forward(x[k : k + 2])
            total = 0
            for k in range(bits - 1):
                total += refnet.squared_error(outputs[k], x[k + 1])
            return total

        with monkeypatch.context() as patch:
            patch.setattr(refnet, "exp", cmath.exp)
            true = complex_step(refnet.RecurrentNet, start, error)
        for name in start:
            got = getattr(net, "corr_" + name)
            assert close(got, true[name], 1e-11, 1e-15), (name, x)


def test_the_two_gradients_differ_and_the_default_is_the_notebooks():
    start = refnet.initial_parameters(refnet.RecurrentNet, refnet.RandomState(1))
    corrections = []
    for kind, choice in (
        (refnet.RecurrentNet, {}),
        (refnet.RecurrentNet, {"through_time": False}),
        (refnet.RecurrentNet, {"through_time": True}),
        (refnet.ThroughTimeNet, {}),
        (refnet.ThroughTimeNet, {"through_time": False}),
    ):
        net = kind(**start)
        net.forward([0, 1, 0])
        net.backward([0, 1, 0], **choice)
        corrections.append({name: getattr(net, "corr_" + name) for name in start})
    default, without, through, subclass, subclass_without = corrections
    assert default == without == subclass_without
    assert through == subclass
    assert through["bh"] != default["bh"]


def test_exp_beyond_a_double_is_a_neuron_at_zero():
    assert refnet.sigmoid(-1e6) == 0.0
    assert refnet.sigmoid(1e6) == 1.0
    assert refnet.sigmoid(float("inf")) == 1.0
    assert refnet.sigmoid(float("-inf")) == 0.0
    assert math.isnan(refnet.sigmoid(float("nan")))


# ---------------------------------------------------------- It stands on its own


def test_the_module_imports_nothing_that_a_bare_interpreter_lacks():
    tree = ast.parse(SOURCE)
    everywhere = [
        node.names[0].name if isinstance(node, ast.Import) else node.module
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
    ]
    assert set(everywhere) <= {
        "argparse", "array", "collections.abc", "json", "math", "os", "re", "struct",
        "sys", "typing",
    }  # fmt: skip

    def run_on_import(body):
        for node in body:
            if isinstance(node, ast.If):
                assert ast.unparse(node.test) in (
                    "TYPE_CHECKING",
                    "__name__ == '__main__'",
                )
            elif isinstance(node, ast.ClassDef):
                yield from run_on_import(node.body)
            elif not isinstance(node, ast.FunctionDef):
                yield node

    imports = [
        ast.unparse(node)
        for node in run_on_import(tree.body)
        if not isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr))
    ]
    assert imports == ["from math import exp, frexp, isfinite"]
    assert "TYPE_CHECKING = False" in SOURCE


def test_one_file_in_an_empty_directory_is_enough(tmp_path):
    shutil.copy(HERE / "refnet.py", tmp_path)
    command = [sys.executable, "-I", "-S", "refnet.py"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count(" < --- ") == 60
    assert result.stdout.isascii()
    assert max(len(line) for line in result.stdout.split("\n")) <= 80
    assert os.listdir(tmp_path) == ["refnet.py"]


def test_python_m_does_the_same():
    command = [sys.executable, "-m", "refnet", "run", "--epochs", "3"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=HERE)
    assert result.returncode == 0
    assert result.stdout == program("run", "--epochs", 3).stdout


def test_no_sum_of_floats_and_no_power():
    for node in ast.walk(ast.parse(SOURCE)):
        if isinstance(node, ast.Call):
            assert ast.unparse(node.func) not in ("sum", "pow"), ast.unparse(node)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            assert ast.unparse(node.left) in ("2.0", "10"), ast.unparse(node)


def readme(start):
    """The block of the README that starts so, without its fences."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    (found,) = (text for name, text in blocks if text.startswith(start))
    return found


def test_the_examples_in_the_readme():
    result = doctest.testfile(str(HERE / "README.md"), module_relative=False)
    assert result.failed == 0 and result.attempted == 7
    assert program().stdout.endswith("\n" + readme("Summary"))


@pytest.mark.parametrize(
    "start, lines",
    [
        (
            "python3 -c '\nimport refnet\nSEEDS = 100",
            "2 of two learn: .*1 of .*0 of .*0.1250\\n0.1262\\n",
        ),
        ("python3 -c '\nimport refnet\nSEEDS = 200", "rnn . of 3\nrnn-bptt . of 3\n"),
    ],
)
def test_the_readmes_measurements_run(start, lines):
    script = readme(start).replace("python3 -c '\n", "").replace("\n'\n", "\n")
    script = re.sub("SEEDS = [12]00", "SEEDS = 3", script)
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=HERE
    )
    assert result.stderr == ""
    assert re.fullmatch(lines, result.stdout, re.DOTALL), result.stdout


@needs_numpy
def test_the_readmes_python_build_passes():
    script = readme("import numpy as np")
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=HERE
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.endswith("\n" + readme("PASS"))
    wrong = script.replace("lay2 - Y) * lay2", "lay2 - Y) * (lay1 @ w2 + b2)")
    result = subprocess.run(
        [sys.executable, "-c", wrong], capture_output=True, text=True, cwd=HERE
    )
    assert result.returncode == 1 and "\n  error, epoch 1\n" in result.stdout


@pytest.mark.skipif(not shutil.which("cc"), reason="cc, a C compiler, is not found")
def test_the_readmes_c_build_passes_and_a_wrong_one_fails(tmp_path):
    source = readme("/* The XOR net")
    command = readme("cc -O2 xor.c").strip()
    shutil.copy(HERE / "refnet.py", tmp_path)
    wrong = source.replace("x[1] * w1[1][j] + b1[j]", "x[1] * w1[1][j]")
    place = "\n  steps, epoch 0, example 0, act1[0]\n"
    for text, status, words in ((source, 0, "\nPASS: all 10065 "), (wrong, 1, place)):
        (tmp_path / "xor.c").write_text(text)
        result = subprocess.run(
            command.replace("python3", sys.executable).replace("cc ", "cc -Wall "),
            shell=True,
            capture_output=True,
            text=True,
            cwd=tmp_path,
        )
        assert (result.returncode, result.stderr) == (status, "")
        assert words in result.stdout


def test_the_readmes_wrong_build_is_judged_as_it_says():
    trace = program("trace", "rnn-bptt").stdout.replace("rnn-bptt", "rnn")
    result = program("check", "-", stdin=trace)
    assert result.returncode == 1

    def rounded(text):
        """The text with its numbers to 6 digits, as another exp ends otherwise."""
        return re.sub(
            r"\d\.\d{7,}", lambda match: f"{float(match[0]):.6g}", text
        ).split()

    assert rounded(result.stdout) == rounded(readme("part      values"))


def test_the_examples_in_the_docstrings():
    result = doctest.testmod(refnet, optionflags=doctest.ELLIPSIS)
    assert result.failed == 0
    assert result.attempted > 30


# -------------------------------------------------------------- Every interpreter

# What each interpreter runs: who it is, a digest of its exp, four trainings' ends.
PROBE = """
import sys
from math import exp, frexp
import refnet

def bits(value):
    mantissa, exponent = frexp(value)
    return int(mantissa * 9007199254740992), exponent

def numbers(value):
    if isinstance(value, list):
        return [number for part in value for number in numbers(part)]
    return [bits(value)]

print(sys.implementation.name, sys.version.split("\\n")[0].split(" [")[0])
digest = 0
for n in range(200000):
    digest = (digest * 31 + bits(exp((n - 100000) / 7001))[0]) % 1000000007
print(digest)
for net in sorted(refnet.NETS):
    final = refnet.trace(net, seed=1, steps=0)["final"]
    print([number for name in sorted(final) for number in numbers(final[name])])
"""
# A wrong option is one line and status 2, where there is no argparse as well.
WRONG = """
import refnet
status = refnet.main(["--seed", "x"])
print("status", status)
"""
FOUND = [f"python3.{minor}" for minor in range(9, 17)] + ["pypy3", "micropython"]
NAMED = os.environ.get("REFNET_INTERPRETERS", "").split(";")


def interpret(command, script, folder, errors=""):
    """What the interpreter prints that runs a script in a folder."""
    result = subprocess.run(
        [*command, script], capture_output=True, text=True, cwd=folder, timeout=600
    )
    assert result.returncode == 0, result.stderr
    assert re.fullmatch(errors, result.stderr), result.stderr
    return result.stdout


def starts(command):
    """Whether this is a command that starts an interpreter."""
    try:
        result = subprocess.run([command, "-c", "print(6 * 7)"], capture_output=True)
    except OSError:
        return False
    return result.returncode == 0 and result.stdout.strip() == b"42"


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """What this interpreter prints: the replay, and the lines of the probe."""
    folder = tmp_path_factory.mktemp("here")
    return run_everything([sys.executable], folder)


def run_everything(command, folder):
    shutil.copy(HERE / "refnet.py", folder)
    (folder / "probe.py").write_text(PROBE)
    (folder / "wrong.py").write_text(WRONG)
    errors = r"(refnet: (seed: expected .*|options need argparse.*)\n)?"
    assert interpret(command, "wrong.py", folder, errors).endswith("status 2\n")
    replay = interpret(command, "refnet.py", folder)
    who, *lines = interpret(command, "probe.py", folder).splitlines()
    return replay, who, [ast.literal_eval(line) for line in lines]


@pytest.mark.parametrize("command", [*FOUND, *filter(None, NAMED)])
def test_the_same_numbers_on(command, here, tmp_path, capsys):
    if command in FOUND and command not in NAMED and not starts(command):
        pytest.skip(f"{command} is not found")
    replay, who, (digest, *finals) = run_everything(shlex.split(command), tmp_path)
    assert replay == here[0]
    assert len(finals) == len(refnet.NETS) == 4
    want_digest, *want_finals = here[2]
    if digest == want_digest:
        assert finals == want_finals
        verdict = "the same exp, identical bits"
    else:
        distances = [
            abs(math.ldexp(a, m - 53) - math.ldexp(b, n - 53))
            for got, want in zip(finals, want_finals)
            for (a, m), (b, n) in zip(got, want)
        ]
        assert len(distances) == 2 * 13 + 2 * 22
        assert max(distances) <= 1e-12
        verdict = f"another exp, within {max(distances):.1e}"
    with capsys.disabled():
        print(f"\n{who}: {verdict} ", end="")


def test_floats_that_are_too_narrow_are_no_oracle(monkeypatch, capsys, tmp_path):
    file = tmp_path / "good.json"
    file.write_text(json.dumps(refnet.trace("rnn", epochs=1)))
    narrow = changed(
        ("1 + 2.0**-52 > 1", "Single(1) + Single(2.0**-52) > 1"), Single=Single
    )
    assert refnet.doubles() and not narrow.doubles()
    monkeypatch.setattr(refnet, "doubles", narrow.doubles)
    refnet.run(epochs=2)
    warnings = [
        line for line in capsys.readouterr().out.split("\n") if "WARNING" in line
    ]
    assert len(warnings) == 1 and "narrower than a double" in warnings[0]
    for call in (
        lambda: refnet.check({"net": "rnn", "seed": 1, "epochs": 1, "error": [0.1]}),
        lambda: refnet.trace("rnn", epochs=1),
    ):
        with pytest.raises(RuntimeError, match="narrower than a double"):
            call()
    assert refnet.main(["check", str(file)]) == 2
    assert "narrower than a double" in capsys.readouterr().err


def test_without_numpy_the_comparisons_are_skipped_by_name():
    script = "import sys, pytest; sys.modules['numpy'] = None; sys.exit(pytest.main())"
    options = "-k", "arrays_are_taken or no_sum_of_floats", "-p", "no:cacheprovider"
    command = [sys.executable, "-c", script, *options, str(HERE / "test_refnet.py")]
    result = subprocess.run(command, capture_output=True, text=True, cwd=HERE)
    assert result.returncode == 0, result.stdout
    assert "1 passed, 1 skipped" in result.stdout
    assert "NumPy is not installed" in result.stdout


# ------------------------------------------------------------------- The replay


def test_the_replay_says_what_was_learned():
    text = program().stdout
    assert text == program("run").stdout == program("--seed", 1).stdout
    assert [line for line in text.split("\n") if "learned" in line] == [
        "XOR, stochastic: learned",
        "XOR, batch:      learned",
        "Recurrent net:   learned",
    ]
    errors = re.findall(r"Final error ([0-9.]+)", text)
    assert errors == ["0.00215", "0.00195", "0.06645"]
    assert "It cannot fall below 1/16 = 0.0625" in text
    assert "wrong sign, derivative at act, w2 used after its update" in text
    assert text.count("FAILED") == 0


def test_the_replay_says_what_was_not_learned():
    text = program("run", "--seed", 0).stdout
    assert "Final error 0.12" in text
    table = text[: text.index("Final error")].split("\n")[-5:-1]
    wrong = sum("WRONG" in line for line in table)
    assert wrong > 0
    assert f"FAILED: {wrong} of 4 answers are wrong" in text
    assert f"XOR, stochastic: FAILED, {wrong} wrong" in text


def test_the_closing_table_is_what_the_trained_net_answers():
    text = program("run", "--epochs", 1200, "--hidden", 4, "--eta", 2.5).stdout
    stream = refnet.RandomState(1)
    net = refnet.XorNet(**refnet.initial_parameters(refnet.XorNet, stream, 4))
    refnet.worked_step(net, (0, 0), 0, 2.5)
    learning = refnet.sgd(net, refnet.XOR, 2.5)
    curve = [next(learning)[0] for _ in range(1200)]
    first = text[: text.index("Final error")]
    for x, y in refnet.XOR:
        output = net.forward(x)
        right = "right" if abs(output - y) < 0.5 else "WRONG"
        assert re.search(rf"{x[0]} {x[1]} +{y} +{output:.3f} +{right}", first)
    assert f"Final error {curve[-1]:.5f}" in text


@pytest.mark.parametrize("length", [1, 2, 63, 64, 65, 10000])
def test_the_plot_shows_the_curve_between_labelled_axes(length):
    curve = [0.25 * (length - n) / length for n in range(length)]
    lines = refnet.plot(curve)
    assert max(map(len, lines)) <= 80
    assert lines[0].strip() == "error"
    assert lines[1].startswith(" 0.25000 |*")
    assert lines[-3].startswith(" 0.00000 |")
    assert lines[-1].split() == ["epoch", "0", str(length // 2), str(length)]
    columns = list(itertools.zip_longest(*(line[10:] for line in lines[1:-2])))
    assert len(columns) == 64
    tops = [column.index("*") for column in columns]
    assert tops == sorted(tops)
    if length >= 64:
        assert tops[0] == 0 and tops[-1] == 12


def test_the_plot_survives_a_curve_without_numbers():
    lines = refnet.plot([math.nan, math.inf])
    assert len(lines) == len(refnet.plot([0.1]))
    assert "*" not in "".join(lines)
    assert "".join(refnet.plot([0.1, math.nan])).count("*") == 32


def test_a_training_that_overflows_is_not_called_learned():
    result = program("run", "--eta", "1e308", "--epochs", 20)
    assert result.returncode == 0 and result.stderr == ""
    assert result.stdout.split("Summary")[1].count("FAILED") == 3


# ---------------------------------------------------------------- Bad arguments

GOOD = {"w1": [[1, 2, 3], [4, 5, 6]], "w2": [1, 2, 3], "b1": [0, 0, 0], "b2": 0}
GOOD_RNN = {**GOOD, "w1": [1, 2, 3], "wh": [[1, 2, 3]] * 3, "bh": [1, 2, 3]}


@pytest.mark.parametrize(
    "change, error, message",
    [
        ({"w1": [[1, 2], [3, 4]]}, ValueError, "w1: expected 2 x 3 numbers, got 2 x 2"),
        (
            {"w1": [[1, 2, 3], [4, 5]]},
            ValueError,
            r"w1\[1\]: expected 3 numbers.* got 2",
        ),
        (
            {"w1": [[1, 4], [2, 5], [3, 6]]},
            ValueError,
            "w1: expected 2 x 3 .*got 3 x 2",
        ),
        ({"w2": [1, 2, 3, 4]}, ValueError, "w2: expected 3 numbers, got 4 numbers"),
        ({"w2": [1, "2", 3]}, TypeError, r"w2\[1\]: expected a number, got '2'"),
        ({"w2": "123"}, TypeError, "w2: expected a number, got '123'"),
        ({"w2": None}, TypeError, "w2: expected a number, got None"),
        ({"w2": {1: 2}}, TypeError, "w2: expected a number, got {1: 2}"),
        ({"b1": [0, True, 0]}, TypeError, r"b1\[1\]: expected a number, got True"),
        ({"b1": [0, math.nan, 0]}, ValueError, r"b1\[1\]: expected a finite.*got nan"),
        ({"b1": []}, ValueError, "b1: expected at least one hidden unit, got none"),
        ({"b2": math.inf}, ValueError, "b2: expected a finite number, got inf"),
        ({"b2": [0, 0]}, ValueError, "b2: expected one number, got 2 numbers"),
        ({"b2": 1j}, TypeError, "b2: expected a number, got 1j"),
        ({"b2": 10**400}, ValueError, "b2: expected a number that a double can hold"),
        ({"b2": [[[[[[[[[0]]]]]]]]]}, ValueError, "b2.*nested too deep"),
    ],
)
def test_a_net_refuses_parameters_that_do_not_fit(change, error, message):
    with pytest.raises(error, match=message):
        refnet.XorNet(**{**GOOD, **change})
    if "w1" not in change:
        with pytest.raises(error, match=message):
            refnet.RecurrentNet(**{**GOOD_RNN, **change})


@pytest.mark.parametrize(
    "change, message",
    [
        ({"wh": [[1, 2, 3]] * 2}, "wh: expected 3 x 3 numbers, got 2 x 3 numbers"),
        ({"bh": [1, 2]}, "bh: expected 3 numbers, got 2 numbers"),
        ({"w1": [[1, 2, 3], [4, 5, 6]]}, "w1: expected 3 numbers, got 2 x 3 numbers"),
    ],
)
def test_a_recurrent_net_refuses_parameters_that_do_not_fit(change, message):
    with pytest.raises(ValueError, match=message):
        refnet.RecurrentNet(**{**GOOD_RNN, **change})


@pytest.mark.parametrize(
    "examples, error, message",
    [
        ([], ValueError, "examples: expected a list of at least one"),
        (7, ValueError, "examples: expected a list of at least one"),
        ([((0, 0), 0), (0, 0)], ValueError, r"examples\[1\]\[0\]: expected 2 numbers"),
        ([((0, 0), 0, 1)], ValueError, r"examples\[0\]: expected a pair \(x, y\)"),
        ([((0, 0, 1), 0)], ValueError, r"examples\[0\]\[0\]: expected 2 .*got 3 "),
        ([((0, 0), (0, 1))], ValueError, r"examples\[0\]\[1\]: expected one number"),
        ([((0, "0"), 0)], TypeError, r"examples\[0\]\[0\]\[1\]: .* got '0'"),
        ([((0, 0), math.nan)], ValueError, r"examples\[0\]\[1\]: expected a finite"),
        (["ab"], ValueError, r"examples\[0\]: expected a pair \(x, y\), got 'ab'"),
    ],
)
def test_the_xor_nets_training_refuses_bad_examples_at_once(examples, error, message):
    for training in (refnet.sgd, refnet.batch):
        with pytest.raises(error, match=message):
            training(refnet.XorNet(**GOOD), examples)


@pytest.mark.parametrize(
    "examples, error, message",
    [
        ([[0, 1], [1]], ValueError, r"examples\[1\]: expected a sequence of two"),
        ([[]], ValueError, r"examples\[0\]: expected a sequence of two"),
        ([[[0, 1], [1, 0]]], ValueError, r"examples\[0\]: expected a sequence of two"),
        ([[0, None]], TypeError, r"examples\[0\]\[1\]: expected a number, got None"),
    ],
)
def test_the_recurrent_nets_training_refuses_bad_sequences(examples, error, message):
    with pytest.raises(error, match=message):
        refnet.sgd(refnet.RecurrentNet(**GOOD_RNN), examples)


@pytest.mark.parametrize("eta", [0, -0.1, math.nan, math.inf])
def test_eta_must_be_a_positive_number(eta):
    with pytest.raises(ValueError, match=r"eta: expected a .*number"):
        refnet.sgd(refnet.XorNet(**GOOD), refnet.XOR, eta)
    with pytest.raises(TypeError, match=r"eta: expected a number, got '0.1'"):
        refnet.batch(refnet.XorNet(**GOOD), refnet.XOR, "0.1")


@pytest.mark.parametrize(
    "seed, error",
    [(-1, ValueError), (2**32, ValueError), (1.0, TypeError), (True, TypeError)],
)
def test_the_seed_must_be_one_that_numpy_takes(seed, error):
    with pytest.raises(error, match="seed: expected a whole number from 0 to 429496"):
        refnet.RandomState(seed)


@pytest.mark.parametrize("hidden, error", [(0, ValueError), (3.0, TypeError)])
def test_there_must_be_a_hidden_unit(hidden, error):
    with pytest.raises(error, match="hidden: expected a whole number of at least 1"):
        refnet.initial_parameters(refnet.XorNet, refnet.RandomState(1), hidden)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: refnet.sgd(None, refnet.XOR), "net: .*XorNet or a Rec.* got None"),
        (lambda: refnet.batch(refnet.XorNet, refnet.XOR), "net: expected an XorNet"),
        (lambda: refnet.initial_parameters("rnn", refnet.RandomState(1)), "net: .*rnn"),
        (lambda: refnet.initial_parameters(refnet.XorNet, 1), "stream: .* got 1"),
        (
            lambda: refnet.worked_step(refnet.RecurrentNet(**GOOD_RNN), (0, 0), 0),
            "net: expected an XorNet, got <refnet.RecurrentNet",
        ),
    ],
)
def test_what_is_not_a_net_is_refused_by_name(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def test_what_can_be_read_only_once_is_read_once():
    net = refnet.XorNet(**{name: iter_of(GOOD[name]) for name in GOOD})
    assert net.parameters() == refnet.XorNet(**GOOD).parameters()
    candidate = refnet.trace("rnn", epochs=1)
    candidate["initial"] = {"b1": iter_of(candidate["initial"]["b1"])}
    assert not refnet.check(candidate)


def iter_of(value):
    return iter([iter_of(part) for part in value]) if isinstance(value, list) else value


def test_any_shape_that_holds_the_numbers_is_taken_and_nothing_is_changed():
    given = {
        "w1": ((1, 2, 3), [4, 5, 6]),
        "w2": [[1], [2], [3]],
        "b1": [[7, 8, 9]],
        "b2": [[0.5]],
    }
    before = copy.deepcopy(given)
    net = refnet.XorNet(**given)
    assert net.w1 == [[1, 2, 3], [4, 5, 6]]
    assert (net.w2, net.b1, net.b2) == ([1, 2, 3], [7, 8, 9], 0.5)
    next(refnet.sgd(net, refnet.XOR))
    assert given == before and net.b1 != [7, 8, 9]
    kept = net.parameters()
    next(refnet.sgd(net, refnet.XOR))
    assert kept != net.parameters()
    assert refnet.XOR == [((0, 0), 0), ((1, 0), 1), ((0, 1), 1), ((1, 1), 0)]


@needs_numpy
def test_arrays_are_taken_as_they_are():
    start = numpy_start("rnn", 5)
    before = copy.deepcopy(start)
    net = refnet.RecurrentNet(**start)
    next(refnet.sgd(net, np.array(refnet.SEQUENCES), np.float64(0.1)))
    for name in start:
        assert (start[name] == before[name]).all()
    with pytest.raises(TypeError, match=r"b1\[0\]\[0\]: expected a number, got False"):
        refnet.RecurrentNet(**{**start, "b1": np.zeros((1, 3), dtype=bool)})
    assert refnet.RandomState(np.uint32(LAST_SEED)).words[0] == LAST_SEED
    json.dumps(refnet.trace("rnn", seed=np.int64(3), epochs=np.int32(1)))


# ------------------------------------------------------------- The command line


@pytest.mark.parametrize(
    "words, message",
    [
        (["run", "--seed", "-1"], "seed: expected a whole number from 0 to 4294967295"),
        (["run", "--seed", "4294967296"], "seed: expected a whole number from 0 to"),
        (["run", "--seed", "one"], "seed: expected a whole number .*, got 'one'"),
        (["--seed", "1.5"], "seed: expected a whole number .*, got 1.5"),
        (["run", "--hidden", "0"], "hidden: expected a whole number from 1 to 1000"),
        (["run", "--epochs", "0"], "epochs: expected a whole number from 1 to"),
        (["run", "--eta", "nan"], "eta: expected a finite number, got nan"),
        (["run", "--eta", "-0.1"], "eta: expected a number above 0, got -0.1"),
        (["run", "--eta"], "expected one argument"),
        (["run", "--ep", "3"], "unrecognized arguments: --ep"),
        (["rum"], "invalid choice: 'rum'"),
        (["trace"], "required: NET"),
        (["trace", "xor"], "net: expected one of rnn, rnn-bptt, xor-batch, xor-sgd"),
        (["trace", "rnn", "--steps", "-1"], "steps: expected a whole number from 0"),
        (["check"], "required: FILE; see refnet check --help"),
        (["check", "nowhere.json"], "'nowhere.json': No such file"),
        (["check", "README.md"], "expected JSON"),
    ],
)
def test_a_bad_command_line_is_one_line_and_status_2(words, message):
    result = program(*words)
    assert result.returncode == 2
    assert result.stdout == ""
    assert re.fullmatch(r"refnet.*: .*\n", result.stderr), result.stderr
    assert re.search(message, result.stderr), result.stderr


def test_help_names_every_option_and_its_default():
    text = program("--help").stdout
    for words in ("--seed S", "--epochs N", "--eta X", "--hidden H", "--steps K"):
        assert words in text
    for option, default in (
        ("--seed S", "1"),
        ("--epochs N", "10000"),
        ("--eta X", "0.1"),
        ("--hidden H", "3"),
        ("--rtol R", "1e-09"),
        ("--atol A", "1e-12"),
    ):
        assert re.search(rf"^  {option} .*\(default: {default}\)$", text, re.MULTILINE)
    assert max(len(line) for line in text.split("\n")) <= 80
    for command in ("run", "trace", "check"):
        usage = f"usage: refnet {command} [-h]"
        assert f"\nrefnet {command}:\n{usage}" in text
        assert program(command, "--help").stdout.startswith(usage)
    assert program("--version").stdout == f"refnet {refnet.__version__}\n"


@pytest.mark.skipif(os.name == "nt", reason="pipes and signals are POSIX's")
@pytest.mark.parametrize("words", [[], ["trace", "rnn"], ["--help"]])
def test_a_pipe_that_closes_early_ends_it_quietly(words):
    command = [sys.executable, str(HERE / "refnet.py"), *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.stderr.read() == b""
    # argparse takes a closed pipe for success.
    assert process.wait() == 141 or (words == ["--help"] and process.returncode == 0)


@pytest.mark.skipif(os.name == "nt", reason="pipes and signals are POSIX's")
def test_control_c_ends_it_quietly():
    command = [sys.executable, "-u", str(HERE / "refnet.py"), "--epochs", "900000"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Whoever runs the tests in the background has SIGINT ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.communicate()[1] == b""
    assert process.returncode == 130


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_full_disk_is_no_success():
    with open("/dev/full", "w") as full:
        command = [sys.executable, str(HERE / "refnet.py"), "trace", "rnn"]
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert result.returncode == 2
    assert re.fullmatch(r"refnet: standard output: .*\n", result.stderr)


# ------------------------------------------------- The oracle: exact arithmetic


@pytest.mark.parametrize("net", sorted(refnet.NETS))
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_within_1e_12_of_exact_arithmetic(monkeypatch, capsys, net, seed):
    assert distance_from_exact(monkeypatch, capsys, net, seed) < Decimal("1e-12")


def test_the_start_that_exact_arithmetic_is_farthest_from(monkeypatch, capsys):
    distance = distance_from_exact(monkeypatch, capsys, "rnn-bptt", 55)
    assert distance < Decimal("2e-12")


def distance_from_exact(monkeypatch, capsys, net, seed):
    """The largest difference in the error curve and the final parameters."""
    kind, examples, training = refnet.NETS[net]
    start = refnet.initial_parameters(kind, refnet.RandomState(seed))
    curve, trained_net = trained(kind, examples, training, start)
    with localcontext() as context, monkeypatch.context() as patch:
        context.prec = 40
        patch.setattr(refnet, "exp", Decimal.exp)
        patch.setattr(refnet, "number", lambda name, value, finite=True: Decimal(value))
        exact_curve, exact_net = trained(kind, examples, training, start)
    got = curve + flat(list(trained_net.parameters().values()))
    want = exact_curve + flat(list(exact_net.parameters().values()))
    assert len(got) == len(want) == 10000 + (13 if kind is refnet.XorNet else 22)
    assert all(len(str(number)) > 30 for number in want), "this was not exact"
    worst = max(abs(Decimal(g) - w) for g, w in zip(got, want))
    with capsys.disabled():
        print(f"\n{net}, seed {seed}: within {worst:.1e} of 40 digits ", end="")
    return worst


# ------------------------------------------------- The oracle: right builds pass


@needs_numpy
@pytest.mark.parametrize("net", sorted(refnet.NETS))
@pytest.mark.parametrize("seed", [0, 11, LAST_SEED])
def test_numpy_passes_as_it_is(net, seed):
    candidate = numpy_trace(net, seed, steps=12)
    assert np.shape(candidate["final"]["b1"]) == (1, 3)
    assert np.shape(candidate["final"]["w2"]) == (3, 1)
    assert not refnet.check({**candidate, "seed": seed})
    assert not refnet.check(candidate)


REVERSED = [
    (
        "            act2 += lay1_j * w2[j]\n",
        "        for j in reversed(self.hidden):\n            act2 += lay1[j] * w2[j]\n",
    ),
    (
        "                for i in hidden:\n                    recurrent +=",
        "                for i in reversed(hidden):\n                    recurrent +=",
    ),
    (
        "                    for j in hidden:\n                        total +=",
        "                    for j in reversed(hidden):\n                        total +=",
    ),
    (
        "zero + x0 * w1_0[j] + x1 * w1_1[j] + b1[j]",
        "b1[j] + x1 * w1_1[j] + x0 * w1_0[j]",
    ),
    (
        "for E in self.backward(example):",
        "for E in reversed(self.backward(example)):",
    ),
]
EXACT_SUMS = [
    (
        "            act2 += lay1_j * w2[j]\n",
        "        act2 = fsum(lay1[j] * w2[j] for j in self.hidden)\n",
    ),
    (
        "                for i in hidden:\n"
        "                    recurrent += before[i] * wh[i][j]",
        "                recurrent = fsum(before[i] * wh[i][j] for i in hidden)",
    ),
    (
        "                    for j in hidden:\n"
        "                        total += wh[i][j] * delta_l1[j]",
        "                    total = fsum(wh[i][j] * delta_l1[j] for j in hidden)",
    ),
]


def noisy_exp(seed):
    """math.exp with one random unit in the last place more, less, or neither."""
    noise = random.Random(seed)

    def exp(a):
        value = math.exp(a)
        return value + noise.choice((-1, 0, 1)) * math.ulp(value)

    return exp


@pytest.mark.parametrize("net", sorted(refnet.NETS))
@pytest.mark.parametrize("seed", [0, 1, 20])
def test_other_orders_and_other_libraries_pass(net, seed):
    for other in (
        changed(*REVERSED),
        changed(*EXACT_SUMS, fsum=math.fsum),
        changed(exp=noisy_exp(seed)),
    ):
        candidate = other.trace(net, seed=seed)
        assert candidate != refnet.trace(net, seed=seed)
        assert not refnet.check(candidate)


def test_shapes_are_compared_without_their_axes_of_length_1():
    candidate = refnet.trace("xor-sgd", epochs=2)
    for step in candidate["steps"]:
        step["act1"] = [step["act1"]]
        step["lay1"] = [[value] for value in step["lay1"]]
        step["E"] = [[step["E"]]]
        step["x"] = tuple(step["x"])
    candidate["error"] = [[error] for error in candidate["error"]]
    assert not refnet.check(candidate)
    one = refnet.trace("rnn", epochs=2, hidden=1)
    one["final"]["wh"] = one["final"]["wh"][0][0]
    assert not refnet.check(one)


# ------------------------------------------------- The oracle: wrong builds fail


def single(value):
    """value in single precision."""
    return struct.unpack("f", struct.pack("f", value))[0]


NOT_REVERSED = [
    (f"        self.{name}_mem.reverse()\n", "")
    for name in ("E", "delta_l2", "delta_l1")
]
DELTA_L2 = "        delta_l2 = (lay2 - y) * dsigmoid(lay2)"
# What a port got wrong: the net, the lines changed, the first quantity touched.
BUGS = {
    "w2 is updated before layer 1 is corrected": (
        "xor-sgd",
        [("back = w2[j] *", "back = (w2[j] - 0.1 * lay1[j] * delta_l2) *")],
        "steps, epoch 0, example 0, delta_l1[0]",
    ),
    "derivative at the activation of the output": (
        "xor-batch",
        [(DELTA_L2, DELTA_L2.replace("dsigmoid(lay2)", "dsigmoid(self.act2)"))],
        "steps, epoch 0, example 0, delta_l2",
    ),
    "no derivative at the hidden units": (
        "rnn-bptt",
        [("delta = back * dsigmoid(lay1[j])", "delta = back")],
        "steps, epoch 0, example 0, time step 1, delta_l1[0]",
    ),
    "the error has the other sign": (
        "xor-sgd",
        [(DELTA_L2, DELTA_L2.replace("lay2 - y", "y - lay2"))],
        "steps, epoch 0, example 0, delta_l2",
    ),
    "b1 is forgotten": (
        "xor-sgd",
        [("x1 * w1_1[j] + b1[j])", "x1 * w1_1[j])")],
        "steps, epoch 0, example 0, act1[0]",
    ),
    "b2 is forgotten": (
        "rnn",
        [("        act2 += self.b2\n", "")],
        "steps, epoch 0, example 0, time step 0, act2",
    ),
    "b2 is not updated": (
        "xor-sgd",
        [("        self.b2 = self.b2 - eta * self.corr_b2\n", "")],
        "steps, epoch 0, example 1, act2",
    ),
    "b1 is not updated": (
        "xor-sgd",
        [("            (self.b1, self.corr_b1),\n        ]\n", "        ]\n")],
        "steps, epoch 0, example 1, act1[0]",
    ),
    "wh is transposed": (
        "rnn",
        [("before[i] * wh[i][j]", "before[i] * wh[j][i]")],
        "steps, epoch 0, example 0, time step 1, act1[0]",
    ),
    "bh is left out": (
        "rnn",
        [("+ (recurrent + bh[j])", "+ recurrent")],
        "steps, epoch 0, example 0, time step 0, act1[0]",
    ),
    "the hidden state is not reset between sequences": (
        "rnn",
        [
            (
                "        before = self.zeros[:]\n",
                "        before = STATE.get(0, self.zeros[:])\n",
            ),
            ("            before = lay1\n", "            before = STATE[0] = lay1\n"),
        ],
        "steps, epoch 0, example 1, time step 0, act1[0]",
    ),
    "time runs forwards in the backward pass": (
        "rnn-bptt",
        [("range(len(x) - 2, -1, -1)", "range(len(x) - 1)"), *NOT_REVERSED],
        "steps, epoch 0, example 0, time step 1, delta_l1[0]",
    ),
    "what comes back through time is transposed": (
        "rnn-bptt",
        [("total += wh[i][j] * delta_l1[j]", "total += wh[j][i] * delta_l1[j]")],
        "steps, epoch 0, example 0, time step 0, delta_l1[0]",
    ),
    "corrections are not cleared": (
        "xor-sgd",
        [("                corr[j] = zero\n", "")],
        "steps, epoch 0, example 2, act1[0]",
    ),
    "batch is updated per example": (
        "xor-batch",
        [('"xor-batch": (XorNet, XOR, batch)', '"xor-batch": (XorNet, XOR, sgd)')],
        "steps, epoch 0, example 1, act1[0]",
    ),
    "examples come in another order": (
        "xor-sgd",
        [
            (
                "((1, 0), 1), ((0, 1), 1), ((1, 1), 0)]",
                "((0, 1), 1), ((1, 0), 1), ((1, 1), 0)]",
            )
        ],
        "steps, epoch 0, example 1, x[0]",
    ),
    "eta is applied twice": (
        "xor-sgd",
        [("w[j] - eta * corr[j]", "w[j] - eta * eta * corr[j]")],
        "steps, epoch 0, example 1, act1[0]",
    ),
    "parameters are stored in single precision": (
        "xor-sgd",
        [("w[j] - eta * corr[j]", "single(w[j] - eta * corr[j])")],
        "steps, epoch 0, example 1, act1[0]",
    ),
    "tanh for sigmoid": (
        "rnn",
        [("        return 1 / (1 + exp(-a))\n", "        return tanh(a)\n")],
        "steps, epoch 0, example 0, time step 0, lay1[0]",
    ),
    "the last epoch is missing": (
        "xor-batch",
        [
            (
                "block(epochs)\n    for n in range(epochs):\n        curve[n] = next",
                "block(epochs - 1)\n    for n in range(epochs - 1):\n        curve[n] = next",
            )
        ],
        "error",
    ),
    "corr_wh takes the state after the step": (
        "rnn",
        [("corr_wh[i][j] += before[i] * delta", "corr_wh[i][j] += lay1[i] * delta")],
        "steps, epoch 0, example 0, corr_wh[0][0]",
    ),
    "corr_bh is forgotten": (
        "rnn",
        [("                corr_bh[j] = corr_bh[j] + delta\n", "")],
        "steps, epoch 0, example 0, corr_bh[0]",
    ),
    "corr_w1 mixes up the inputs": (
        "xor-sgd",
        [("corr_w1_0[j] + x0 *", "corr_w1_0[j] + x1 *")],
        "steps, epoch 0, example 1, corr_w1[0][0]",
    ),
    "a step compares with its own input": (
        "rnn",
        [("self.lay2_mem[k], x[k + 1], later", "self.lay2_mem[k], x[k], later")],
        "steps, epoch 0, example 0, time step 1, E",
    ),
    "the error is the sum, not the mean": (
        "xor-sgd",
        [("yield error / len(outputs), outputs", "yield error, outputs")],
        "error, epoch 0",
    ),
    "the first draws are from [0, 1)": (
        "xor-sgd",
        [("yield 2 * self.random_sample() - 1", "yield self.random_sample()")],
        "initial, w1[0][0]",
    ),
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_wrong_build_is_told_what_it_got_wrong_first(bug):
    net, replacements, place = BUGS[bug]
    other = changed(*replacements, single=single, tanh=math.tanh, STATE={})
    other.refuse_overflow = lambda parts: None  # a port goes on with NaN
    candidate = other.trace(net, epochs=40)
    report = refnet.check(candidate)
    assert report, "the bug was not found"
    assert report[0].place() == place
    assert str(report).startswith("part ") and f"\n  {place}\n" in str(report)
    assert repr(report).startswith("FAIL")
    del candidate["steps"], candidate["initial"]
    assert refnet.check(candidate)


OVERFLOWING = [
    '{"net": "xor-sgd", "seed": 1, "epochs": 1, "eta": 1e308, "error": [0.5]}',
    '{"net": "xor-batch", "seed": 1, "epochs": 1, "eta": 5e-324, "error": [0.5]}',
    '{"net": "rnn", "epochs": 1, "error": [0.3], "initial": {"w1": [0, 0], "w2":'
    ' [1000, -1000], "b1": [0, 0], "b2": 0, "wh": [[1e307, -1e307], [-1e307, 1e307]],'
    ' "bh": [0, 0]}}',
    '{"net": "xor-sgd", "epochs": 1, "eta": 3e306, "steps": [{"lay2": 0.1}], "initial":'
    ' {"w1": [[0, 0], [0, 0]], "w2": [1000, -1000], "b1": [0, 0], "b2": 0}}',
    '{"net": "xor-sgd", "epochs": 1, "eta": 3e306, "final": {"b1": [1, 1]}, "initial":'
    ' {"w1": [[0, 0], [0, 0]], "w2": [1000, -1000], "b1": [0, 0], "b2": 0}}',
]


@pytest.mark.parametrize("text", OVERFLOWING, ids=range(5))
def test_a_convention_that_overflows_is_not_the_candidates_fault(text):
    report = refnet.check(json.loads(text))
    assert report and report.convention == ""


def test_another_shape_is_reported_with_both_shapes():
    candidate = refnet.trace("xor-sgd", epochs=3)
    corr_w1 = candidate["steps"][0]["corr_w1"]
    candidate["steps"][0]["corr_w1"] = [list(column) for column in zip(*corr_w1)]
    candidate["error"] = candidate["error"][:2]
    first, second = refnet.check(candidate)
    assert str(first) == (
        "steps, epoch 0, example 0, corr_w1: got 3 x 2 numbers, want 2 x 3 numbers"
    )
    assert str(second) == "error: got 2 numbers, want 3 numbers"
    for words in ("got   3 x 2 numbers", "want  2 x 3 numbers"):
        assert words in str(refnet.check(candidate))


def test_a_shape_is_wrong_where_its_first_number_is_computed():
    candidate = refnet.trace("rnn", epochs=1)
    candidate["steps"][0]["delta_l2"] = [1, 2, 3]
    candidate["steps"][0]["delta_l1"][1][0] += 1
    candidate["steps"][0]["act2"] = [1]
    places = [each.place() for each in refnet.check(candidate)]
    assert places == [
        "steps, epoch 0, example 0, act2",
        "steps, epoch 0, example 0, delta_l2",
        "steps, epoch 0, example 0, time step 1, delta_l1[0]",
    ]


def test_results_that_are_not_numbers_are_wrong_at_their_place():
    for bad in (math.nan, math.inf, -math.inf, None):
        candidate = refnet.trace("rnn", epochs=3)
        candidate["error"][1] = bad
        candidate["steps"][3]["lay1"][1][2] = bad
        report = refnet.check(candidate)
        assert [each.place() for each in report] == [
            "steps, epoch 0, example 3, time step 1, lay1[2]",
            "error, epoch 1",
        ]


class Single(float):
    """A number that is rounded to single precision after every operation."""

    def __new__(cls, value):
        return float.__new__(cls, single(value))


def rounded(name):
    return lambda self, other: Single(getattr(float, name)(self, float(other)))


for operator in ("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv"):
    setattr(Single, f"__{operator}__", rounded(f"__{operator}__"))
Single.__neg__ = lambda self: Single(-float(self))


def single_precision_trace(monkeypatch, net, **options):
    """What a port in single precision computes: the same source on Single."""
    with monkeypatch.context() as patch:
        patch.setattr(refnet, "exp", lambda a: Single(math.exp(a)))
        patch.setattr(refnet, "number", lambda name, value, finite=True: Single(value))
        candidate = json.loads(json.dumps(refnet.trace(net, **options)))
    del candidate["seed"]  # its start is rounded: one of its own
    return candidate


def nine_digits(value):
    """value with its numbers as %.9g writes them."""
    if isinstance(value, dict):
        return {key: nine_digits(part) for key, part in value.items()}
    if isinstance(value, list):
        return [nine_digits(part) for part in value]
    return float(f"{value:.9g}") if isinstance(value, float) else value


def scaled(value, factor):
    if isinstance(value, list):
        return [scaled(part, factor) for part in value]
    return value * factor


def with_factors(candidate, **factors):
    """The candidate with its quantities multiplied."""
    candidate = copy.deepcopy(candidate)
    candidate["error"] = scaled(candidate["error"], factors.get("E", 1))
    for step in candidate["steps"]:
        for name in step:
            for start, factor in factors.items():
                if name.startswith(start):
                    step[name] = scaled(step[name], factor)
    return candidate


def test_the_other_known_conventions_are_told_by_name(monkeypatch):
    def told(candidate, **change):
        report = refnet.check({**candidate, **change})
        assert report
        assert ("All of it agrees" in str(report)) == bool(report.convention)
        assert report.convention in str(report)
        return report.convention

    trace = refnet.trace
    through = "backpropagation through time"
    half = "an error without the factor 1/2"
    mean = "batch corrections averaged instead of summed"
    single_words = "single precision, or numbers written with 9 digits at most"
    assert told(trace("rnn-bptt"), net="rnn") == through
    assert told(trace("rnn"), net="rnn-bptt") == "no " + through
    averaged = trace("xor-batch", eta=0.025)
    assert told(averaged, eta=0.1) == mean
    assert told(with_factors(averaged, corr=0.25), eta=0.1) == mean
    assert told(with_factors(averaged, corr=0.25, delta=0.25), eta=0.1) == mean
    for net in refnet.NETS:
        assert told(with_factors(trace(net), E=2)) == half
        whole = with_factors(trace(net, eta=0.2), E=2, delta=2, corr=2)
        assert told(whole, eta=0.1) == half + ", and its gradient"
    both = with_factors(trace("rnn-bptt"), E=2)
    assert told(both, net="rnn") == through + "; " + half
    assert told(trace("rnn", eta=0.11), eta=0.1) == ""
    for net in refnet.NETS:
        rough = single_precision_trace(monkeypatch, net)
        assert told(rough) == single_words
        assert told(nine_digits(rough)) == single_words
    assert told(rough, net="rnn") == f"{through}; {single_words}"
    rough["final"]["b2"] += 0.2
    assert told(rough) == ""
    zeros = {"delta_l2": 0, "delta_l1": [0, 0, 0], "corr_b2": 0}
    late = {"net": "xor-sgd", "seed": 1, "steps": [{"epoch": 9999, **zeros}]}
    assert told(late) == ""


# ------------------------------------------------ The oracle: the format holds


@pytest.mark.parametrize("net", sorted(refnet.NETS))
def test_check_passes_what_trace_writes(net):
    for seed in range(21):
        written = json.dumps(refnet.trace(net, seed=seed, epochs=500))
        report = refnet.check(json.loads(written), rtol=0, atol=0)
        assert not report
        assert set(report.parts) == {"initial", "steps", "error", "final"}


def test_a_trace_has_its_keys_in_the_order_of_computation():
    head = "format net seed hidden eta epochs initial steps error final"
    step = "epoch example x{} act1 lay1 act2 lay2 E delta_l2 corr_w2 corr_b2 delta_l1"
    step += " corr_w1 corr_b1{}"
    for net, y, recurrent in (("xor-batch", " y", ""), ("rnn", "", " corr_wh corr_bh")):
        trace = refnet.trace(net, epochs=3)
        assert list(trace) == head.split()
        assert len(trace["steps"]) == 8 and len(trace["error"]) == 3
        assert list(trace["steps"][7]) == step.format(y, recurrent).split()
    assert trace["format"] == "refnet-trace/1"


def test_the_commands_work_together(tmp_path):
    file = tmp_path / "trace.json"
    file.write_text(program("trace", "rnn-bptt", "--seed", 5, "--steps", 3).stdout)
    assert program("trace", "rnn-bptt", "--seed", 5, "--steps", 3).stdout == (
        file.read_text()
    )
    assert json.loads(file.read_text()) == refnet.trace("rnn-bptt", seed=5, steps=3)
    for result in (
        program("check", file),
        program("check", "-", stdin=file.read_text()),
        program("check", file, "--rtol", 0, "--atol", 0),
    ):
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout.split("\n")[-2].startswith("PASS: all 10")
    file.write_text(file.read_text().replace('"seed": 5', '"seed": 6'))
    result = program("check", file)
    assert (result.returncode, result.stderr) == (1, "")
    assert "FAIL" in result.stdout and "\n  initial, w1[0]\n" in result.stdout
    assert max(len(line) for line in result.stdout.split("\n")) <= 80


def places(trace):
    """Every number of a trace that was computed: where it is, and its place."""
    recurrent = trace["net"].startswith("rnn")
    for part in ("initial", "final"):
        for name, value in trace[part].items():
            for path in paths(value):
                yield (part, name, *path), f"{part}, {name}{indices(path)}"
    for n in range(len(trace["error"])):
        yield ("error", n), f"error, epoch {n}"
    for n, step in enumerate(trace["steps"]):
        head = f"steps, epoch {step['epoch']}, example {step['example']}"
        for name, value in step.items():
            for path in paths(value) if name not in ("epoch", "example") else []:
                rest = f"{name}{indices(path)}"
                if recurrent and name != "x" and not name.startswith("corr"):
                    rest = f"time step {path[0]}, {name}{indices(path[1:])}"
                yield ("steps", n, name, *path), f"{head}, {rest}"


def paths(value):
    if not isinstance(value, list):
        return [()]
    return [(n, *path) for n, part in enumerate(value) for path in paths(part)]


def indices(path):
    return "".join(f"[{n}]" for n in path)


@pytest.mark.parametrize("net", sorted(refnet.NETS))
def test_any_single_number_changed_fails_at_its_place(net):
    some = random.Random(net)
    tried = 0
    for seed in range(21):
        trace = refnet.trace(net, seed=seed, epochs=5)
        everywhere = list(places(trace))
        for path, place in some.sample(everywhere, 25):
            candidate = copy.deepcopy(trace)
            inner = candidate
            for key in path[:-1]:
                inner = inner[key]
            value = inner[path[-1]]
            if abs(value) < 2e-6:  # 1e-6 of it is below atol; most are zeros
                continue
            inner[path[-1]] = value * (1 + 1e-6)
            report = refnet.check(candidate)
            assert [each.place() for each in report] == [place]
            tried += 1
    assert tried > 400


def test_steps_are_known_by_epoch_and_example_or_by_their_place():
    trace = refnet.trace("rnn", epochs=3, steps=12)
    some = {"net": "rnn", "seed": 1, "epochs": 3}
    assert not refnet.check({**some, "steps": trace["steps"][5:7]})
    bare = [{"lay2": step["lay2"]} for step in trace["steps"]]
    assert not refnet.check({**some, "steps": bare})
    assert refnet.check({**some, "steps": bare[1:]})
    mixed = [trace["steps"][9], trace["steps"][2]]
    assert not refnet.check({**some, "steps": mixed})
    mixed[1]["act2"][0] += 1
    mixed[0]["act2"][0] += 1
    examples = [each.example for each in refnet.check({**some, "steps": mixed})]
    assert examples == [2, 1], "the first computed comes first"


def test_a_start_of_its_own_is_where_refnet_starts_too():
    start = refnet.trace("xor-sgd", seed=9, hidden=5, epochs=4)
    own = {"net": "xor-sgd", "initial": start["initial"], "epochs": 4}
    assert not refnet.check({**own, "final": start["final"]})
    assert refnet.check({**own, "final": start["initial"]})
    seeded = {**own, "seed": 9, "hidden": 5, "final": start["final"]}
    assert not refnet.check(seeded)
    assert refnet.check({**seeded, "seed": 8})[0].place() == "initial, w1[0][0]"
    seeded["initial"] = {"b2": start["initial"]["b2"]}
    assert not refnet.check(seeded)


@needs_numpy
def test_a_candidate_is_not_changed():
    candidate = numpy_trace("rnn", epochs=2, steps=3)
    before = copy.deepcopy(candidate)
    refnet.check(candidate)
    assert repr(candidate) == repr(before)


# ---------------------------------------------- The oracle: rubbish in, a clear line out

START = '{"net": "rnn", "seed": 1, "epochs": 2, '
RUBBISH = {
    "": "expected JSON",
    "[]": r"candidate: expected an object with names, got \[\]",
    "3": "candidate: expected an object",
    '{"net": "rnn"': "expected JSON",
    '{"seed": 1}': "net: expected one of .* got None",
    '{"net": "xor", "seed": 1, "error": [1]}': "net: expected one of .* got 'xor'",
    '{"net": ["rnn"], "seed": 1}': r"net: expected one of .* got \['rnn'\]",
    '{"net": "rnn", "error": [1]}': "seed: expected seed or initial",
    '{"net": "rnn", "seed": 1}': "expected something to compare.*got nothing",
    START + '"steps": []}': "expected something to compare",
    START + '"initial": {"b2": 0.1}}': "expected something to compare",
    START + '"steps": [{}], "final": {}}': "expected something to compare",
    START + '"steps": [{"x": [0, 0, 1]}]}': "expected something to compare",
    START + '"eror": [1, 2]}': "candidate: expected only .*; got 'eror'",
    START + '"final": {"w3": [1]}}': "final: expected only w1, .*; got 'w3'",
    START + '"steps": [{"act3": 1}]}': r"steps\[0\]: expected only .*; got 'act3'",
    START + '"steps": [{"y": 1}]}': r"steps\[0\]: expected only .*; got 'y'",
    START + '"steps": [7]}': r"steps\[0\]: expected an object with names, got 7",
    START + '"steps": {"E": 1}}': "steps: expected a list, got {'E': 1}",
    START + '"error": [0.1, "0.1"]}': r"error\[1\]: expected a number, got '0.1'",
    START + '"error": [0.1, true]}': r"error\[1\]: expected a number, got True",
    START + '"error": {"0": 1}}': "error: expected a number, got {'0': 1}",
    START + '"error": [[1], [1, 2]]}': r"error\[1\]: expected a list of one number, as in",
    START + '"error": [1, 1], "eta": NaN}': "eta: expected a finite number",
    START + '"error": [1, 1], "eta": 1e999}': "eta: expected a finite number",
    START + '"error": [1, 1], "eta": "0.1"}': "eta: expected a number, got '0.1'",
    START + '"error": [1, 1], "eta": -1}': "eta: expected a number above 0",
    START + '"error": [1, 1], "initial": {"b2": NaN}}': "initial.b2: .* finite number",
    START + '"error": [1, 1], "hidden": 0}': "hidden: expected a whole number from 1",
    START + '"error": [1, 1], "format": "x"}': "format: expected 'refnet-trace/1'",
    START + '"error": [1, 1], "error": [1, 1]}': "got two entries of that name",
    START + '"steps": [{"E": 1, "E": 1}]}': r"steps\[0\].E: .* two entries of that",
    START + '"seed": 1, "error": [1, 1]}': "seed: .* got two entries of that name",
    START + '"error": [1, 1' + "0" * 400 + "]}": r"error\[1\]: .* a double can hold",
    START + '"error": [1, 1' + "0" * 9000 + "]}": r"error\[1\]: .* a double can hold",
    START + '"steps": [{"epoch": 2, "E": 1}]}': r"steps\[0\].epoch: .* from 0 to 1",
    START + '"steps": [{"example": 4, "E": 1}]}': r"steps\[0\].example: .* from 0 to 3",
    START + '"steps": [{"E": 1}, {"example": 0, "E": 1}]}': r"steps\[1\]: .* every step",
    '{"net": "rnn", "seed": -1, "error": [1]}': "seed: expected a whole number from 0",
    '{"net": "rnn", "seed": 1.5, "error": [1]}': "seed: expected a whole number from 0",
    '{"net": "rnn", "seed": 1, "epochs": 1e9, "error": [1]}': "epochs: expected a whole",
    '{"net": "rnn", "seed": 1, "epochs": 9999999, "error": [1]}': "epochs: expected",
    '{"net": "rnn", "initial": {"b1": [0]}, "error": [1]}': "initial: .*w1 is missing",
    '{"net": "rnn", "initial": {"b1": []}, "error": [1]}': "initial.b1: expected at least",
    '{"net": "rnn", "initial": 7, "error": [1]}': "initial: expected an object",
    "[" * 100000: "nested too deep",
    START + '"error": ' + "[" * 500 + "]" * 500 + "}": "lists nested too deep",
    START + '"final": ' + '{"w1":' * 5000 + "1" + "}" * 5001: "nested too deep|expected",
    '{"net": "\ud800"}'.encode("utf-8", "surrogatepass").decode("latin-1"): "net|JSON",
    '{"net": "rnn", "\\ud800\\n": 1}': r"expected only .*; got '\\ud800\\n'",
    '{"net": "rnn", "initial": {"w1": [1e308], "w2": [1e308], "b1": [1e308], "b2": 1e308,'
    ' "wh": [1], "bh": [1e308]}, "epochs": 1, "steps": [{"E": [1, 1]}]}': (
        "initial, eta: expected a start that stays in a double's range, got inf in act1"
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", RUBBISH, ids=range(len(RUBBISH)))
def test_what_cannot_be_judged_is_one_line_and_status_2(tmp_path, text):
    file = tmp_path / "candidate.json"
    file.write_text(text, encoding="utf-8")
    result = program("check", file)
    assert result.returncode == 2, result.stdout
    assert result.stdout == ""
    assert re.fullmatch(r"refnet: [ -~]*\n", result.stderr), result.stderr
    assert re.search(RUBBISH[text], result.stderr), result.stderr


def test_what_cannot_be_read_is_one_line_and_status_2(tmp_path):
    latin = tmp_path / "latin.json"
    latin.write_bytes(b'{"net": "\xe9"}')
    for file, message in (
        (latin, "expected UTF-8, byte 9 is not"),
        (tmp_path / "missing.json", "No such file"),
        (tmp_path, "Is a directory|Permission denied"),
    ):
        result = program("check", file)
        assert (result.returncode, result.stdout) == (2, "")
        assert re.fullmatch(r"refnet: .*\n", result.stderr)
        assert re.search(message, result.stderr), result.stderr


@pytest.mark.parametrize("name", ["rtol", "atol"])
@pytest.mark.parametrize("value", ["-1", "nan", "1", "1e9", "x", "inf"])
def test_a_tolerance_is_a_number_below_1(tmp_path, name, value):
    file = tmp_path / "good.json"
    file.write_text(json.dumps(refnet.trace("rnn", epochs=1)))
    assert program("check", file, f"--{name}=0.9").returncode == 0
    result = program("check", file, f"--{name}={value}")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"refnet: {name}: expected a ")


@pytest.mark.parametrize("spelling", ["NaN", "nan", "-nan", "Infinity", "-inf", "null"])
def test_results_gone_to_nan_are_wrong_and_not_unreadable(tmp_path, spelling):
    file = tmp_path / "candidate.json"
    file.write_text(START + f'"error": [{spelling}, 0.1]}}')
    result = program("check", file)
    assert (result.returncode, result.stderr) == (1, "")
    assert "\n  error, epoch 0\n" in result.stdout


def test_what_looks_like_nan_stays_as_it_is_in_a_string(tmp_path):
    file = tmp_path / "candidate.json"
    for key in ("inf", "-nan", "NAN \\\\ inf", 'a\\"inf'):
        file.write_text(START + f'"error": [nan(ind), 1], "{key}": inf}}')
        result = program("check", file)
        assert result.returncode == 2
        assert f"got {json.loads(chr(34) + key + chr(34))!r}" in result.stderr


def test_closed_and_full_streams_are_errors_and_no_verdict(tmp_path):
    good = tmp_path / "good.json"
    good.write_text(json.dumps(refnet.trace("rnn", epochs=1)))
    script = f"{shlex.quote(sys.executable)} {shlex.quote(str(HERE / 'refnet.py'))} "
    for words, message in (
        ("check - <&-", "refnet: '-': expected a file on standard input, got none\n"),
        (f"check {good} >&-", "refnet: standard output: closed\n"),
        (f"check {good} $'a\nb'", "refnet: unrecognized arguments: a b; see refnet"),
        ("check missing 2>&-", ""),
        ("check missing 2>/dev/full", ""),
    ):
        result = subprocess.run(
            ["bash", "-c", script + words], capture_output=True, text=True
        )
        assert (result.returncode, result.stdout) == (2, ""), words
        assert result.stderr.startswith(message), words
        assert result.stderr.count("\n") == bool(message)


def test_out_of_memory_is_no_verdict(monkeypatch, capsys):
    def exhausted(candidate, **tolerances):
        raise MemoryError

    monkeypatch.setattr(refnet, "check", exhausted)
    monkeypatch.setattr(refnet, "read_json", lambda path: {})
    assert refnet.main(["check", "file"]) == 2
    assert capsys.readouterr().err == "refnet: out of memory\n"


def test_a_byte_order_mark_is_no_fault(tmp_path):
    file = tmp_path / "candidate.json"
    file.write_text(json.dumps(refnet.trace("rnn", epochs=2)), encoding="utf-8-sig")
    assert program("check", file).returncode == 0


def same_numbers(got, want):
    """Whether got holds nothing but what want holds at the same place."""
    if isinstance(want, dict):
        return isinstance(got, dict) and all(
            key in want and same_numbers(got[key], want[key]) for key in got
        )
    if isinstance(want, list) and isinstance(want[0], dict):
        known = {(step["epoch"], step["example"]): step for step in want}
        return all(
            same_numbers(
                step, known[step.get("epoch", n // 4), step.get("example", n % 4)]
            )
            for n, step in enumerate(got)
        )
    if isinstance(want, list) or isinstance(got, list):
        return close(got, want)
    return close([got], [want]) if isinstance(want, (int, float)) else got == want


def judged(text, file, capsys):
    """Status and standard error of check, run in this process."""
    file.write_bytes(text)
    status = refnet.main(["check", str(file)])
    out, err = capsys.readouterr()
    if status == 2:
        assert out == "" and re.fullmatch(r"refnet: [ -~]*\n", err), err
    else:
        assert err == "" and ("PASS" if status == 0 else "FAIL") in out
    assert status in (0, 1, 2)
    return status


def test_random_damage_never_passes_and_never_ends_in_a_traceback(tmp_path, capsys):
    some = random.Random(2018)
    file = tmp_path / "candidate.json"
    statuses = [0, 0, 0]
    for net in refnet.NETS:
        trace = refnet.trace(net, epochs=2, steps=2)
        good = json.dumps(trace).encode()
        for _ in range(750):
            text = bytearray(good)
            for _ in range(some.choice((1, 1, 1, 2, 5))):
                place = some.randrange(len(text))
                action = some.randrange(4)
                if action == 0:
                    text[place] = some.randrange(256)
                elif action == 1:
                    text[place] = some.choice(b'0123456789.-+eE[]{},:" ')
                elif action == 2:
                    del text[place : place + some.choice((1, 1, 4, 40))]
                else:
                    text[place:place] = text[place : place + some.choice((1, 2, 30))]
            status = judged(bytes(text), file, capsys)
            statuses[status] += 1
            if status == 0:
                assert same_numbers(json.loads(text.decode("utf-8-sig")), trace), text
    assert min(statuses) > 20, statuses


def test_random_surgery_never_passes_and_never_ends_in_a_traceback(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(refnet, "EPOCHS", 100)  # where "epochs" is cut out
    some = random.Random(2019)
    file = tmp_path / "candidate.json"
    strange = [
        None,
        True,
        "1",
        "",
        [],
        {},
        [[]],
        [1, [2]],
        -1,
        0,
        3,
        1e308,
        10**30,
        1e-9,
    ]
    statuses = [0, 0, 0]
    for net in refnet.NETS:
        trace = json.loads(json.dumps(refnet.trace(net, epochs=2, steps=2)))
        for _ in range(250):
            candidate = copy.deepcopy(trace)
            inner = candidate
            while True:
                keys = list(inner if isinstance(inner, dict) else range(len(inner)))
                key = some.choice(keys)
                if not isinstance(inner[key], (dict, list)) or some.random() < 0.3:
                    break
                inner = inner[key]
            action = some.randrange(3)
            if action == 0:
                del inner[key]
            elif action == 1:
                inner[key] = some.choice(strange)
            elif isinstance(inner, dict):
                inner[some.choice(["act1", "seed", "E", "w1", "nonsense"])] = inner[key]
            else:
                inner.append(inner[key])
            status = judged(json.dumps(candidate).encode(), file, capsys)
            statuses[status] += 1
            if status == 0:
                assert same_numbers(candidate, trace), candidate
    assert min(statuses) > 20, statuses


# ------------------------------------------------------------------ The benchmark

TRAININGS = {
    "xor-sgd": "XOR, stochastic",
    "xor-batch": "XOR, batch",
    "rnn": "Recurrent net",
}
# At least so many times as fast as NumPy; at most so many seconds and MiB.
TARGETS = {"all": 6, "each": 5, "whole": 7, "import": 0.003, "memory": 1}

REFNET_ALONE = """
import refnet
for net in {nets}:
    kind, examples, training = refnet.NETS[net]
    start = refnet.initial_parameters(kind, refnet.RandomState(1))
    learning = training(kind(**start), examples)
    for _ in range({epochs}):
        error, outputs = next(learning)
    print(error)
"""
NUMPY_ALONE = """
import numpy as np
{functions}
for net in {nets}:
    training = numpy_xor if net.startswith("xor") else numpy_rnn
    result = training(numpy_start(net, 1), net == "xor-batch", epochs={epochs})
    print(result["error"][-1][0])
"""
IMPORT = """
import sys, time, tracemalloc
sys.path.insert(0, {folder!r})
if {measure_memory}:
    tracemalloc.start()
start = time.perf_counter()
import refnet
seconds = time.perf_counter() - start
print(seconds, tracemalloc.get_traced_memory()[1])
"""


def refnet_training(net, epochs, hidden=3):
    kind, examples, training = refnet.NETS[net]
    start = refnet.initial_parameters(kind, refnet.RandomState(1), hidden)
    return trained(kind, examples, training, start, epochs)[0][-1]


def numpy_training(net, epochs, hidden=3):
    training = numpy_xor if net.startswith("xor") else numpy_rnn
    result = training(numpy_start(net, 1, hidden), net == "xor-batch", epochs=epochs)
    return result["error"][-1][0]


def in_turn(rounds, *calls):
    """The median seconds of each call, the calls taking turns; all give the same."""
    times = [[] for _ in calls]
    for _ in range(rounds):
        results = []
        for call, seconds in zip(calls, times):
            start = time.perf_counter()
            results.append(call())
            seconds.append(time.perf_counter() - start)
        assert all(close(result, results[0]) for result in results), results
    return [statistics.median(seconds) for seconds in times]


def child(folder, *words):
    """What a bare interpreter prints, started in a folder, bytecode kept there."""
    keep = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": ""}
    result = subprocess.run(
        [sys.executable, *words],
        check=True,
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, **keep},
    )
    return result.stdout


def numbers_of(text):
    return [float(number) for number in text.split()]


def benchmark(rounds=5, epochs=10000):
    """Time refnet and NumPy in turn, print tables and, last, a verdict."""
    print(f"refnet beside NumPy {np.__version__}, {sys.implementation.name} ", end="")
    print(f"{sys.version.split()[0]}; medians of {rounds} rounds, in turn")
    missed = []

    def row(title, numpy_seconds, refnet_seconds, target=None):
        ratio = numpy_seconds / refnet_seconds
        goal = f"   (target {target}x)" if target else ""
        print(f"{title:<28}{numpy_seconds:9.3f} s{refnet_seconds:9.3f} s", end="")
        print(f"{ratio:8.1f}x{goal}")
        if target and ratio < target:
            missed.append(f"{title} {ratio:.2f}x")

    print(f"\n{epochs} epochs in one process       NumPy     refnet    ratio")
    totals = [0, 0]
    for net, title in TRAININGS.items():
        pair = in_turn(
            rounds,
            lambda net=net: numpy_training(net, epochs),
            lambda net=net: refnet_training(net, epochs),
        )
        totals = [total + each for total, each in zip(totals, pair)]
        row(title, *pair, TARGETS["each"])
    row("All three", *totals, TARGETS["all"])

    print("\nWhole process, start-up and imports included")
    how = {"nets": list(TRAININGS), "epochs": epochs}
    functions = map(inspect.getsource, (numpy_start, numpy_xor, numpy_rnn))
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(HERE / "refnet.py", folder)
        theirs = NUMPY_ALONE.format(functions="\n".join(functions), **how)
        ours = REFNET_ALONE.format(**how)
        numpy_seconds, refnet_seconds = in_turn(
            rounds,
            lambda: numbers_of(child(folder, "-c", theirs)),
            lambda: numbers_of(child(folder, "-c", ours)),
        )
        row("The same three trainings", numpy_seconds, refnet_seconds, TARGETS["whole"])
        (replay,) = in_turn(rounds, lambda: len(child(folder, "refnet.py")))
        row("The replay, refnet.py", numpy_seconds, replay)

        print("\nWhat import refnet adds to a bare interpreter")
        shutil.rmtree(pathlib.Path(folder, "__pycache__"))

        def imported(measure_memory):
            probe = IMPORT.format(folder=folder, measure_memory=measure_memory)
            return numbers_of(child(folder, "-I", "-S", "-c", probe))

        first = imported(False)[0]
        seconds = statistics.median(imported(False)[0] for _ in range(4 * rounds + 1))
        mebibytes = imported(True)[1] / 2**20
    print(f"time    {1000 * seconds:6.1f} ms    (target under 3 ms; the first time,")
    print(f"                     when it is compiled, {1000 * first:.0f} ms)")
    print(f"memory  {mebibytes:6.1f} MiB   (target under 1 MiB)")
    if seconds >= TARGETS["import"]:
        missed.append(f"import {1000 * seconds:.1f} ms")
    if mebibytes >= TARGETS["memory"]:
        missed.append(f"import {mebibytes:.1f} MiB")

    print("\nMilliseconds an epoch, by the number H of hidden units")
    print("                      H        NumPy       refnet    ratio")
    for net, title in TRAININGS.items():
        for hidden in (3, 10, 30, 100):
            some = max(1, epochs // 25 // hidden)
            times = in_turn(
                rounds,
                lambda net=net, n=some, h=hidden: numpy_training(net, n, h),
                lambda net=net, n=some, h=hidden: refnet_training(net, n, h),
            )
            theirs, ours = (1000 * seconds / some for seconds in times)
            print(f"{title:<20}{hidden:>4}{theirs:13.3f}{ours:13.3f}", end="")
            print(f"{theirs / ours:8.2f}x")

    print()
    if sys.implementation.name != "cpython" or sys.version_info < (3, 11):
        print("The targets are for CPython 3.11 or newer.")
    for each in missed:
        print(f"missed: {each}")
    print(f"Verdict: {f'{len(missed)} targets' if missed else 'no target'} missed")


@needs_numpy
def test_the_benchmark_runs_and_ends_in_a_verdict(capsys):
    benchmark(rounds=1, epochs=100)
    text = capsys.readouterr().out
    assert text.split("\n")[-2].startswith("Verdict: ")
    assert text.isascii() and max(map(len, text.split("\n"))) <= 80
    for title in (*TRAININGS.values(), "All three", "The same three trainings"):
        assert re.search(rf"^{title} .*\dx", text, re.MULTILINE), title


if __name__ == "__main__":
    if np is None:
        sys.exit("test_refnet.py: the benchmark needs NumPy, which is not installed")
    benchmark()
