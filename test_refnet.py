"""The tests of refnet; run as a program, the benchmark against NumPy.

    pytest                         what refnet.py and README.md say, proved quickly
    pytest -m slow                 what takes long: ten thousand epochs, every break
    python3 test_refnet.py         refnet and NumPy side by side, timed

The NumPy version below is the notebook's own way to write it: array operations,
(1, H) and (H, 1) shapes, one long loop.  The port after it is what a stranger
might write, and to be broken.  Neither shares anything with refnet.
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
from decimal import Decimal, localcontext

import pytest

import refnet

try:
    import numpy as np
except ImportError:
    np = None

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = (HERE / "refnet.py").read_text()
README = (HERE / "README.md").read_text()
LAST_SEED = 2**32 - 1
NETS = sorted(refnet.TRAININGS)
needs_numpy = pytest.mark.skipif(np is None, reason="NumPy is not installed")
slow = pytest.mark.slow


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


def numpy_functions(arithmetic):
    """np.dot and the notebook's sigmoid and dsigmoid, or the same of Held."""
    exp, dot = (arithmetic or np).exp, (arithmetic or np).dot
    return dot, lambda x: 1.0 / (1 + exp(-x)), lambda y: y * (1 - y)


def numpy_start(net, seed, hidden=3):
    """The notebook's cells that draw the parameters, after np.random.seed(seed)."""
    stream = seed if hasattr(seed, "random_sample") else np.random.RandomState(seed)
    sizes = {"w1": (1, hidden), "w2": (hidden, 1), "b1": (1, hidden), "b2": (1, 1)}
    if net.startswith("xor"):
        sizes["w1"] = (2, hidden)
    else:
        sizes.update(wh=(hidden, hidden), bh=(1, hidden))
    draw = stream.random_sample
    return {name: 2 * draw(size=size) - 1 for name, size in sizes.items()}


def named(scope, names=refnet.ORDER[:-4], seen=()):
    """Those of a function's variables; where some are seen at each time, lists."""
    step = {name: np.copy(scope[name]) for name in names if name in scope}
    per_time = [*refnet.FORWARD, "delta_l2", "delta_l1"] if seen else []
    return {**step, **{name: [each[name] for each in seen] for name in per_time}}


def numpy_worked_step(start, eta=0.1, arithmetic=None):
    """The notebook's cells from the first example to the first update."""
    dot, sigmoid, dsigmoid = numpy_functions(arithmetic)
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
    return named(locals(), refnet.ORDER[:13]), {"w1": w1, "w2": w2, "b1": b1, "b2": b2}


def numpy_xor(start, batch, eta=0.1, epochs=10000, steps=0, arithmetic=None):
    """The notebook's two XOR loops; batch says which."""
    dot, sigmoid, dsigmoid = numpy_functions(arithmetic)
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
            act1 = dot(w1.T, x) + b1
            lay1 = sigmoid(act1)
            act2 = dot(w2.T, lay1.T) + b2
            lay2 = sigmoid(act2)
            E = 0.5 * (lay2 - y) ** 2
            error[n] += E[0]
            delta_l2 = (lay2 - y) * dsigmoid(lay2)
            corr_w2 = (delta_l2 * lay1).T
            corr_b2 = delta_l2 * 1
            delta_l1 = dot(w2, delta_l2) * dsigmoid(lay1).T
            corr_w1 = np.outer(x, delta_l1)
            corr_b1 = (delta_l1 * 1).T
            if batch:
                Dw_2 += corr_w2
                Dw_1 += corr_w1
                Db_2 += corr_b2
                Db_1 += corr_b1
                if i == len(X) - 1:
                    w2 = w2 - eta * Dw_2
                    b2 = b2 - eta * Db_2
                    w1 = w1 - eta * Dw_1
                    b1 = b1 - eta * Db_1
            else:
                w2 = w2 - eta * corr_w2
                b2 = b2 - eta * corr_b2
                w1 = w1 - eta * corr_w1
                b1 = b1 - eta * corr_b1
            if n % 1000 == 0:
                line += f"| {y}, {lay2[0][0]:.3f}"
            if len(told) < steps:
                told.append({"epoch": n, "example": i, **named(locals())})
        if n % 1000 == 0:
            lines.append(f"{line} < --- {n}")
        error[n] /= len(X)
    final = {"w1": w1, "w2": w2, "b1": b1, "b2": b2}
    return {"steps": told, "error": error, "final": final, "lines": lines}


def numpy_rnn(start, through_time, eta=0.1, epochs=10000, steps=0, arithmetic=None):
    """The notebook's loop over the sequences, and the gradient it leaves out."""
    dot, sigmoid, dsigmoid = numpy_functions(arithmetic)
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
            seen, line = [], ""
            for k in range(2):
                x = np.array([Xr[i][k]])
                y = np.array(Xr[i][k + 1])
                act1 = (dot(w1.T, x) + b1) + (dot(lay1_mem[-1], wh) + bh)
                lay1 = sigmoid(act1)
                act2 = dot(w2.T, lay1.T) + b2
                lay2 = sigmoid(act2)
                E = 0.5 * (lay2 - y) ** 2
                error[n] += E[0]
                lay1_mem.append(np.copy(lay1))
                lay2_mem.append(np.copy(lay2))
                if n % 1000 == 0:
                    line += f"{x[0]} - > {y} ({lay2[0][0]:.3f}|{lay2[0][0] > 0.5:.0f})"
                if len(told) < steps:
                    seen.append({**locals()})
            if through_time:
                delta_next = np.zeros((len(wh), 1))
            for k in range(1, -1, -1):
                x = np.array(Xr[i][k])
                y = np.array(Xr[i][k + 1])
                delta_l2 = (lay2_mem[k] - y) * dsigmoid(lay2_mem[k])
                corr_w2 += (delta_l2 * lay1_mem[k + 1]).T
                corr_b2 += delta_l2 * 1
                back = dot(w2, delta_l2)
                if through_time:
                    back = back + dot(wh, delta_next)
                delta_l1 = back * dsigmoid(lay1_mem[k + 1]).T
                delta_next = delta_l1
                corr_w1 += np.outer(x, delta_l1)
                corr_b1 += (delta_l1 * 1).T
                corr_wh += np.outer(lay1_mem[k], delta_l1)
                corr_bh += (delta_l1 * 1).T
                if seen:
                    seen[k].update(delta_l2=delta_l2, delta_l1=delta_l1)
            w2 = w2 - eta * corr_w2
            b2 = b2 - eta * corr_b2
            w1 = w1 - eta * corr_w1
            b1 = b1 - eta * corr_b1
            wh = wh - eta * corr_wh
            bh = bh - eta * corr_bh
            if seen:
                told.append({"epoch": n, "example": i, **named(locals(), seen=seen)})
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


def numpy_trace(net, seed=1, hidden=3, **how):
    """A candidate for check: the NumPy version, run from its own start."""
    start, other = numpy_start(net, seed, hidden), net in ("xor-batch", "rnn-bptt")
    training = numpy_xor if net.startswith("xor") else numpy_rnn
    result = training(start, other, **how)
    del result["lines"]
    still = {**how, "eta": 0, "epochs": 1, "steps": 4}
    ends = training(result["final"], other, **still)["steps"]
    told = {"net": net, "hidden": hidden, "epochs": how.get("epochs", 10000)}
    outputs = [step["lay2"] for step in ends]
    return {**told, "initial": start, **result, "outputs": outputs}


# --------------------------------------------------------------------- The port


def logistic(v):
    return 1 / (1 + math.exp(-v)) if v > -700 else 0.0


def port_xor(start, pairs, rate, epochs, together):
    """The XOR nets in a stranger's words; together: one update an epoch."""
    W, V = [list(row) for row in start["w1"]], list(start["w2"])
    b, c = list(start["b1"]), start["b2"]
    units, told, curve = list(range(len(V))), [], []
    for _ in range(epochs):
        loss = 0.0
        for n, (x, y) in enumerate(pairs):
            s = [b[h] + W[0][h] * x[0] + W[1][h] * x[1] for h in units]
            a = [logistic(s[h]) for h in units]
            z = c
            for h in units:
                z += V[h] * a[h]
            o = logistic(z)
            e = 0.5 * (y - o) * (y - o)
            loss += e
            d = (o - y) * o * (1 - o)
            g = [V[h] * d * a[h] * (1 - a[h]) for h in units]
            if n == 0 or not together:
                dW, dV = [[0.0] * len(V), [0.0] * len(V)], [0.0] * len(V)
                db, dc = [0.0] * len(V), 0.0
            for h in units:
                dV[h] += d * a[h]
                db[h] += g[h]
                dW[0][h] += g[h] * x[0]
                dW[1][h] += g[h] * x[1]
            dc += d
            if n == len(pairs) - 1 or not together:
                for h in units:
                    V[h] -= rate * dV[h]
                    b[h] -= rate * db[h]
                    W[0][h] -= rate * dW[0][h]
                    W[1][h] -= rate * dW[1][h]
                c -= rate * dc
            step = {"x": x, "y": y, "act1": s, "lay1": a, "act2": z, "lay2": o, "E": e}
            step.update(delta_l2=d, delta_l1=g, b2=c, w2=list(V), b1=list(b))
            told.append({**step, "w1": [list(row) for row in W]})
        curve.append(loss / len(pairs))
    answers = []
    for x, _ in pairs:
        z = c
        for h in units:
            z += V[h] * logistic(b[h] + W[0][h] * x[0] + W[1][h] * x[1])
        answers.append(logistic(z))
    final = {"w1": W, "w2": V, "b1": b, "b2": c}
    return {"steps": told, "error": curve, "final": final, "outputs": answers}


def port_rnn(start, pairs, rate, epochs, through_time):
    """The recurrent nets in a stranger's words."""
    W, V, U = list(start["w1"]), list(start["w2"]), [list(row) for row in start["wh"]]
    b, c, q = list(start["b1"]), start["b2"], list(start["bh"])
    units, told, curve = list(range(len(V))), [], []

    def forward(x):
        memory, S, Z, P = [[0.0] * len(V)], [], [], []
        for v in x:
            s = []
            for h in units:
                total = W[h] * v + b[h] + q[h]
                for i in units:
                    total += U[i][h] * memory[-1][i]
                s.append(total)
            memory.append([logistic(total) for total in s])
            z = c
            for h in units:
                z += V[h] * memory[-1][h]
            S.append(s)
            Z.append(z)
            P.append(logistic(z))
        return memory, S, Z, P

    for _ in range(epochs):
        loss, count = 0.0, 0
        for x, y in pairs:
            memory, S, Z, P = forward(x)
            dW, dV, db, dc = [0.0] * len(V), [0.0] * len(V), [0.0] * len(V), 0.0
            dU, dq = [[0.0] * len(V) for _ in units], [0.0] * len(V)
            E = [0.5 * (p - t) * (p - t) for p, t in zip(P, y)]
            D, G = [0.0] * len(x), [0.0] * len(x)
            loss, count = loss + sum(E), count + len(x)
            back = [0.0] * len(V)
            for k in range(len(x) - 1, -1, -1):
                d, a, old = (P[k] - y[k]) * P[k] * (1 - P[k]), memory[k + 1], memory[k]
                g = [(V[h] * d + back[h]) * a[h] * (1 - a[h]) for h in units]
                for h in units:
                    dV[h] += d * a[h]
                    dW[h] += g[h] * x[k]
                    db[h] += g[h]
                    dq[h] += g[h]
                    for i in units:
                        dU[i][h] += g[h] * old[i]
                dc += d
                if through_time:
                    back = [0.0] * len(V)
                    for i in units:
                        for h in units:
                            back[i] += U[i][h] * g[h]
                D[k], G[k] = d, g
            for h in units:
                V[h] -= rate * dV[h]
                W[h] -= rate * dW[h]
                b[h] -= rate * db[h]
                q[h] -= rate * dq[h]
                for i in units:
                    U[i][h] -= rate * dU[i][h]
            c -= rate * dc
            step = {"x": x, "y": y, "act1": S, "lay1": memory[1:], "act2": Z, "lay2": P}
            step.update(E=E, delta_l2=D, delta_l1=G, corr_w1=dW, corr_w2=dV, corr_b1=db)
            step.update(corr_b2=dc, corr_wh=dU, corr_bh=dq, w1=list(W), w2=list(V))
            step.update(b1=list(b), b2=c, wh=[list(row) for row in U], bh=list(q))
            told.append(step)
        curve.append(loss / count)
    outputs = [forward(x)[3] for x, y in pairs]
    final = {"w1": W, "w2": V, "b1": b, "b2": c, "wh": U, "bh": q}
    return {"steps": told, "error": curve, "final": final, "outputs": outputs}


def port(told, xor=port_xor, rnn=port_rnn):
    """A candidate for check: what a port makes of what a training is told."""
    told = {"eta": 0.1, "epochs": 2, "seed": 1, **told}
    start = refnet.trace(told["net"], told.pop("seed"), 1, hidden=told.get("hidden"))
    start = told.setdefault("initial", start["initial"])
    kind, _, usual = refnet.TRAININGS[told["net"]]
    run = xor if kind is refnet.XorNet else rnn
    how = (told["eta"], told["epochs"], told["net"] in ("xor-batch", "rnn-bptt"))
    return {**told, **run(start, told.get("examples", usual), *how)}


def broken(*replacements, names=(), of=(port_xor, port_rnn)):
    """The port with lines of its source replaced, as port takes it: a bug."""
    space, found = {**globals(), **dict(names)}, 0
    for function in of:
        source = inspect.getsource(function)
        for old, new in replacements:
            found += source.count(old)
            source = source.replace(old, new)
        exec(compile(source, "a port", "exec"), space)
    assert found >= len(replacements), "a replacement was not found"
    return {"xor": space["port_xor"], "rnn": space["port_rnn"]}


SWAPPED = {"Add": ast.Sub, "Sub": ast.Add, "Mult": ast.Div, "Div": ast.Mult}
SWAPPED.update(Lt=ast.LtE, Gt=ast.GtE, Eq=ast.NotEq, And=ast.Or, Or=ast.And)


def breaks(function):
    """Every small break of a function: where and what it is, and the broken one."""
    tree = ast.parse(inspect.getsource(function))
    body = [node for node in ast.walk(tree) if hasattr(node, "lineno")]
    names = sorted({n.id for n in body if isinstance(n, ast.Name)} - {"len", "range"})

    def changes(node):
        """Functions that break a node of that kind, each in one way."""
        if isinstance(node, (ast.BinOp, ast.AugAssign, ast.BoolOp)):
            swapped = SWAPPED[type(node.op).__name__]
            yield "operator", lambda n: setattr(n, "op", swapped())
        if isinstance(node, ast.Compare):
            swapped = SWAPPED[type(node.ops[0]).__name__]
            yield "operator", lambda n: setattr(n, "ops", [swapped()])
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            yield "constant", lambda n: setattr(n, "value", n.value + 1)
        if isinstance(node, ast.AugAssign):
            yield "= for +=", lambda n: become(n, ast.Assign([n.target], n.value))
        if isinstance(node, (ast.Assign, ast.AugAssign)):
            yield "left out", lambda n: become(n, ast.Pass())
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Subscript):
            yield "transposed", transpose
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            for step in (-1, 1) if node.id in names else ():
                other = names[(names.index(node.id) + step) % len(names)]
                yield f"{node.id} {other}", lambda n, o=other: setattr(n, "id", o)

    def become(node, other):
        node.__class__ = other.__class__
        node.__dict__.update(other.__dict__, lineno=node.lineno)

    def transpose(node):
        node.slice, node.value.slice = node.value.slice, node.slice

    for n, node in enumerate(body):
        for what, change in changes(node):
            mutant = copy.deepcopy(tree)
            change([each for each in ast.walk(mutant) if hasattr(each, "lineno")][n])
            space = dict(globals())
            exec(compile(ast.fix_missing_locations(mutant), "broken", "exec"), space)
            yield f"line {node.lineno}: {what}", space[function.__name__]


# ----------------------------------------------------------------- Small tools


def flat(value):
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, dict):
        value = [value[name] for name in refnet.ORDER if name in value]
    if isinstance(value, (list, tuple)):
        return [number for part in value for number in flat(part)]
    return [value]


def close(got, want, rtol=1e-9, atol=1e-12):
    """Whether all numbers of got are within the tolerance of those of want."""
    pairs = itertools.zip_longest(flat(got), flat(want), fillvalue=math.nan)
    return all(abs(g - w) <= atol + rtol * abs(w) for g, w in pairs)


def mapped(value, function):
    if isinstance(value, dict):
        return {key: mapped(part, function) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [mapped(part, function) for part in value]
    return function(value)


def initial(net, seed=1, hidden=3):
    kind = refnet.TRAININGS[net][0]
    return refnet.initial_parameters(kind, refnet.random_stream(seed), hidden)


def trained(net, start, epochs, make=float, examples=None):
    """The error curve and the final parameters of a training on make's numbers."""
    kind, training, usual = refnet.TRAININGS[net]
    trainee, examples = kind(**mapped(start, make)), mapped(examples or usual, make)
    learning = training(trainee, examples, make(0.1))
    steps = ([next(learning) for _ in examples] for _ in range(epochs))
    return list(map(refnet.mean_error, steps)), vars(trainee)


def program(*words, by=(sys.executable, HERE / "refnet.py"), cwd=HERE, stdin=None):
    how = {"capture_output": True, "text": True, "timeout": 600, "cwd": cwd}
    return subprocess.run([*map(str, by), *map(str, words)], input=stdin, **how)


def readme(start):
    blocks = re.findall(r"^```\w*\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    (found,) = [text for text in blocks if text.startswith(start)]
    return found


# ------------------------------------------ The notebook and the mathematics

SOME = [(0, 3, 1100), (5, 1, 30), (LAST_SEED, 8, 30)]
SOME += [pytest.param(seed, 3, 10000, marks=slow) for seed in (0, 1, 7, LAST_SEED)]


@needs_numpy
@pytest.mark.parametrize("seed, hidden, epochs", SOME)
def test_the_run_is_the_notebooks(seed, hidden, epochs):
    drawn = list(itertools.islice(refnet.random_stream(seed), 2000))
    assert drawn == np.random.RandomState(seed).random_sample(2000).tolist()
    net = refnet.XorNet(**initial("xor-sgd", seed, hidden))
    stream = np.random.RandomState(seed)
    step, start = numpy_worked_step(numpy_start("xor", stream, hidden))
    ours = refnet.worked_step(net, refnet.XOR[0])
    assert set(ours) == set(step) and close([ours, vars(net)], [step, start])
    ours = refnet.worked_step(net, ((2.0, 3.0), 1.0), 0.5)  # at (0, 0) corr_w1 is 0
    assert ours["corr_w1"] == [[x * d for d in ours["delta_l1"]] for x in (2, 3)]
    assert (ours["corr_b1"], ours["corr_b2"]) == (ours["delta_l1"], ours["delta_l2"])
    xor, rnn = [numpy_start(net, stream, hidden) for net in ("xor", "rnn")]
    lines = numpy_xor(start, False, epochs=epochs)["lines"]
    lines += numpy_xor(xor, True, epochs=epochs)["lines"]
    lines += numpy_rnn(rnn, False, epochs=epochs)["lines"]
    result = program("run", "--seed", seed, "--hidden", hidden, "--epochs", epochs)
    assert (result.returncode, result.stderr) == (0, "")
    assert [line for line in result.stdout.split("\n") if "< ---" in line] == lines


@needs_numpy
@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("epochs", [100, pytest.param(10000, marks=slow)])
@pytest.mark.parametrize("seed, hidden", [(1, 3), (2, 1), (LAST_SEED, 8)])
def test_all_agrees_with_numpy_and_bit_for_bit_if_held(net, seed, hidden, epochs):
    ours = refnet.trace(net, seed, epochs, hidden=hidden, steps=8)
    for how, same in ((np, close), (Held, lambda a, b: flat(a) == flat(b))):
        other = numpy_trace(net, seed, hidden, steps=8, epochs=epochs, arithmetic=how)
        assert [*map(set, ours["steps"])] == [*map(set, other["steps"])]
        assert all(same(ours[p], other[p]) for p in ("initial", *refnet.PARTS))


@pytest.mark.parametrize("net", NETS)
def test_only_descend_moves_a_net_a_batch_by_the_sum_at_its_end(net):
    kind, training, examples = refnet.TRAININGS[net]
    start, count = initial(net), 4 if net == "xor-batch" else 1
    before, own = copy.deepcopy(start), kind(**start)
    assert own.backprop(examples[1]) and vars(own) == before
    learning = training(own, examples, 0.5)
    steps, stays = zip(*[(next(learning), vars(own) == before) for _ in range(count)])
    assert stays == (True,) * (count - 1) + (False,)
    for name in start:
        rows = zip(flat(start[name]), *[flat(step["corr_" + name]) for step in steps])
        moved = [w - 0.5 * sum(corrections) for w, *corrections in rows]
        assert close(getattr(own, name), moved, 1e-15, 1e-17)
    assert start == before, "a net copies what it is given"


@pytest.mark.parametrize("kind", [refnet.RecurrentNet, refnet.ThroughTimeNet])
def test_without_a_past_the_recurrent_net_is_the_xor_net(kind):
    none, past = [0.0] * 3, [[0.0] * 3] * 3
    rnn = kind(**{**initial("rnn"), "wh": past, "bh": none})
    xor = refnet.XorNet([rnn.w1, rnn.b1], rnn.w2, rnn.b1, rnn.b2)
    for x, y in ((0.5, 0.25), (-2.0, 0.75), (1.0, 1.0)):
        one, other = rnn.backprop(([x], [y])), xor.backprop(((x, 0.0), y))
        for name in other:
            assert flat(one[name]) == flat(other[name])[: len(flat(one[name]))], name
        assert (one["corr_wh"], one["corr_bh"]) == (past, other["corr_b1"])
        rnn.descend({**one, "corr_bh": none}, 0.5)
        xor.descend(other, 0.5)
        assert vars(rnn) == {**vars(xor), "w1": xor.w1[0], "wh": past, "bh": none}


def assert_gradient(kind, start, example, error=None):
    """The corrections are the derivatives of error(parameters): Im error(w + ih) / h."""
    step = kind(**start).backprop(example)
    error = error or (lambda p: sum(flat(kind(**p).backprop(example)["E"])))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(refnet, "exp", cmath.exp)
        for name in start:
            true = []
            for n in range(len(flat(start[name]))):
                turn = itertools.count()
                point = mapped(start[name], lambda w: w + 1e-30j * (next(turn) == n))
                true.append(error({**start, name: point}).imag / 1e-30)
            assert close(step["corr_" + name], true, 1e-12, 1e-16), name


@pytest.mark.parametrize("size", range(1, 9))
def test_the_corrections_are_the_derivatives_they_claim_to_be(size):
    """The recurrent net's are those in which the states before are constants."""
    some, rnn, start = random.Random(size), refnet.RecurrentNet, initial("rnn", size)
    for example in (*refnet.XOR, ((0.5, -1.5), 0.25)):
        assert_gradient(refnet.XorNet, initial("xor-sgd", size, size), example)

    def held(p):
        total, states = 0, [[0.0] * 3, *rnn(**start).backprop((x, y))["lay1"]]
        for k in range(size):
            b1 = p["b1"][:]
            for i, j in itertools.product(range(3), range(3)):
                b1[j] += states[k][i].real * p["wh"][i][j]
            total += rnn(**{**p, "b1": b1}).backprop(([x[k]], [y[k]]))["E"][0]
        return total

    for _ in range(3):
        x, y = [[some.uniform(-2, 2) for _ in range(size)] for _ in range(2)]
        assert_gradient(rnn, start, (x, y), held)
        assert_gradient(refnet.ThroughTimeNet, start, (x, y))


def closed(base, rounded):
    class Kind(base):  # floats beside it or not, every result is rounded, too
        def __new__(cls, value):
            return base.__new__(cls, rounded(value))

    for each in ("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "neg"):  # fmt: skip
        do = getattr(base, f"__{each}__")
        setattr(Kind, f"__{each}__", lambda *n, do=do: Kind(do(*map(base, n))))
    return Kind


Exact = closed(Decimal, Decimal)
Single = closed(float, lambda value: struct.unpack("f", struct.pack("f", value))[0])
LONG = [*itertools.product(NETS, (1, 2, 3)), ("rnn-bptt", 55)]  # the farthest of 240
EXACT = [(net, 1, 60) for net in NETS]
EXACT += [pytest.param(*each, 10000, marks=slow) for each in LONG]


@pytest.mark.parametrize("net, seed, epochs", EXACT)
def test_within_the_bound_of_exact_arithmetic(monkeypatch, net, seed, epochs):
    got = flat(trained(net, initial(net, seed), epochs))
    with localcontext() as context, monkeypatch.context() as patch:
        context.prec = 40
        patch.setattr(refnet, "exp", lambda a: Exact(Decimal.exp(a)))
        want = flat(trained(net, initial(net, seed), epochs, Exact))
    assert len(got) == len(want) == epochs + (13 if net.startswith("xor") else 22)
    assert all(len(str(number)) > 30 for number in want), "this was not exact"
    worst = max(abs(Decimal(g) - w) for g, w in zip(got, want))
    assert worst < (Decimal("2e-12") if seed == 55 else Decimal("1e-12"))


# ---------------------------------- It stands on its own, and replays the notebook


def test_no_sum_of_floats_no_power_and_no_import_that_may_be_missing():
    tree, found = ast.parse(SOURCE), {True: set(), False: set()}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found[node in tree.body].add(getattr(node, "module", node.names[0].name))
        if isinstance(node, ast.Call):
            assert ast.unparse(node.func) not in ("sum", "pow", "fsum", "math.fsum")
        if isinstance(getattr(node, "op", None), ast.Pow):
            assert ast.unparse(node) in ("2.0 ** (-52)", "2.0 ** -52", "2 ** 24")
    assert found[True] == {"array", "collections", "math"}
    assert found[False] == {"argparse", "json", "os", "re", "signal", "sys"}


def test_one_file_in_an_empty_directory_is_enough(tmp_path, replayed):
    shutil.copy(HERE / "refnet.py", tmp_path)
    result = program("-I", "-S", "refnet.py", by=[sys.executable], cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == replayed and os.listdir(tmp_path) == ["refnet.py"]
    docstrings = doctest.testmod(refnet)
    assert docstrings.failed == 0 and docstrings.attempted >= 15


# Who it is, a digest of its exp, four trainings' ends, a check, and a wrong option.
PROBE = """
import sys
from math import exp, frexp
import refnet
def bits(value):
    mantissa, exponent = frexp(value)
    return int(mantissa * 9007199254740992), exponent
print(sys.implementation.name, sys.version.split("\\n")[0].split(" [")[0])
digest = 0
for n in range(200000):
    digest = (digest * 31 + bits(exp((n - 100000) / 7001))[0]) % 1000000007
print(digest)
ends = [refnet.trace(net, seed=1, steps=0)["final"] for net in sorted(refnet.TRAININGS)]
rows = [refnet.flat(name, end[name])[1] for end in ends for name in sorted(end)]
print([bits(number) for row in rows for _, number in row])
trace = refnet.trace("rnn-bptt", epochs=2, examples=[[[0.5, 2.0], [0.25, 0.75]]])
first = trace["steps"][1]["lay1"][1][2]
assert refnet.check(trace, 0, 0) == [] and "PASS" in str(refnet.check(trace, 0, 0))
trace["steps"][1]["lay1"][1][2] = 0.5
assert [(d.epoch, d.time_step, d.want) for d in refnet.check(trace)] == [(1, 1, first)]
try:
    print("status", refnet.main(["--seed", "x"]))
except SystemExit as end:
    print("status", end.args[0])
"""
FOUND = [f"python3.{minor}" for minor in range(9, 17)] + ["pypy3", "micropython"]
NAMED = [each for each in os.environ.get("REFNET_INTERPRETERS", "").split(";") if each]


@slow
@pytest.mark.parametrize("command", [*FOUND, *NAMED])
def test_the_same_numbers_on(command, tmp_path, capsys):
    trial = program(by=["sh", "-c", command + " -c 'print(6 * 7)'"]).stdout.strip()
    if command not in NAMED and trial != "42":
        pytest.skip(f"{command} is not found")
    (tmp_path / "refnet.py").write_text(SOURCE)
    (tmp_path / "probe.py").write_text(PROBE)
    found = []
    for words in ([sys.executable], shlex.split(command)):
        replay = program("refnet.py", by=words, cwd=tmp_path)
        probe = program("probe.py", by=words, cwd=tmp_path)
        assert replay.returncode == probe.returncode == 0, replay.stderr + probe.stderr
        who, digest, ends, status = probe.stdout.splitlines()
        assert status == "status 2" and "Traceback" not in probe.stderr
        assert re.search("argument --seed|: can't import|no module", probe.stderr)
        numbers = [math.ldexp(whole, n - 53) for whole, n in ast.literal_eval(ends)]
        found.append((replay.stdout, digest, numbers))
    (want_replay, want_digest, want), (replay, digest, got) = found
    far = max(abs(g - w) for g, w in zip(got, want))
    exp, bound = ("the same", 0) if digest == want_digest else ("another", 1e-12)
    assert replay == want_replay and len(got) == len(want) == 70 and far <= bound
    with capsys.disabled():
        print(f"\n{who}: {exp} exp, within {far:.1e} ", end="")


def test_floats_that_are_too_narrow_are_no_oracle(monkeypatch, capsys):
    assert refnet.DOUBLES and re.search(
        r"\nDOUBLES = 1 \+ 2.0 ?\*\*.*52\)? > 1", SOURCE
    )
    assert not Single(1) + Single(2.0**-52) > 1
    monkeypatch.setattr(refnet, "DOUBLES", False)
    refnet.run(epochs=1, hidden=1)
    out = capsys.readouterr().out
    assert "\n1 hidden unit, eta 0.1, 1 epoch, seed 1\nWARNING: floats narrower" in out
    with pytest.raises(RuntimeError, match="narrower than a double"):
        refnet.check({"net": "rnn", "seed": 1, "epochs": 1, "error": [0.1]})
    assert refnet.main(["trace", "rnn"]) == 2
    assert "narrower than a double" in capsys.readouterr().err


def test_without_numpy_the_comparisons_are_skipped_by_name():
    script = "import sys, pytest; sys.modules['numpy'] = None; sys.exit(pytest.main())"
    words = "-k", "arrays_are_taken or no_sum_of_floats", "-p", "no:cacheprovider"
    result = program(HERE / "test_refnet.py", *words, by=[sys.executable, "-c", script])
    assert re.search("(?s)NumPy is not installed.*1 passed, 1 skipped", result.stdout)


@pytest.fixture(scope="module")
def replayed():
    return program("run", "--seed", 1).stdout


def test_the_replay_shows_the_worked_step_and_what_was_learned(replayed):
    lines, net = replayed.split("\n"), refnet.XorNet(**initial("xor-sgd"))
    assert lines[0] == "Neural networks handcrafted" and replayed.isascii()
    assert lines[1] == "3 hidden units, eta 0.1, 10000 epochs, seed 1"
    assert max(map(len, lines)) <= 80 and replayed.count(" < --- ") == 60
    assert "wrong sign, derivative at act, w2 used after its update" in replayed
    step = refnet.worked_step(net, refnet.XOR[0])
    rows = {**step, **{"new " + name: value for name, value in vars(net).items()}}
    want = [[row, *[f"{n + 0:.6f}" for n in flat(rows[row])]] for row in [*rows][2:]]
    shown = lines[6 : lines.index("", 6)]
    assert [[line[:10].strip(), *line[10:].split()] for line in shown] == want
    errors = re.findall(r"Final error ([0-9.]+), the last epoch's mean, as", replayed)
    assert errors == ["0.00215", "0.00195", "0.06645"] and "FAILED" not in replayed
    assert replayed.count("1/16") == 1 and "README.md" in replayed
    learned = re.findall("(.*): +learned", replayed)
    assert learned == ["XOR, stochastic", "XOR, batch", "Recurrent net"]


def test_the_closing_table_is_what_the_net_answers_and_says_what_is_not_learned():
    text = program("--seed", 8, "--hidden", 2, "--epochs", 1200, "--eta", 2.5).stdout
    net = refnet.XorNet(**initial("xor-sgd", 8, 2))
    refnet.worked_step(net, refnet.XOR[0], 2.5)
    trace = refnet.trace("xor-sgd", None, 1200, 2.5, initial=vars(net))
    first = text[: text.index(f"Final error {trace['error'][-1]:.5f}")]
    for (x, y), output in zip(refnet.XOR, trace["outputs"]):
        row = rf"\n{x[0]:.0f} {x[1]:.0f} +{y:.0f} +{output:.3f} +"
        assert re.search(row + ("right" if abs(output - y) < 0.5 else "WRONG"), first)
    assert (first.count("right"), first.count("WRONG")) == (3, 1)
    assert "\nFAILED: 1 of 4 answers are wrong; this start did not learn" in text
    assert "\nXOR, stochastic: FAILED, 1 wrong\n" in text
    outputs = [refnet.sigmoid(act) for act in (-1e6, 1e6, -math.inf, math.inf)]
    assert outputs == [0, 1, 0, 1] and math.isnan(refnet.sigmoid(math.nan))
    result = program("run", "--eta", "1e308", "--epochs", 20)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.split("Summary")[1].count("FAILED") == 3


@pytest.mark.parametrize("length", [1, 2, 63, 64, 65, 10000])
def test_the_plot_shows_the_curve_between_labelled_axes(length):
    lines = refnet.plot([0.25 * (length - n) / length for n in range(length)])
    assert [lines[n][:10] for n in (0, 1, -3)] == ["error", " 0.25000 |", " 0.00000 |"]
    assert lines[-1].split() == ["epoch", "0", str(length // 2), str(length)]
    columns = list(itertools.zip_longest(*(line[10:] for line in lines[1:-2])))
    tops = [column.index("*") for column in columns]
    assert len(columns) == 64 and tops == sorted(tops) and tops[0] == 0
    assert length < 64 or tops[-1] == 12
    empty = refnet.plot([math.nan, math.inf])
    assert len(empty) == len(lines) and "*" not in "".join(empty)
    assert "".join(refnet.plot([0.1, math.nan])).count("*") == 32


# ------------------------------------------------------------------- The door

GOOD = {"w1": [[1, 2, 3], [4, 5, 6]], "w2": [1, 2, 3], "b1": [7, 8, 9], "b2": 0.5}
GOOD_RNN = {**GOOD, "w1": [1, 2, 3], "wh": [[1, 2, 3]] * 3, "bh": [1, 2, 3]}
# Whose, where, what was expected there; and, by what is said to have come, the value.
REFUSED = [
    ("xor", "initial.w1", "2 x 3 numbers", {"3 x 2 numbers": [[1, 4], [2, 5], [3, 6]]}),
    ("xor", "initial.w1", "2 x 3 numbers", {"3 numbers and 2 numbers": [[1, 2, 3], [4, 5]]}),
    ("xor", "initial", "only w1, w2, b1, b2", {"'b3'": {"b3": 1}}),
    ("rnn", "initial.wh", "3 x 3 numbers", {"2 x 3 numbers": [[1, 2, 3]] * 2}),
    ("", "initial.b1", "3 numbers", {"2 numbers": [1, 2], "one number": 0.35}),
    ("", "initial.b2", "one number", {"2 numbers": [0, 0]}), ("", "examples", "a list", {"7": 7}),
    ("", "initial.b2", "a finite number", {"nan": math.nan, "inf": math.inf}),
    ("", "initial.w2", "a number", {"'123'": "123", "None": None, "{1: 2}": {1: 2}, "1j": 1j}),
    ("", "initial.w2[1]", "a number", {"'2'": [1, "2", 3], "True": [1, True, 3]}),
    ("", "initial.w2", "3 numbers", {"0 numbers": []}), ("", "examples", "at least one pair (x, y)", {"[]": []}),
    ("", "examples[0]", "a number", {"'ab'": ["ab"]}), ("", "seed", "a number", {"True": True}),
    ("", "examples[0][0][1]", "a number", {"None": [[[0, None], [0, 1]]], "'0'": [((0, "0"), 0)]}),
    ("xor", "examples[0]", "2 numbers and one number", {"3 numbers and one number": [((0, 0, 1), 0)]}),
    ("xor", "examples[1]", "2 numbers and one number", {"2 numbers": [((0, 0), 0), (0, 0)]}),
    ("xor", "examples[0][1]", "a finite number", {"nan": [((0, 0), math.nan)]}),
    ("rnn", "examples[0]", "2 x 2 numbers", {"2 numbers and one number": [[[0, 1], [1]]]}),
    ("rnn", "examples[0]", "2 numbers", {"2 x 0 numbers": [[[], []]]}),
    ("", "eta", "a number above 0", {"0": 0, "-0.1": -0.1, "nan": math.nan, "inf": math.inf}),
    ("", "eta", "a number", {"'0.1'": "0.1"}), ("", "every", "a whole number from 1 to 1000000", {"0": 0}),
    ("", "seed", "a whole number from 0 to 4294967295", {"-1": -1, "4294967296": 2**32, "1.5": 1.5}),
    ("", "hidden", "a whole number from 1 to 1000", {"0": 0, "1001": 1001}),
    ("", "epochs", "a whole number from 1 to 1000000", {"0": 0, "inf": math.inf}),
    ("", "net", "one of rnn, rnn-bptt, xor-batch, xor-sgd", {"'xor'": "xor", "['rnn']": ["rnn"]}),
]  # fmt: skip


@pytest.mark.parametrize("whose, where, expected, cases", REFUSED)
def test_what_does_not_fit_is_refused_by_its_place(whose, where, expected, cases):
    name, part = re.match(r"(\w+)\.?(\w*)", where).groups()
    for net, (got, value) in itertools.product(NETS, cases.items()):
        good = {**(GOOD if net[0] == "x" else GOOD_RNN), part: value}
        told = {"net": net, "epochs": 1}
        told.update({"initial": good} if part else {name: value})
        mine = {"seed": None if part else 1, **told, "error": [1]}
        calls = [lambda: refnet.trace(**told), lambda: refnet.check(mine)]
        if name in ("seed", "epochs", "eta", "hidden"):
            calls += [lambda: refnet.run(**{name: value})]
        for call in calls if net.startswith(whose) else []:
            with pytest.raises(ValueError) as caught:
                call()
            assert str(caught.value) == f"{where}: expected {expected}, got {got}"


def test_any_shape_that_holds_the_numbers_is_taken_and_nothing_is_changed():
    given = {"w1": ((1, 2, 3), [4, 5, 6]), "w2": [[1], [2], [3]], "b1": [[7, 8, 9]], "b2": [[0.5]]}  # fmt: skip
    before = copy.deepcopy(given)
    trace = refnet.trace("xor-sgd", epochs=3, initial=given)
    assert trace["initial"] == GOOD and given == before
    assert "seed" not in trace and trace["hidden"] == 3
    assert {type(number) for number in flat(trace["initial"])} == {float}
    one = refnet.trace("rnn", epochs=1, hidden=1, examples=[[0.5, 1], [[[0]], [[1]]]])
    assert one["examples"] == [[[0.5], [1.0]], [[0.0], [1.0]]]
    with pytest.raises(ValueError, match=r"steps: expected a whole .* 0 to 4, got 5"):
        refnet.trace(epochs=1, steps=5)
    with pytest.raises(ValueError, match="only initial, examples, every, got 'eva"):
        refnet.trace(eva=1)


@needs_numpy
def test_arrays_are_taken_as_they_are():
    start, pairs = numpy_start("rnn", 5), np.array(refnet.SEQUENCES, dtype=np.float32)
    start["w1"] = start["w1"].astype(np.float32)  # is converted, not computed with
    before = copy.deepcopy(start)
    trace = refnet.trace("rnn", None, 9, np.float32(0.5), examples=pairs, initial=start)
    assert all((start[name] == before[name]).all() for name in start)
    wide = mapped(start, np.ndarray.tolist)
    assert trace == refnet.trace("rnn", None, 9, 0.5, initial=wide)
    json.dumps([trace, refnet.trace("rnn", seed=np.int64(3), epochs=np.int32(1))])
    with pytest.raises(ValueError, match=r"b1\[0\]\[0\]: expected a number, got False"):
        refnet.trace("rnn", initial={**start, "b1": np.zeros((1, 3), dtype=bool)})


# ------------------------------------------------------------- The command line

# fmt: off
ONE, WHOLE = "trace and check take one NET_OR_FILE, run takes none", "expected a whole number from 0 to"
BAD = {
    "run --seed -1": f"refnet: seed: {WHOLE} 4294967295", "trace rnn --steps -1": f"refnet: steps: {WHOLE} 40000",
    "run --eta nan": "eta: expected a number above 0, got nan", "--seed 1.5": "--seed: invalid int value: '1.5'",
    "run --rtol 0.1": "unexpected keyword argument 'rtol'", "rum": "invalid choice: 'rum'",
    "run rnn": ONE, "trace": ONE, "check .": "refnet: .*(Is a directory|Permission denied)",
    "trace xor": "expected one of rnn, rnn-bptt, xor-batch, xor-sgd or a file, got 'xor'",
    "check no.json": "refnet: .*No such file .*: 'no.json'", "trace README.md": "refnet: README.md: expected JSON; Exp",
}
# fmt: on


@pytest.mark.parametrize("words", BAD)
def test_a_bad_command_line_is_status_2_and_no_traceback(words):
    result = program(*words.split())
    assert (result.returncode, result.stdout) == (2, "")
    assert re.search(BAD[words], result.stderr) and "Traceback" not in result.stderr
    assert result.stderr.startswith("usage: ") or result.stderr.count("\n") == 1


def test_help_names_the_command_as_it_was_typed_and_every_default():
    text, python = program("--help").stdout, os.path.basename(sys.executable)
    assert text.startswith(f"usage: {python} {HERE / 'refnet.py'} [-h]")
    told = "seed S 1, epochs N 10000, eta X 0.1, hidden H 3, rtol R 1e-09, atol A 1e-12"
    for words in (*told.split(", "), "steps K two epochs of them"):
        name, letter, default = words.split(maxsplit=2)
        assert re.search(rf"\n  --{name} {letter} .*\(default: {default}\)\n", text)
    assert all(word in text for word in ("run", "trace", "check", "NET_OR_FILE", *NETS))
    assert program("--version").stdout == f"refnet {refnet.__version__}\n"


@pytest.mark.skipif(os.name == "nt", reason="pipes and signals are POSIX's")
@pytest.mark.parametrize("words", ["trace rnn --epochs 5000", "run --epochs 900000"])
def test_a_reader_that_leaves_and_control_c_end_it_quietly(words):
    # Whoever runs the tests in the background has SIGINT ignored.
    heed = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    command = [sys.executable, "-u", str(HERE / "refnet.py"), *words.split()]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **heed, **pipes) as process:
        process.stdout.readline()
        if "run" in words:
            process.send_signal(signal.SIGINT)
        else:
            process.stdout.close()  # as `| head -n 1` does
        assert process.stderr.read() == b""
    assert process.returncode == (130 if "run" in words else -signal.SIGPIPE)


# ------------------------------------------------------------------------ trace


@pytest.mark.parametrize("net", NETS)
def test_a_trace_tells_it_all_in_the_order_of_computation(net):
    trace = refnet.trace(net, epochs=7, every=3)
    whole = refnet.trace(net, epochs=7, steps=28)
    head = "format net seed hidden eta epochs every examples initial"
    assert list(trace) == [*head.split(), "steps", "error", "final", "outputs"]
    assert trace["format"] == "refnet-trace/2" and len(trace["steps"]) == 8
    step = trace["steps"][5]
    names = [name for name in refnet.ORDER if name in step]
    assert list(step) == ["epoch", "example", *names] and len(names) in (17, 21)
    assert (step["epoch"], step["example"]) == (1, 1)
    assert trace["examples"] == mapped(refnet.TRAININGS[net][2], float)
    assert trace["error"] == whole["error"][::3] and len(trace["error"]) == 3
    assert whole["steps"][27]["w2"] == whole["final"]["w2"] == trace["final"]["w2"]
    again = refnet.trace(net, epochs=1, eta=1e-300, initial=whole["final"])
    assert [step["lay2"] for step in again["steps"]] == whole["outputs"]
    pairs = [[[0.5], [0.25]], [[1, 2, 3], [0.5, 0.25, 0.75]]]
    uneven = refnet.trace("rnn", epochs=1, examples=pairs)
    assert uneven["error"] == [sum(flat([s["E"] for s in uneven["steps"]])) / 4]


def test_trace_of_a_file_is_what_a_right_build_computes_from_there(tmp_path):
    file, own = tmp_path / "mine.json", {"examples": PAIRS["rnn"], "every": 2}
    told = {"net": "rnn", "hidden": 2, "eta": 0.5, "epochs": 5.0, **own}

    def traced(given, *options):
        file.write_text(json.dumps(given))
        return json.loads(program("trace", file, *options).stdout)

    given = {**told, "seed": 3, "error": [9], "notes": "left aside", "x": None}
    want = refnet.trace("rnn", 3, 5, 0.5, 2, **own)
    assert traced(given) == want
    assert json.loads(program("trace", "-", stdin=file.read_text()).stdout) == want
    short = refnet.trace("rnn", 3, 1, 0.5, 2, 1, **own)
    assert traced(given, "--epochs", 1, "--steps", 1) == short
    start = {**told, "initial": want["initial"], "eta": None}
    assert traced(start) == refnet.trace(
        "rnn", None, 5, initial=start["initial"], **own
    )
    assert traced({**start, "seed": 7})["initial"] == initial("rnn", 7, 2)


# ---------------------------------------------------- check: right builds pass

# What the README recommends, and no wrong build survives.
XORS = json.loads(readme('{"net": "xor-sgd", "seed"'))
RNNS = json.loads(readme('{"net": "rnn-bptt", "seed"'))
PAIRS = {net: (XORS if net[0] == "x" else RNNS)["examples"] for net in NETS}
ORDERED = [((0, 0), 0), ((0, 1), 1), ((1, 0), 1), ((1, 1), 0)]


WITHIN = " within rtol 1e-09, atol 1e-12"


def varied(net):
    """Told: what right builds do, from any start, on any examples."""
    some, recurrent = random.Random(net), net[0] == "r"
    for lengths in ((1,), (2, 6, 1), (3, 4, 5, 2)):
        pairs = []
        for n in lengths if recurrent else [2] * len(lengths):
            x = [some.gauss(0, 2) for _ in range(n)]
            y = [some.random() for _ in range(n)]
            pairs.append([x, y if recurrent else y[0]])
        yield {"net": net, "examples": pairs, "epochs": 7, "hidden": len(lengths)}
    yield {"net": net, "examples": PAIRS[net]}
    yield {"net": net, "epochs": 30, "eta": 2.5}
    if not recurrent:
        yield {"net": net, "examples": ORDERED, "epochs": 40}


@pytest.mark.parametrize("net", NETS)
def test_right_builds_pass(net):
    for told in varied(net):
        mine = port(told)
        report = str(refnet.check(mine)).split("\n")
        assert re.fullmatch(rf"PASS: all \d+ values{WITHIN}", report[-1]), report
        assert not refnet.check({**mine, "every": 3, "error": mine["error"][::3]})
        w2 = {**mine, "steps": [{"w2": mine["steps"][0]["w2"]}]}
        for given, lost in ((mine, refnet.PARTS[:3]), (w2, refnet.PARTS[1:])):
            report = refnet.check({k: given[k] for k in given if k not in lost})
            assert f"\nNot given: {', '.join(lost)}" in str(report) and not report
    written = json.dumps(refnet.trace(net, 2, epochs=60, examples=PAIRS[net]))
    assert not refnet.check(json.loads(written), rtol=0, atol=0), "to the last bit"


@slow
@needs_numpy
@pytest.mark.parametrize("net", NETS)
def test_numpy_passes_as_it_is(net):
    candidate = numpy_trace(net, LAST_SEED, steps=12)
    before = repr(candidate)
    assert np.shape(candidate["final"]["b1"]) == (1, 3)
    assert not refnet.check({**candidate, "seed": LAST_SEED})
    assert not refnet.check(candidate) and repr(candidate) == before


@pytest.mark.parametrize("epochs", [20, pytest.param(10000, marks=slow)])
@pytest.mark.parametrize("net", NETS)
def test_other_libraries_and_orders_of_adding_pass(net, epochs, monkeypatch):
    loop = "for h in units{}:\n                z"
    backwards = broken((loop.format(""), loop.format("[::-1]")))
    for seed in (0, 1, 20):
        some, told = random.Random(seed), {"net": net, "seed": seed, "epochs": epochs}

        def noisy(a, some=some):
            return math.exp(a) + some.choice((-1, 0, 1)) * math.ulp(math.exp(a))

        with monkeypatch.context() as patch:
            patch.setattr(refnet, "exp", noisy)
            candidate = refnet.trace(**told)
        assert candidate != refnet.trace(**told) and not refnet.check(candidate)
        assert not refnet.check(port(told, **backwards))


def test_shapes_are_compared_without_their_axes_of_length_1():
    xor = refnet.trace("xor-sgd", epochs=2)
    for step in xor["steps"]:
        step["act1"], step["E"] = [step["act1"]], [[step["E"]]]
        step["lay1"] = [[value] for value in step["lay1"]]
    xor["error"], row = [xor["error"]], xor["outputs"]
    for outputs in ([row], [[value] for value in row]):
        assert not refnet.check({**xor, "outputs": outputs})
    one = refnet.trace("rnn", epochs=2, hidden=1)
    one["final"]["wh"] = one["final"]["wh"][0][0]
    one["steps"][0]["act1"] = flat(one["steps"][0]["act1"])
    assert not refnet.check(one)


# ----------------------------------------------------- check: wrong builds fail


def cut(v):
    return 0.0 if v < -20 else 1.0 if v > 20 else logistic(v)


# fmt: off
HIDDEN = {  # on the notebook's data these give its very numbers
    "only one time step's own delta goes back": ("rnn-bptt", ("U[i][h] * g[h]", "U[i][h] * V[h] * d * a[h] * (1 - a[h])")),
    "always the last delta goes back": ("rnn-bptt", ("if through_time:", "if through_time and k == len(x) - 1:")),
    "the state of the first time step for all later ones": ("rnn",
        ("memory[-1][i]", "memory[min(1, len(memory) - 1)][i]"), ("memory[k]", "memory[min(1, k)]")),
    "corr_wh assigned": ("rnn", ("dU[i][h] += g[h] * old[i]", "dU[i][h] = g[h] * old[i] or dU[i][h]")),
    "corr_wh from the last time step only": ("rnn", ("g[h] * old[i]", "g[h] * old[i] * (k == len(x) - 1)")),
    "x*x": ("xor-sgd", ("g[h] * x[0]", "g[h] * x[0] * x[0]")), "x*x, recurrent": ("rnn", ("g[h] * x[k]", "g[h] * x[k] ** 2")),
    "the target rounded to a bit": ("xor-sgd", ("s = [b[h]", "y = round(y); s = [b[h]")),
    "a sigmoid cut off at 20": ("xor-sgd", ("logistic(", "cut(")), "recurrent": ("rnn", ("logistic(", "cut(")),
    "the error divided by 8": ("rnn", ("loss / count", "loss / 8")),
}
MISHAPS = ArithmeticError, AttributeError, LookupError, NameError, TypeError, ValueError
# fmt: on


@pytest.mark.parametrize("bug", HIDDEN)
def test_what_the_notebooks_data_cannot_show_the_recommended_examples_do(bug):
    net, *replacements = HIDDEN[bug]
    wrong = broken(*replacements)
    assert not refnet.check(port({"net": net, "epochs": 5}, **wrong))
    report = refnet.check(port({"net": net, "examples": PAIRS[net]}, **wrong))
    assert report and "All of it agrees" not in str(report)


def reports(told, function):
    """Whether a broken port passes; what cannot be judged, or not run, does not."""
    try:
        return not refnet.check(port(told, function, function))
    except MISHAPS:
        return False


@pytest.mark.parametrize("share", [20, pytest.param(1, marks=slow)])
@pytest.mark.parametrize("what", [port_xor, port_rnn])
def test_every_small_break_fails_on_the_recommended_examples(what, share, monkeypatch):
    source, survivors = inspect.getsource(what), 0
    # A copy as deep as deepcopy's, and made faster.
    monkeypatch.setattr(copy, "deepcopy", lambda tree: ast.parse(source))
    told = [{"net": n, "examples": PAIRS[n]} for n in NETS if n[0] == what.__name__[5]]
    assert len(told) == 2 and all(reports(each, what) for each in told)
    for count, (line, mutant) in enumerate(breaks(what), 1):
        for each in told if count % share == 0 else []:
            if reports(each, mutant):  # it must change no number at all, then
                survivors += 1
                assert all(reports(own, mutant) for own in varied(each["net"])), line
    assert count > 400 and survivors <= count / share / 4


# fmt: off
UPDATES = {
    "b1 is never updated": ("xor-sgd", "b[h] -= rate * db[h]", "pass", 0, "b1[0]"),
    "bh is never updated": ("rnn", "q[h] -= rate * dq[h]", "pass", 0, "bh[0]"),
    "w2 climbs": ("xor-batch", "V[h] -= rate", "V[h] += rate", 3, "w2[0]"),
    "eta is applied twice": ("xor-sgd", "b[h] -= rate *", "b[h] -= rate * rate *", 0, "b1[0]"),
}
# fmt: on


@pytest.mark.parametrize("bug", UPDATES)
def test_a_wrong_update_is_named_where_it_happens(bug):
    net, old, new, example, name = UPDATES[bug]
    first = refnet.check(port({"net": net}, **broken((old, new))))[0]
    assert refnet.place_of(first) == f"steps, epoch 0, example {example}, {name}"


# ------------------------------------------------------------ check: the report


def rows(report):
    """The report's table: what stands in the row of every quantity."""
    lines = str(report).split("\n")[2:]
    end = [line[:4] in ("PASS", "FAIL") for line in lines].index(True)
    return {line[:14].strip(): line[14:].split(maxsplit=4) for line in lines[:end]}


def changed(candidate, path, change):
    """A copy of the candidate, with a change made to what stands at the path."""
    candidate = inner = copy.deepcopy(candidate)
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = change(inner[path[-1]])
    return candidate


def scaled(candidate, **factors):
    """The candidate with its quantities multiplied, those whose names start so."""
    candidate = copy.deepcopy(candidate)
    for inner, start in itertools.product((candidate, *candidate["steps"]), factors):
        for name in [name for name in inner if name.startswith(start)]:
            inner[name] = mapped(inner[name], lambda v: v * factors[start])
    return candidate


def test_the_first_line_says_what_was_compared_each_row_a_quantity(monkeypatch):
    told = {"net": "rnn-bptt", "examples": PAIRS["rnn"]}
    mine = port(told, **broken(("back[i] +=", "back[i] -=")))
    report = refnet.check(mine)
    table = rows(report)
    words = "rnn-bptt, 3 own examples, 3 hidden units, eta 0.1, 2 epochs, own start\n"
    assert str(report).startswith(words)
    given = [f"steps {name}" for name in mine["steps"][0]]
    given += [f"final {name}" for name in mine["final"]]
    assert set(table) == {*given, "error", "outputs"}
    assert table["steps lay1"][0] == "72" and table["steps corr_wh"][0] == "54"
    wrong = [f"{d.part} {d.quantity}" for d in report]
    for title, row in table.items():
        assert row[1] == str(wrong.count(title) or wrong.count(f"{title} {title}"))
    assert table["steps act1"][4].split() == ["0", "1"] and table["error"][4] == "0"
    wrong = [(abs(d.got - d.want), abs(d.want)) for d in report if d.part == "error"]
    assert table["error"][2] == f"{max(far for far, _ in wrong):.2g}"
    assert table["error"][3] == f"{max(far / want for far, want in wrong):.2g}"
    assert all(len(line) <= 80 and line.isascii() for line in str(report).split("\n"))
    own = {"examples": [[[1], [1]]], "epochs": 1, "hidden": 1, "seed": 4}
    report = refnet.check({"net": "rnn", "error": [0], **own})
    words = "rnn, 1 own example, 1 hidden unit, eta 0.1, 1 epoch, seed 4\n"
    assert str(report).startswith(words)
    monkeypatch.setattr(refnet, "EPOCHS", 20)
    report = refnet.check({"net": "xor-sgd", "seed": 1, "error": [0]})
    words = "xor-sgd, 4 notebook examples, 3 hidden units, eta 0.1, 20 epochs, seed 1\n"
    assert str(report).startswith(words)


def test_a_constant_factor_is_told_in_its_row():
    trace = refnet.trace("xor-batch", eta=0.25, epochs=40)
    table = rows(refnet.check(scaled(trace, delta=-1, corr=-0.25, error=8, E=1 / 3)))
    factors = {"steps delta_l1": -1, "steps corr_w1": -0.25, "steps E": "0.333333"}
    for title, factor in factors.items():
        assert table[title][4].endswith(f" {factor} times refnet's")
    assert table["error"][4] == "0         8 times refnet's"
    wrong = [scaled(trace, **{name: 2}) for name in ("w2", "lay1", "final")]
    a, b, c = refnet.trace("rnn", epochs=3)["error"]
    for error in ([8 * a, 8 * b], [8 * a, 8 * b, 8.1 * c], [0, 0, 0]):
        wrong += [{"net": "rnn", "seed": 1, "epochs": len(error), "error": error}]
    assert not any("times" in str(refnet.check(mine)) for mine in wrong)


# fmt: off
PLACES = {
    ("initial", "wh", 1, 2): "initial, wh[1][2]", ("final", "b2"): "final, b2", ("error", 2): "error, epoch 4",
    ("steps", 6, "act1", 1, 2): "steps, epoch 1, example 2, time step 1, act1[2]",
    ("steps", 6, "E", 0): "steps, epoch 1, example 2, time step 0, E",
    ("steps", 19, "corr_b2"): "steps, epoch 4, example 3, corr_b2",
    ("outputs", 3, 1): "outputs, example 3, time step 1",
}
CLAIMED = {  # what is trained, what it is told to be, and the convention that explains it
    "rnn-bptt": ("rnn", "backpropagation through time"), "rnn": ("rnn-bptt", "no backpropagation through time"),
    "xor-batch": ("xor-sgd", "a batch, one update after all examples"),
    "xor-sgd": ("xor-batch", "single updates, after every example"),
}
# fmt: on


def test_places_count_from_0_and_say_where_by_name():
    trace = refnet.trace("rnn", epochs=5, every=2, steps=20)
    head = (
        " values beyond rtol 1e-09, atol 1e-12\nThe first, in the order of computation,"
    )
    lost = itertools.cycle((math.nan, math.inf, -math.inf, None))
    for path, words in PLACES.items():
        (wrong,) = report = refnet.check(changed(trace, path, lambda v: v + 0.5))
        both = f"  got   {wrong.got!r}\n  want  {wrong.want!r}\n  difference 0.5"
        assert f"{head} is in\n  {words}\n{both}" in str(report)
        assert "\nFAIL: 1 of " in str(report) and refnet.place_of(wrong) == words
        (wrong,) = report = refnet.check(changed(trace, path, lambda v: next(lost)))
        assert refnet.place_of(wrong) == words
        assert "inf" in [row[2] for row in rows(report).values()]
    xor = changed(refnet.trace("xor-sgd", epochs=1), ["outputs", 1], lambda v: 0)
    assert refnet.place_of(refnet.check(xor)[0]) == "outputs, example 1"


def test_the_first_difference_is_the_first_computed():
    forward, back = "x y act1 lay1 act2 lay2 E".split(), ["delta_l2", "delta_l1"]
    rest = "corr_w2 corr_b2 corr_w1 corr_b1 corr_wh corr_bh w1 w2 b1 b2 wh bh".split()
    order = [(k, name) for k in (0, 1) for name in forward]
    order += [(k, name) for k in (1, 0) for name in back] + [(None, n) for n in rest]
    want = [("steps", n // 4, n % 4, *each) for n in range(8) for each in order]
    want += [("error", n, None, None, "error") for n in (0, 1)]
    want += [("final", None, None, None, name) for name in rest[6:]]
    want += [("outputs", None, n, k, "outputs") for n in range(4) for k in (0, 1)]
    xor = [*forward, "delta_l2", *rest[:2], "delta_l1", *rest[2:4], *rest[6:10]]
    for net in ("rnn", "xor-sgd"):
        mine = refnet.trace(net, epochs=2)
        mine.update({p: mapped(mine[p], lambda v: v + 1) for p in refnet.PARTS})
        mine["steps"] = [{k: s[k] for k in [*s][:1:-1]} for s in mine["steps"]]
        found = [key for key, _ in itertools.groupby(d[:5] for d in refnet.check(mine))]
        assert found == want if net == "rnn" else [d[4] for d in found[:17]] == xor


def test_another_shape_is_one_difference_and_all_its_numbers_are_wrong():
    mine = refnet.trace("xor-sgd", epochs=3)
    mine["steps"][0]["corr_w1"] = [[0.5, 0.5]] * 3
    mine["error"], mine["outputs"] = mine["error"][:2], []
    report = refnet.check(mine)
    want = [("corr_w1", (3, 2), (2, 3)), ("error", (2,), (3,)), ("outputs", (0,), (4,))]
    assert [(d.quantity, d.got, d.want) for d in report] == want
    assert "0, corr_w1\n  got   3 x 2 numbers\n  want  2 x 3 numbers" in str(report)
    counts = {title: row[1] for title, row in rows(report).items() if row[1] != "0"}
    assert counts == {"steps corr_w1": "6", "error": "2", "outputs": "1"}
    assert "FAIL: 9 of " in str(report)
    mine = refnet.trace("rnn", epochs=1, examples=PAIRS["rnn"])
    step, mine["outputs"][1] = mine["steps"][0], mine["outputs"][1][:2]
    step["act1"], step["delta_l1"] = step["act1"][:2], 0.5
    found = [(d.quantity, d.got) for d in refnet.check(mine) if d.time_step is None]
    ragged = ("outputs", (3, ((3,), (2,), (4,))))
    assert found == [("act1", (2, 3)), ("delta_l1", ()), ragged]


def convention(candidate, **change):
    """The convention that check names, or None, for a candidate told otherwise."""
    report = refnet.check({**candidate, **change})
    assert report and "9 digits" not in str(report)
    found = str(report).split("All of it agrees with another convention:\n  ")[1:]
    return found[0] if found else None


@pytest.mark.parametrize("pairs", [{}, PAIRS], ids=["notebook", "recommended"])
def test_the_known_conventions_are_told_by_name(pairs):
    def trace(net, eta=0.1):
        return refnet.trace(net, 1, 50, eta, examples=pairs.get(net))

    half = "an error without the factor 1/2, and its gradient"
    for net, (claimed, words) in CLAIMED.items():
        for mine in (trace(net), scaled(trace(net), delta=-1)):
            assert convention(mine, net=claimed) == words
        twice = scaled(trace(net, 0.2), E=2, error=2, delta=2, corr=2)
        assert convention(twice, eta=0.1) == half
        assert convention(scaled(twice, delta=-1), eta=0.1) is None, "exactly 2"
        assert convention(scaled(trace(net), error=2)) is None, "the row tells it"
    mean, words = (
        trace("xor-batch", 0.025),
        "batch corrections averaged instead of summed",
    )
    for mine in (mean, scaled(mean, corr=0.25)):
        assert convention(mine, eta=0.1) == words
    for mine in (scaled(mean, w2=2), trace("rnn", 0.11)):
        assert convention(mine, eta=0.1) is None
    few = {"net": "xor-sgd", "seed": 1, "epochs": 1}
    error = refnet.trace("xor-sgd", epochs=1, eta=0.2)["error"][0]
    assert convention(few, error=[2 * error]) == half
    assert convention(few, eta=1e308, error=[0.5 + 2**-40]) is None, "it overflows"


def test_few_digits_are_said_and_excuse_nothing():
    def rounded(digits):
        return lambda v: float(f"{v:.{digits}g}") if isinstance(v, float) else v

    told = {"eta": 0.001, "epochs": 1000}
    batch = refnet.trace("xor-batch", steps=0, **told)
    for function, said in ((rounded(6), True), (Single, True), (rounded(10), False)):
        mine = {part: mapped(batch[part], function) for part in ("error", "final")}
        report = str(refnet.check({"net": "xor-sgd", "seed": 1, **told, **mine}))
        assert ("9 digits" in report) == said and "FAIL" in report
        assert not said or "All of it agrees" not in report
        assert all(len(line) <= 80 for line in report.split("\n"))
    right = mapped(refnet.trace("xor-sgd", epochs=100), rounded(9))
    assert "9 digits" not in str(refnet.check(right, rtol=1e-6))
    assert "print 17" in str(refnet.check(right))


def test_a_pass_says_what_it_did_not_see():
    zeros = refnet.zeros(refnet.XorNet, 2)
    mine = {"net": "xor-batch", "initial": zeros, "epochs": 3, "error": [0.125] * 3}
    report = str(refnet.check({**mine, "final": zeros})).split("\n")[-4:]
    assert report[:2] == ["PASS: all 12 values" + WITHIN, "Not given: steps, outputs"]
    assert report[2] == "All hidden units start alike, which hides exchanged weights."
    assert report[3] == "No parameter moved from the start to the end."

    def remarks(net="rnn", **how):
        return str(refnet.check(refnet.trace(net, epochs=2, **how))).split("PASS")[1]

    alike = mapped(refnet.zeros(refnet.RecurrentNet, 3), lambda v: 0.5)
    assert "\n" not in remarks() and "alike" in remarks(initial=alike)
    for name in ("w1", "w2", "b1", "bh"):
        assert "alike" not in remarks(initial={**alike, name: [0.5, 0.5, 0.25]})
    one = remarks("xor-sgd", hidden=1, eta=1e-20)
    assert "alike" not in one and "No parameter moved" in one


# ------------------------------------------------------- check: the format holds


def test_steps_are_known_by_their_place_and_a_start_of_its_own_is_taken():
    def check(steps):
        return refnet.check({"net": "rnn", "seed": 1, "epochs": 3, "steps": steps})

    steps = refnet.trace("rnn", epochs=3, steps=12)["steps"]
    bare, mixed = [{"lay2": step["lay2"]} for step in steps], [steps[9], steps[2]]
    assert check(steps[5:7]) == check(bare) == check(mixed) == []
    assert check(bare[1:])
    for n in (0, 1):
        mixed = changed(mixed, [n, "act2", 0], lambda v: v + 1)
    assert [d.example for d in check(mixed)] == [2, 1]
    trace = refnet.trace("xor-sgd", seed=9, hidden=5, epochs=4)
    own = {key: trace[key] for key in ("net", "initial", "epochs", "final")}
    assert not refnet.check(own) and refnet.check({**own, "final": own["initial"]})
    report = refnet.check({**own, "seed": 9})
    assert not report and "initial w1" in rows(report)
    report = refnet.check({**own, "seed": 8})
    assert refnet.place_of(report[0]) == "initial, w1[0][0]"
    own.update(seed=9, hidden=5, initial={"b2": own["initial"]["b2"]})
    assert not refnet.check(own)


# fmt: off
START = '{"net": "rnn", "seed": 1, "epochs": 2, '
RUBBISH = {
    "[]": r"candidate: expected an object with names, got \[\]", "[" * 100000: "recursion",
    '{"net": "rnn"': "expected JSON", '{"net": "\xe9"}': "expected JSON; 'utf-8' codec",
    '{"seed": 1}': "net: expected one of .* got None",
    '{"net": "rnn", "error": [1]}': "seed: expected seed or initial to start from, got neither",
    '{"net": "rnn", "initial": {"b1": [0]}, "error": [1]}': "initial: expected w1.*, got no w1",
    '{"net": "rnn", "\\ud800\\n\\u00e9": 1}': r"expected only .*, got '\\ud800\\n\\xe9'",
    '{"net": "rnn", "initial": {"w1": [1e308], "w2": [1e308], "b1": [1e308], "b2": 1e308, "wh": [1], "bh": '
    '[1e308]}, "epochs": 1, "steps": [{"E": [1, 1]}]}': "training: expected one that stays in a double's range, got",
}
RUBBISH.update({START + more + "}": words for more, words in {
    '"eror": [1, 2]': "expected only .*, got 'eror'", '"error": null': "expected some of steps, .* got nothing",
    '"initial": {"b2": 0.1}, "steps": [{"x": [0, 0]}], "final": {}': "expected some of steps",
    '"steps": [7]': r"s\[0\]: expected an object with names, got 7", '"steps": {"E": 1}': "steps: expected a list, got {'E'",
    '"steps": [{"act3": 1}]': r"s\[0\]: expected only .*, got 'act3'", '"steps": [{"E": 1, "E": 1}]': "a name stands twice in",
    '"steps": [{"wh": [[0, true]]}]': r"steps\[0\].wh\[0\]\[1\]: expected a number, got True",
    '"error": [1], "format": "refnet-trace/1"': "'refnet-trace/2'.* per time step, got 'refnet-trace/1",
    '"error": [1, 1], "eta": 1' + "0" * 9000: "eta: expected a number above 0, got inf",
    '"steps": [{"epoch": 2, "E": 1}]': r"s\[0\].epoch: .* from 0 to 1, got 2",
    '"steps": [{"example": 4, "E": 1}]': r"s\[0\].example: .* from 0 to 3",
    '"steps": [{"E": 1}, {"example": 0}]': r"s\[1\]: expected every step once",
}.items()})
STRANGE = [None, True, "1", "", [], {}, [[]], [1, [2]], -1, 0, 3, 1e308, 10**30, 1e-9]
LIKELY = [bytes([each]) for each in b'0123456789.-+eE[]{},:" ']
# fmt: on


def judged(text, file, capsys, *options):
    """Status and output of check, run in this process."""
    file.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    status = refnet.main(["check", str(file), *options])
    out, err = capsys.readouterr()
    if status == 2:
        assert out == "" and re.fullmatch(r"refnet: [ -~]*\n", err), err
    else:
        assert err == "" and ("PASS" if status == 0 else "FAIL") in out
    return status, out + err


@pytest.mark.parametrize("text", RUBBISH, ids=range(len(RUBBISH)))
def test_what_cannot_be_judged_is_one_line_and_status_2(tmp_path, capsys, text):
    status, output = judged(text.encode("latin-1"), tmp_path / "mine.json", capsys)
    assert status == 2 and re.search(RUBBISH[text], output), output


def test_numbers_of_other_languages_and_tolerances_from_0_to_1_are_taken(
    tmp_path, capsys
):
    file, error = tmp_path / "mine.json", refnet.trace("rnn", 2, 20)["error"]
    text = '{"net": "rnn", "seed": 2.0, "epochs": 2e1, "hidden": 3.0, "eta": null, '
    text += '"steps": null, "examples": null, "initial": null, "every": 1e0, "error": '
    for mark in ("", "\ufeff"):
        status, output = judged(f"{mark}{text}{error}}}", file, capsys)
        assert status == 0 and "Not given: steps, final, outputs" in output
    larger = f"{text}{[1.1 * e for e in error]}}}"
    for option, want in (("rtol=0.05", 1), ("rtol=0.2", 0), ("atol=0.2", 0)):
        assert judged(larger, file, capsys, "--" + option)[0] == want
    for nan in "NaN nan -nan nan(ind) Infinity inf -inf null 1e999".split():
        text = START + f'"error": [{nan}, 0.1], "initial": {{"b2": {nan}}}}}'
        status, output = judged(text, file, capsys)
        assert status == 1 and "\n  initial, b2\n" in output
        assert re.search(r"\nerror +2 +2 +inf +inf +0\n", output), output
    good = refnet.trace("rnn", epochs=1)
    assert not refnet.check(good, 0.9, 0) and not refnet.check(good, 0, 0.9)
    for name, bad in itertools.product(("rtol", "atol"), (-1, math.nan, 1, "x", None)):
        with pytest.raises(ValueError, match=f"{name}: expected a number"):
            refnet.check(good, **{name: bad})


def leaves(value, path=()):
    """All that nested lists and dictionaries hold in the end, by its path."""
    if not isinstance(value, (dict, list)):
        return {path: value}
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return {p: v for k, part in items for p, v in leaves(part, (*path, k)).items()}


def damaged(trace, some):
    """The text of a trace, with a part of it made strange, or some bytes spoilt."""
    if some.random() < 0.25:
        path = some.choice(list(leaves(trace)))
        path = path[: some.randint(1, len(path))]
        trace = changed(trace, path, lambda v: some.choice(STRANGE))
        return json.dumps(trace).encode()
    text = json.dumps(trace).encode()
    for _ in range(some.choice((1, 1, 1, 2, 5))):
        at, length = some.randrange(len(text)), some.choice((1, 1, 1, 4, 40))
        old, any_byte = text[at : at + length], bytes([some.randrange(256)])
        new = some.choice((b"", old + old, any_byte, some.choice(LIKELY)))
        text = text[:at] + new + text[at + length :]
    return text


@pytest.mark.parametrize("times", [40, pytest.param(750, marks=slow)])
@pytest.mark.parametrize("net", NETS)
def test_damage_is_seen_or_harmless(tmp_path, capsys, monkeypatch, net, times):
    monkeypatch.setattr(refnet, "EPOCHS", 100)  # where "epochs" is cut out
    some, statuses = random.Random(net), [0, 0, 0]
    trace = json.loads(json.dumps(refnet.trace(net, epochs=2, steps=2)))
    right = leaves(trace)
    for text in [damaged(trace, some) for _ in range(times)]:
        status, _ = judged(text, tmp_path / "mine.json", capsys)
        statuses[status] += 1
        given = leaves(json.loads(text.decode("utf-8-sig"))) if status == 0 else {}
        for path in [path for path in given if given[path] is not None]:
            assert given[path] == right[path] or close(given[path], right[path]), text
    assert times < 100 or min(statuses) > 20, statuses


# ------------------------------------------------------------------- The README

# Rows of the README's table of verdicts: the net, a fault, the quantity that is wrong
# first, in epoch 0, example 0, and one that is right there.
# fmt: off
VERDICTS = {
    "`act1` wrong from example 0 on": ("xor-sgd", "s = [b[h] + ", "s = [", "act1", "x"),
    "recurrent: `act1` wrong at time step 1": ("rnn", "U[i][h] * memory", "U[h][i] * memory", "act1", "x"),
    "`act1` right, `lay1` wrong": ("xor-sgd", "logistic(s[h])", "math.tanh(s[h])", "lay1", "act1"),
    "`lay1` right, `act2` wrong": ("xor-batch", "    z = c\n", "    z = 0.0\n", "act2", "lay1"),
    "`lay2` right, `delta_l2` wrong": ("rnn", "* P[k] * (1 - P[k])", "", "delta_l2", "lay2"),
    "`delta_l2` right, `delta_l1` wrong": ("xor-sgd", "g = [V[h] *", "g = [(V[h] - rate * d * a[h]) *", "delta_l1", "delta_l2"),
    "recurrent: `delta_l1` wrong but at the last time step": ("rnn-bptt", "if through_time:", "if False:", "delta_l1", "delta_l2"),
    "deltas right, a `corr_*` wrong": ("rnn", "g[h] * old[i]", "g[h] * a[i]", "corr_wh", "delta_l1"),
    "of a step's parameters only `b1` and `b2` wrong": ("xor-sgd", "b[h] -= rate * db[h]", "pass", "b1", "w1"),
    "deltas right, parameters of step 0 wrong": ("rnn", "V[h] -=", "V[h] +=", "w2", "corr_w2"),
}
OTHERS = [
    "example 0 right, `act1` of example 1", "`x` or `y`", "are `-1 times refnet's`",
    "only `E` or `error`", "only `outputs`", "very little, from",
]
# fmt: on


@pytest.mark.parametrize("row", VERDICTS)
def test_a_verdict_is_read_as_the_readme_says(row):
    net, old, new, wrong, right = VERDICTS[row]
    told = {"net": net, "examples": PAIRS[net]}
    report = refnet.check(port(told, **broken((old, new))))
    step = [d for d in report if d[:3] == ("steps", 0, 0)]
    assert f"\n| {row} | " in README and step[0] == report[0]
    assert step[0].quantity == wrong and right not in [d.quantity for d in step]
    assert rows(report)[f"steps {wrong}"][4].split()[:2] == ["0", "0"]
    if "time step" in row:
        times = {d.time_step for d in step if d.quantity == wrong}
        assert times == ({1, 2} if wrong == "act1" else {0, 1})
    if "only" in row:
        both = broken((old, new), ("c -= rate * dc", "pass"))
        step = [d for d in refnet.check(port(told, **both)) if d[1:3] == (0, 0)]
        assert {d.quantity for d in step} == {"b1", "b2"}


def test_the_other_verdicts_are_read_as_the_readme_says():
    reset = ("memory, S, Z, P = [[0.0] * len(V)]", "memory, S, Z, P = [LAST[0]]")
    keep = ("return memory,", "LAST[0] = memory[-1]\n        return memory,")
    stale = broken(reset, keep, names={"LAST": [[0.0] * 3]})
    (wrong, *_) = refnet.check(port({"net": "rnn"}, **stale))
    assert wrong[:5] == ("steps", 0, 1, 0, "act1")
    other = {**port({"net": "xor-sgd", "examples": ORDERED}), "examples": None}
    assert refnet.check(other)[0][:5] == ("steps", 0, 1, None, "x")
    trace = refnet.trace("xor-sgd", epochs=30)
    report = refnet.check(scaled(trace, delta=-1, corr=-1))
    assert {d.quantity[:4] for d in report} == {"delt", "corr"}
    assert str(report).count("-1 times refnet's") == 6 and "agrees" not in str(report)
    report = refnet.check(scaled(trace, error=4, E=2))
    assert {d.quantity for d in report} == {"error", "E"}
    assert "2 times refnet's" in str(report) and "4 times refnet's" in str(report)
    bits = [round(value) for value in trace["outputs"]]
    assert {d.part for d in refnet.check({**trace, "outputs": bits})} == {"outputs"}
    trace["steps"] = mapped(trace["steps"], Single)
    report = refnet.check(trace)
    assert report[0].epoch == 0 and max(abs(d.got - d.want) for d in report) < 1e-6
    assert all(words in README for words in OTHERS)


def test_the_readmes_first_screen_and_figures_are_true(replayed):
    assert len(README.split("- **With a build")[0].split("\n")) <= 25
    assert all(f"\n{line}\n" in replayed for line in readme("| 0, 0.0").splitlines())
    assert README.count("\n") <= 300 and README.isascii()


def python(*words, cwd=HERE):
    """What a program prints that ends well and complains of nothing."""
    result = program(*words, by=[sys.executable], cwd=cwd)
    assert (result.returncode, result.stderr) == (0, ""), result.stderr
    return result.stdout


@needs_numpy
def test_the_readmes_python_build_passes_and_a_wrong_one_fails():
    script = readme("import numpy as np")
    assert python("-c", script).endswith("\n" + readme("PASS"))
    assert "\n  error, epoch 1\n" in python("-c", script.replace("* lay2 * (1", "* (1"))


@pytest.mark.skipif(not shutil.which("node"), reason="node is not found")
def test_the_readmes_javascript_build_passes_and_a_wrong_one_fails(tmp_path):
    command = readme("python3 refnet.py trace rnns").replace("python3", sys.executable)
    shutil.copy(HERE / "refnet.py", tmp_path)
    (tmp_path / "rnns.json").write_text(json.dumps(RNNS))
    place = "\n  steps, epoch 0, example 0, time step 1, delta_l1[0]\n"
    for gone, words in (("none", "\nPASS: all "), ("+ later", place)):
        source = readme("// Reads what trace prints").replace(gone, "")
        (tmp_path / "rnn.js").write_text(source)
        result = program(by=["sh", "-c", command], cwd=tmp_path)
        assert result.stderr == "" and words in result.stdout, result.stdout


# ------------------------------------------------------------------ The benchmark

TITLES = {
    "xor-sgd": "XOR, stochastic",
    "xor-batch": "XOR, batch",
    "rnn": "Recurrent net",
}
EACH, ALL, WHOLE_PROCESS = 5, 6, 6  # the targets: so many times as fast as NumPy
OURS = """import refnet
def curve(net):
    kind, training, examples = refnet.TRAININGS[net]
    start = refnet.initial_parameters(kind, refnet.random_stream(1))
    learning = training(kind(**start), examples)
    return [refnet.mean_error([next(learning) for _ in examples]) for _ in range({})]
"""
THEIRS = """import numpy as np
def curve(net):
    training = numpy_rnn if net == 'rnn' else numpy_xor
    return training(numpy_start(net, 1), net == 'xor-batch', epochs={})['error'][:, 0]
"""


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


def benchmark(rounds=5, epochs=10000):
    """Time refnet and NumPy in turn, print tables and, last, a verdict."""
    print(f"refnet beside NumPy {np.__version__}, {sys.implementation.name} ", end="")
    print(f"{sys.version.split()[0]}; medians of {rounds} rounds, in turn")
    missed = []

    def row(title, pair, target=0):
        ratio = pair[0] / pair[1]
        line = f"{title:<28}{pair[0]:9.3f} s{pair[1]:9.3f} s{ratio:8.1f}x"
        print(line + (f"   (target {target}x)" if target else ""))
        missed.extend([line] if ratio < target else [])

    def both(net, epochs, hidden=3):
        """NumPy's and refnet's seconds for a training, its error curve computed."""
        return in_turn(
            rounds,
            lambda: numpy_trace(net, 1, hidden, epochs=epochs)["error"][-1],
            lambda: trained(net, initial(net, 1, hidden), epochs)[0][-1],
        )

    print(f"\n{epochs} epochs in one process       NumPy     refnet    ratio")
    pairs = [both(net, epochs) for net in TITLES]
    for title, pair in zip(TITLES.values(), pairs):
        row(title, pair, EACH)
    row("All three", [*map(sum, zip(*pairs))], ALL)

    print("\nWhole process, start-up and imports included")
    parts = map(inspect.getsource, (numpy_functions, numpy_start, numpy_xor, numpy_rnn))
    scripts = THEIRS.format(epochs) + "".join(parts), OURS.format(epochs)
    scripts = [
        f"{s}\nprint([float(curve(n)[-1]) for n in {[*TITLES]}])" for s in scripts
    ]
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(HERE / "refnet.py", folder)
        calls = [lambda s=s: json.loads(python("-c", s, cwd=folder)) for s in scripts]
        pair = in_turn(rounds, *calls)
        row("The same three trainings", pair, WHOLE_PROCESS)
        pair[1:] = in_turn(rounds, lambda: len(python("refnet.py", cwd=folder)))
        row("The replay, refnet.py", pair)

    print("\nA tenth of the epochs, with more hidden units")
    for hidden in (10, 30):
        row(f"Recurrent net, H = {hidden}", both("rnn", epochs // 10, hidden))

    print("".join(f"\nmissed: {line}" for line in missed))
    print(f"Verdict: {f'{len(missed)} targets' if missed else 'no target'} missed")


@needs_numpy
def test_the_benchmark_runs_and_ends_in_a_verdict(capsys):
    benchmark(rounds=1, epochs=50)
    text = capsys.readouterr().out
    assert text.split("\n")[-2].startswith("Verdict: ")
    assert text.isascii() and max(map(len, text.split("\n"))) <= 80
    for title in (*TITLES.values(), "All three", "The same three trainings"):
        assert re.search(rf"^{title} .*\dx", text, re.MULTILINE), title


if __name__ == "__main__":
    if np is None:
        sys.exit("test_refnet.py: the benchmark needs NumPy, which is not installed")
    benchmark()
