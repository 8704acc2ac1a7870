"""The tests of refnet; run as a program, the benchmark against NumPy.

    pytest                         what refnet.py and README.md say, proved quickly
    pytest -m slow                 what takes long: ten thousand epochs, every break
    python3 test_refnet.py         refnet and NumPy side by side, timed

The NumPy version below is the notebook's own way to write it: array operations,
(1, H) and (H, 1) shapes, one long loop.  The port after it is what a stranger
might write, and to be broken.  Neither shares any arithmetic with refnet.
"""

import ast
import builtins
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
import struct
import subprocess
import sys
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
PYTHON_C = [sys.executable, "-c"]
LAST_SEED = 2**32 - 1
NETS = sorted(refnet.TRAININGS)
needs_numpy = pytest.mark.skipif(np is None, reason="NumPy is not installed")
slow = pytest.mark.slow


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


def trained(net, seed, epochs, make=float, hidden=3):
    """The error curve and the final parameters of a training on make's numbers."""
    kind, training, examples = refnet.TRAININGS[net]
    trainee = kind(**mapped(initial(net, seed, hidden), make))
    learning = training(trainee, mapped(examples, make), make(0.1))
    steps = ([next(learning) for _ in examples] for _ in range(epochs))
    return list(map(refnet.mean_error, steps)), vars(trainee)


def program(*words, by=(sys.executable, HERE / "refnet.py"), cwd=HERE, stdin=None):
    how = {"capture_output": True, "text": True, "timeout": 600, "cwd": cwd}
    how["env"] = {**os.environ, "COLUMNS": "200", "PYTHONSAFEPATH": ""}
    return subprocess.run([*map(str, by), *map(str, words)], input=stdin, **how)


def printed(*words, **how):
    """What a program prints that ends well and complains of nothing."""
    result = program(*words, **how)
    assert (result.returncode, result.stderr) == (0, ""), result.stderr
    return result.stdout


def readme(start):
    blocks = re.findall(r"^```\w*\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    (found,) = [text for text in blocks if text.startswith(start)]
    return found


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


def stranger(start, pairs, rate, epochs, together, through_time):
    """All four trainings in a stranger's words: XOR is one time step, without a past."""
    start, told, curve = copy.deepcopy(start), [], []
    W, V, b, c = start["w1"], start["w2"], start["b1"], start["b2"]
    U, q, units = start.get("wh"), start.get("bh"), range(len(V))
    W = [W] if U else W
    for _ in range(epochs):
        loss, count = 0.0, 0
        for n, (xs, ys) in enumerate(pairs):
            x, y = ([[v] for v in xs], ys) if U else ([xs], [ys])
            memory, S, Z, P = [[0.0] * len(V)], [], [], []
            for row in x:
                s = [b[h] + sum(W[i][h] * row[i] for i in range(len(W))) for h in units]
                for h in units if U else []:
                    s[h] += q[h] + sum(U[i][h] * memory[-1][i] for i in units)
                a = [logistic(v) for v in s]
                z = c + sum(V[h] * a[h] for h in units)
                memory.append(a)
                S.append(s)
                Z.append(z)
                P.append(logistic(z))
            E = [0.5 * (p - t) * (p - t) for p, t in zip(P, y)]
            loss, count = loss + sum(E), count + len(x)
            if n == 0 or not together:
                dW, dU = [[0.0] * len(V) for _ in W], [[0.0] * len(V) for _ in V]
                dV, db, dc = [0.0] * len(V), [0.0] * len(V), 0.0
            D, G, back = [0.0] * len(x), [0.0] * len(x), [0.0] * len(V)
            for k in range(len(x) - 1, -1, -1):
                a, old = memory[k + 1], memory[k]
                d = (P[k] - y[k]) * P[k] * (1 - P[k])
                g = [(V[h] * d + back[h]) * a[h] * (1 - a[h]) for h in units]
                for h in units:
                    dV[h] += d * a[h]
                    db[h] += g[h]
                    for i in range(len(W)):
                        dW[i][h] += g[h] * x[k][i]
                    for i in units:
                        dU[i][h] += g[h] * old[i]
                dc += d
                if through_time:
                    back = [sum(U[i][h] * g[h] for h in units) for i in units]
                D[k], G[k] = d, g
            if n == len(pairs) - 1 or not together:
                for h in units:
                    V[h] -= rate * dV[h]
                    b[h] -= rate * db[h]
                    for i in range(len(W)):
                        W[i][h] -= rate * dW[i][h]
                    if U:
                        q[h] -= rate * db[h]
                        for i in units:
                            U[i][h] -= rate * dU[i][h]
                c -= rate * dc
            step = {"x": xs, "y": ys, "act1": S, "lay1": memory[1:], "act2": Z}
            step.update(lay2=P, E=E, delta_l2=D, delta_l1=G)
            if not together:
                step.update(corr_w1=dW, corr_w2=dV, corr_b1=db, corr_b2=dc)
            if U:
                step.update(corr_wh=dU, corr_bh=db)
            start["b2"] = c
            told.append({**step, **copy.deepcopy(start)})
        curve.append(loss / count)
    return {"steps": told, "error": curve, "final": start}


STRANGER = inspect.getsource(stranger)


def port(told, *faults, source=STRANGER):
    """A candidate for check: what a port makes of what a training is told.

    A fault is a pair: some of the port's source, and what stands there instead.
    """
    for right, wrong in faults:
        assert right in source, "not found in the port"
        source = source.replace(right, wrong)
    space = dict(globals())
    exec(compile(source, "a port", "exec"), space)
    told, net = {"eta": 0.1, "epochs": 2, "seed": 1, **told}, told["net"]
    pairs = copy.deepcopy(told.get("examples") or refnet.TRAININGS[net][2])
    start = initial(net, told.pop("seed"), told.get("hidden", 3))
    told, how = {**told, "initial": start}, (net == "xor-batch", net == "rnn-bptt")
    end = space["stranger"](start, pairs, told["eta"], told["epochs"], *how)
    last = space["stranger"](end["final"], pairs, 0, 1, *how)["steps"]
    return {**told, **end, "outputs": [step["lay2"] for step in last]}


def breaks():
    """The port's source, broken in every small way, one at a time."""
    head, end, body = STRANGER.partition('"""\n')
    rules = [(r" \+(=?) ", r" -\1 "), (r" -(=?) ", r" +\1 "), (r" [+-]= ", " = ")]
    rules += [(r" \* ", " / "), (r" / ", " * "), (r" == ", " != "), (r"\bor\b", "and")]
    rules += [(r"\b[0-9.]+\b", r"(\g<0> + 1)"), (r"(\[\w+\])(\[\w+\])", r"\2\1")]
    rules += [(r"(?m)^( +)(?!if|for).+", r"\1pass")]
    known = {n.id for n in ast.walk(ast.parse(STRANGER)) if isinstance(n, ast.Name)}
    words = dict.fromkeys(re.findall(r"\w+", body))  # in order of appearance
    names = [word for word in words if word in known - {*dir(builtins)}]
    for before, name, after in zip(names[-1:] + names, names, names[1:] + names):
        rules += [(rf"\b{name}\b", before), (rf"\b{name}\b", after)]
    sources = {STRANGER: None}  # each once, in this order
    for old, new in rules:
        for found in re.finditer(old, body):
            wrong = body[: found.start()] + re.sub(old, new, found[0])
            sources[head + end + wrong + body[found.end() :]] = None
    return [*sources][1:]


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
    text = printed("run", "--seed", seed, "--hidden", hidden, "--epochs", epochs)
    assert [line for line in text.split("\n") if "< ---" in line] == lines


@needs_numpy
@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("epochs", [100, pytest.param(10000, marks=slow)])
@pytest.mark.parametrize("seed, hidden", [(1, 3), (2, 1), (LAST_SEED, 8)])
def test_all_agrees_with_numpy_and_bit_for_bit_if_held(net, seed, hidden, epochs):
    ours = refnet.trace(net, seed, epochs, hidden=hidden, steps=8)
    for how, tolerance in ((np, (1e-9, 1e-12)), (Held, (0, 0))):
        other = numpy_trace(net, seed, hidden, steps=8, epochs=epochs, arithmetic=how)
        before = repr(other)
        assert np.shape(other["final"]["b1"]) == (1, hidden), "is no shape of refnet's"
        assert [*map(set, ours["steps"])] == [*map(set, other["steps"])]
        for part in ("initial", *refnet.PARTS):
            assert close(other[part], ours[part], *tolerance)
        assert not refnet.check(other, *tolerance) and repr(other) == before


@pytest.mark.parametrize("net", NETS)
def test_only_descend_moves_a_net_in_a_batch_the_last_one(net):
    kind, training, examples = refnet.TRAININGS[net]
    start, count = initial(net), 4 if net == "xor-batch" else 1
    before, own = copy.deepcopy(start), kind(**start)
    assert own.backprop(examples[1]) and vars(own) == before
    learning = training(own, examples, 0.5)
    stays = [next(learning) and vars(own) == before for _ in range(count)]
    assert stays == [True] * (count - 1) + [False]
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
EXACT = [(net, 1, 60, "1e-14") for net in NETS]
LONG = [(net, seed, 10000, "1e-12") for net in NETS for seed in (1, 2, 3)]
LONG += [("rnn-bptt", 55, 10000, "2e-12")]  # the farthest of 240
EXACT += [pytest.param(*each, marks=slow) for each in LONG]


@pytest.mark.parametrize("net, seed, epochs, bound", EXACT)
def test_within_the_bound_of_exact_arithmetic(monkeypatch, net, seed, epochs, bound):
    got = flat(trained(net, seed, epochs))
    with localcontext() as context, monkeypatch.context() as patch:
        context.prec = 40
        patch.setattr(refnet, "exp", lambda a: Exact(Decimal.exp(a)))
        want = flat(trained(net, seed, epochs, Exact))
    assert len(got) == len(want) == epochs + (13 if net.startswith("xor") else 22)
    assert all(len(str(number)) > 30 for number in want), "this was not exact"
    assert max(abs(Decimal(g) - w) for g, w in zip(got, want)) < Decimal(bound)


# ---------------------------------- It stands on its own, and replays the notebook


def test_no_sum_of_floats_no_power_and_no_import_that_may_be_missing():
    tree, found = ast.parse(SOURCE), {True: set(), False: set()}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found[node in tree.body].add(getattr(node, "module", node.names[0].name))
        if isinstance(node, ast.Call):
            assert ast.unparse(node.func) not in ("sum", "pow")
        if isinstance(getattr(node, "op", None), ast.Pow):
            assert ast.unparse(node) in ("2.0 ** (-52)", "2.0 ** -52", "2 ** 24")
    assert re.findall("math import (.*)", SOURCE) == ["exp, frexp, isfinite"]
    assert found[True] == {"array", "collections", "math"}
    assert found[False] == {"argparse", "json", "os", "re", "signal", "sys"}


def test_one_file_in_an_empty_directory_is_enough(tmp_path, replayed):
    shutil.copy(HERE / "refnet.py", tmp_path)
    alone = printed("-I", "-S", "refnet.py", by=[sys.executable], cwd=tmp_path)
    assert alone == replayed and os.listdir(tmp_path) == ["refnet.py"]
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
    assert re.search(r"\nDOUBLES = 1 \+ 2.0 ?\*\*.*52\)? > 1", SOURCE)
    assert refnet.DOUBLES and not Single(1) + Single(2.0**-52) > 1
    monkeypatch.setattr(refnet, "DOUBLES", False)
    refnet.run(epochs=1, hidden=1)
    out = capsys.readouterr().out
    assert "\n1 hidden unit, eta 0.1, 1 epoch, seed 1\nWARNING: floats narrower" in out
    with pytest.raises(RuntimeError, match="narrower than a double"):
        refnet.check({"net": "rnn", "seed": 1, "epochs": 1, "error": [0.1]})
    assert refnet.main(["trace", "rnn"]) == 2
    assert "narrower than a double" in capsys.readouterr().err


@pytest.fixture(scope="module")
def replayed():
    return printed("run", "--seed", 1)


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
    text = printed("--seed", 8, "--hidden", 2, "--epochs", 1200, "--eta", 2.5)
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
    text = printed("run", "--eta", "1e308", "--epochs", 20)
    assert text.split("Summary")[1].count("FAILED") == 3


@pytest.mark.parametrize("length", [1, 2, 63, 64, 65, 10000])
def test_the_plot_shows_the_curve_between_labelled_axes(length):
    lines = refnet.plot([0.25 * (length - n) / length for n in range(length)])
    assert [lines[n][:10] for n in (0, 1, -3)] == ["error", " 0.25000 |", " 0.00000 |"]
    assert lines[-1].split() == ["epoch", "0", str(length // 2), str(length)]
    columns = list(itertools.zip_longest(*(line[10:] for line in lines[1:-2])))
    tops = [column.index("*") for column in columns]
    assert len(columns) == 64 and tops == sorted(tops) and tops[0] == 0
    assert length < 64 or tops[-1] == 12
    assert "".join(refnet.plot([0, 1] * 64)).count("*") == 64 * 13, "from low to high"
    assert refnet.plot([1, 0.46] * 32)[7].count("*") == 32, "to the nearest row"
    empty = refnet.plot([math.nan, math.inf])
    assert len(empty) == len(lines) and "*" not in "".join(empty)
    assert "".join(refnet.plot([0.1, math.nan])).count("*") == 32


# --------------------------------------- The door, the command line, and trace

GOOD = {"w1": [[1, 2, 3], [4, 5, 6]], "w2": [1, 2, 3], "b1": [7, 8, 9], "b2": 0.5}
GOOD_RNN = {**GOOD, "w1": [1, 2, 3], "wh": [[1, 2, 3]] * 3, "bh": [1, 2, 3]}
# Whose, where, what was expected there; and, by what is said to have come, the value.
REFUSED = [
    ("xor", "initial.w1", "2 x 3 numbers", {"3 x 2 numbers": [[1, 2]] * 3, "one number and 2 numbers": [[1], [4, 5]]}),
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
    trace = refnet.trace("rnn", None, 9, np.float32(0.5), examples=pairs, initial=start)
    wide = mapped(start, np.ndarray.tolist)
    assert trace == refnet.trace("rnn", None, 9, 0.5, initial=wide)
    json.dumps([trace, refnet.trace("rnn", seed=np.int64(3), epochs=np.int32(1))])
    with pytest.raises(ValueError, match=r"b1\[0\]\[0\]: expected a number, got False"):
        refnet.trace("rnn", initial={**start, "b1": np.zeros((1, 3), dtype=bool)})


BAD = {
    "run --seed -1": "refnet: seed: expected a whole number from 0 to 4294967295, got -1",
    "trace rnn --steps -1": "refnet: steps: expected a whole number from 0 to 40000, got -1",
    "run --eta nan": "eta: expected a number above 0, got nan", "--seed 1.5": "--seed: invalid int value: '1.5'",
    "run --rtol 0.1": "unexpected keyword argument 'rtol'", "rum": "invalid choice: 'rum'",
    "run rnn": "run takes none", "trace": "take one NET_OR_FILE", "check .": "refnet: .*(Is a directory|Permission denied)",
    "trace xor": "expected one of rnn, rnn-bptt, xor-batch, xor-sgd or a file, got 'xor'",
    "check no.json": "refnet: .*No such file .*: 'no.json'", "trace README.md": "refnet: README.md: expected JSON; Exp",
}  # fmt: skip


@pytest.mark.parametrize("words", BAD)
def test_a_bad_command_line_is_status_2_and_no_traceback(words):
    result = program(*words.split())
    assert (result.returncode, result.stdout) == (2, "")
    assert re.search(BAD[words], result.stderr) and "Traceback" not in result.stderr
    assert result.stderr.startswith("usage: ") or result.stderr.count("\n") == 1


def test_help_names_the_command_as_it_was_typed_and_every_default():
    text, python = printed("--help"), os.path.basename(sys.executable)
    assert text.startswith(f"usage: {python} {HERE / 'refnet.py'} ")
    told = "seed S 1, epochs N 10000, eta X 0.1, hidden H 3, rtol R 1e-09, atol A 1e-12"
    for words in (*told.split(", "), "steps K two epochs of them"):
        name, letter, default = words.split(maxsplit=2)
        assert re.search(rf"\n  --{name} {letter} .*\(default: {default}\)\n", text)
    assert all(word in text for word in ("run", "trace", "check", "NET_OR_FILE", *NETS))
    assert printed("--version") == f"refnet {refnet.__version__}\n"


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


def test_trace_of_a_file_is_what_a_right_build_computes_from_there(tmp_path):
    file, own = tmp_path / "mine.json", {"examples": PAIRS["rnn"], "every": 2}
    told = {"net": "rnn", "hidden": 2, "eta": 0.5, "epochs": 5.0, **own}

    def traced(given, *options):
        file.write_text(json.dumps(given))
        return json.loads(printed("trace", file, *options))

    given = {**told, "seed": 3, "error": [9], "notes": "left aside", "x": None}
    want = refnet.trace("rnn", 3, 5, 0.5, 2, **own)
    assert traced(given) == want
    assert json.loads(printed("trace", "-", stdin=file.read_text())) == want
    assert traced(given, "--epochs", 1) == refnet.trace("rnn", 3, 1, 0.5, 2, **own)
    start = {**told, "initial": want["initial"], "eta": None}
    own["initial"] = start["initial"]
    assert traced(start) == refnet.trace("rnn", None, 5, **own)
    assert traced({**start, "seed": 7})["initial"] == initial("rnn", 7, 2)


# ----------------------------------- check: right builds pass, and wrong ones fail

# What the README recommends, for each net.
RECOMMENDED = {n: {**json.loads(readme(f'{{"net": "{n[:3]}')), "net": n} for n in NETS}
PAIRS = {net: RECOMMENDED[net]["examples"] for net in NETS}
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
        yield {"net": net, "examples": pairs, "epochs": 7, "hidden": 1 + len(lengths)}
    yield RECOMMENDED[net]
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


@pytest.mark.parametrize("epochs", [20, pytest.param(10000, marks=slow)])
@pytest.mark.parametrize("net", NETS)
def test_other_libraries_and_orders_of_adding_pass(net, epochs, monkeypatch):
    backwards = "V[h] * a[h] for h in units", "V[h] * a[h] for h in units[::-1]"
    for seed in (0, 1, 20):
        some, told = random.Random(seed), {"net": net, "seed": seed, "epochs": epochs}
        with monkeypatch.context() as patch:
            ends = 0.0, math.inf  # every exp is a unit in the last place off
            noisy = ("exp", lambda a: math.nextafter(math.exp(a), some.choice(ends)))
            patch.setattr(refnet, *noisy)
            candidate = refnet.trace(**told)
        assert candidate != refnet.trace(**told) and not refnet.check(candidate)
        candidate = port(told, backwards)
        assert not refnet.check({**candidate, "steps": candidate["steps"][:8]})


def verdict(told, source):
    """What check says of a broken port: PASS or FAIL, or None if it does not run."""
    try:
        mine = port(told, source=source)
    except Exception:
        return None
    try:
        return "FAIL" if refnet.check(mine) else "PASS"
    except ValueError:  # it cannot be judged
        return "FAIL"


@pytest.mark.parametrize("share", [20, pytest.param(1, marks=slow)])
@pytest.mark.parametrize("net", NETS)
def test_every_small_break_fails_on_the_recommended_examples(net, share):
    assert verdict(RECOMMENDED[net], STRANGER) == "PASS"
    verdicts = []
    for source in breaks()[::share]:
        verdicts.append(verdict(RECOMMENDED[net], source))
        if verdicts[-1] == "PASS":  # it must change no number at all, then
            assert all(verdict(told, source) == "PASS" for told in varied(net)), source
    assert verdicts.count("FAIL") > 80 / share


# Each fault's row and cause in the README's table, or that the notebook's data hide it;
# its net, what it changes in the port and to what, and the place of the first difference.
CUT = "(lambda v: 0.0 if v < -20 else 1.0 if v > 20 else logistic(v))("
FAULTS = [
    ("`act1` wrong from example 0 on | a bias left out", "xor-sgd", "b[h] + sum(W", "sum(W", "example 0, act1[0]"),
    ("`act1` wrong from example 0 on | `w1` transposed", "xor-sgd", "[W] if U else W", "[(W[0] + W[1])[i::2] for i in (0, 1)]", "example 0, act1[0]"),
    ("recurrent: `act1` wrong at time step 1 | `wh` transposed", "rnn", "U[i][h] * memory", "U[h][i] * memory", "example 0, time step 1, act1[0]"),
    ("recurrent: `act1` wrong at time step 1 | the state is not carried on", "rnn", "memory[-1]", "memory[0]", "example 0, time step 1, act1[0]"),
    ("recurrent: example 0 right, `act1` of example 1 wrong | the state is not reset", "rnn", "S, Z, P = [[0.0] * len(V)]", "S, Z, P = [told[-1]['lay1'][-1] if told else [0.0] * len(V)]", "example 1, time step 0, act1[0]"),
    ("`act1` right, `lay1` wrong | another function than the sigmoid", "xor-sgd", "logistic(v)", "math.tanh(v)", "example 0, lay1[0]"),
    ("`lay1` right, `act2` wrong | `b2` left out", "xor-batch", "z = c + sum", "z = sum", "example 0, act2"),
    ("`lay2` right, `delta_l2` wrong | the slope taken at `act2`", "xor-sgd", "P[k] * (1 - P[k])", "Z[k] * (1 - Z[k])", "example 0, delta_l2"),
    ("`lay2` right, `delta_l2` wrong | or left out", "rnn", "* P[k] * (1 - P[k])", "", "example 0, time step 2, delta_l2"),
    ("`delta_l2` right, `delta_l1` wrong | `w2` already moved", "xor-sgd", "[(V[h]", "[((V[h] - rate * d * a[h])", "example 0, delta_l1[0]"),
    ("`delta_l2` right, `delta_l1` wrong | the slope at the wrong value", "xor-batch", "* a[h] * (1 - a[h])", "* S[k][h] * (1 - S[k][h])", "example 0, delta_l1[0]"),
    ("recurrent: `delta_l1` wrong but at the last time step | nothing", "rnn-bptt", "if through_time:", "if False:", "example 0, time step 1, delta_l1[0]"),
    ("deltas right, a `corr_*` wrong | the wrong input or state", "rnn", "g[h] * old[i]", "g[h] * a[i]", "example 0, corr_wh[0][0]"),
    ("deltas right, a `corr_*` wrong | assigned instead of added", "rnn", "dV[h] +=", "dV[h] =", "example 0, corr_w2[0]"),
    ("of a step's parameters only `b1` and `b2` wrong | biases not updated", "xor-sgd", "b[h] -= rate * db[h]", "pass", "example 0, b1[0]"),
    ("deltas right, parameters wrong at the first update | sign", "rnn", "V[h] -=", "V[h] +=", "example 0, w2[0]"),
    ("deltas right, parameters wrong at the first update | sign", "xor-batch", "V[h] -=", "V[h] +=", "example 3, w2[0]"),
    ("deltas right, parameters wrong at the first update | eta applied twice", "xor-sgd", "b[h] -= rate *", "b[h] -= rate * rate *", "example 0, b1[0]"),
    ("deltas right, parameters wrong at the first update | the update", "rnn", "q[h] -= rate * db[h]", "pass", "example 0, bh[0]"),
    ("hidden | only its own delta goes back", "rnn-bptt", "U[i][h] * g[h]", "U[i][h] * V[h] * d * a[h] * (1 - a[h])", "example 0, time step 0, delta_l1[0]"),
    ("hidden | always the last delta goes back", "rnn-bptt", "if through_time:", "if through_time and k == len(x) - 1:", "example 0, time step 0, delta_l1[0]"),
    ("hidden | the first state for all later ones", "rnn", "memory[-1][i]", "memory[min(1, len(memory) - 1)][i]", "example 0, time step 2, act1[0]"),
    ("hidden | corr_wh assigned", "rnn", "+= g[h] * old[i]", "= g[h] * old[i] or dU[i][h]", "example 0, corr_wh[0][0]"),
    ("hidden | corr_wh from the last time step only", "rnn", "g[h] * old[i]", "g[h] * old[i] * (k == len(x) - 1)", "example 0, corr_wh[0][0]"),
    ("hidden | x*x", "xor-sgd", "* x[k][i]", "* x[k][i] * x[k][i]", "example 0, corr_w1[0][0]"),
    ("hidden | x*x", "rnn", "* x[k][i]", "* x[k][i] * x[k][i]", "example 0, corr_w1[0]"),
    ("hidden | the target rounded to a bit", "xor-sgd", "- y[k]", "- round(y[k])", "example 0, delta_l2"),
    ("hidden | a sigmoid cut off at 20", "xor-sgd", "logistic(", CUT, "example 3, lay1[2]"),
    ("hidden | a sigmoid cut off at 20", "rnn", "logistic(", CUT, "example 1, time step 1, lay1[2]"),
    ("hidden | the error divided by 8", "rnn", "loss / count", "loss / 8", "error, epoch 0"),
]  # fmt: skip


@pytest.mark.parametrize("read, net, right, wrong, place", FAULTS)
def test_a_fault_is_named_where_it_happens(read, net, right, wrong, place):
    (row, cause), hidden = read.split(" | "), read.startswith("hidden")
    told = [line for line in README.split("\n") if line.startswith(f"| {row} | ")]
    assert hidden or cause in told[0].split(" | ")[1]
    report = refnet.check(port({"net": net, "epochs": 5}, (right, wrong)))
    assert bool(report) != hidden, "do the notebook's own data show it?"
    report = refnet.check(port(RECOMMENDED[net], (right, wrong)))
    assert refnet.place_of(report[0]).replace("steps, epoch 0, ", "") == place
    assert not hidden or "All of it agrees" not in str(report)
    if cause == "biases not updated":
        both = port(RECOMMENDED[net], (right, wrong), ("c -= rate * dc", "pass"))
        step = [d for d in refnet.check(both) if d[1:3] == (0, 0)]
        assert {d.quantity for d in step} == {"b1", "b2"}


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("epochs", [100, pytest.param(10000, marks=slow)])
def test_single_precision_is_judged_as_the_readme_says(net, epochs, monkeypatch):
    monkeypatch.setattr(refnet, "exp", lambda a: Single(math.exp(a)))
    error, final = trained(net, 1, epochs, Single)
    monkeypatch.undo()
    mine = {"net": net, "seed": 1, "epochs": epochs, "error": error, "final": final}
    report = refnet.check(mine)
    assert all(int(row[1]) > 0 for row in rows(report).values()), "it is everything"
    assert "9 digits" in str(report) and "agrees" not in str(report)
    rtol = {100: "1e-4", 10000: "1e-3"}[epochs]
    report = refnet.check(mine, float(rtol))
    assert f"`--rtol {rtol}`" in README and not report and "9 digits" not in str(report)


# ---------------------------------------- check: the report, and what can be judged


def rows(report):
    """The report's table: what stands in the row of every quantity."""
    lines = str(report).split("\n")[2:]
    end = [line[:4] in ("PASS", "FAIL") for line in lines].index(True)
    return {line[:14].strip(): line[14:].split(maxsplit=4) for line in lines[:end]}


def scaled(candidate, **factors):
    """The candidate with its quantities multiplied, those whose names start so."""
    candidate = copy.deepcopy(candidate)
    for inner, start in itertools.product((candidate, *candidate["steps"]), factors):
        for name in [name for name in inner if name.startswith(start)]:
            inner[name] = mapped(inner[name], lambda v: v * factors[start])
    return candidate


def test_the_first_line_says_what_was_compared_each_row_a_quantity():
    mine = port(RECOMMENDED["rnn-bptt"], ("back = [", "back = [-"))
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
    own = {"net": "rnn", "examples": [[[1], [1]]], "epochs": 1, "hidden": 1, "seed": 4}
    report = refnet.check({**own, "error": [0]})
    words = "rnn, 1 own example, 1 hidden unit, eta 0.1, 1 epoch, seed 4\n"
    assert str(report).startswith(words)
    report = refnet.check({"net": "xor-sgd", "seed": 1, "epochs": 20, "error": [0]})
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
    right = refnet.trace("rnn", epochs=3)["error"]
    for factors in ([8, 8], [8, 8, 8.1], [0, 0, 0], [1 + 2e-7] * 3, [8, 8, 8]):
        error = [E * factor for E, factor in zip(right, factors)]
        wrong += [{"net": "rnn", "seed": 1, "epochs": len(error), "error": error}]
    told = ["times" in str(refnet.check(mine)) for mine in wrong]
    assert told == [False] * 7 + [True], "three numbers tell it, and only all of them"


PLACES = {
    ("initial", "wh", 1, 2): "initial, wh[1][2]", ("final", "b2"): "final, b2", ("error", 2): "error, epoch 4",
    ("steps", 6, "act1", 1, 2): "steps, epoch 1, example 2, time step 1, act1[2]",
    ("steps", 6, "E", 0): "steps, epoch 1, example 2, time step 0, E",
    ("steps", 6, "x", 1): "steps, epoch 1, example 2, time step 1, x",  # where 0 is wanted
    ("steps", 19, "corr_b2"): "steps, epoch 4, example 3, corr_b2",
    ("outputs", 3, 1): "outputs, example 3, time step 1",
}  # fmt: skip
CLAIMED = {  # what is trained, what it is told to be, and the convention that explains it
    "rnn-bptt": ("rnn", "backpropagation through time"), "rnn": ("rnn-bptt", "no backpropagation through time"),
    "xor-batch": ("xor-sgd", "a batch, one update after all examples"),
    "xor-sgd": ("xor-batch", "single updates, after every example"),
}  # fmt: skip


def test_places_count_from_0_and_say_where_by_name():
    trace = refnet.trace("rnn", epochs=5, every=2, steps=20)
    for (*path, last), words in PLACES.items():
        for far in (0.5, math.nan, math.inf, -math.inf, None):
            mine = inner = copy.deepcopy(trace)
            for key in path:
                inner = inner[key]
            inner[last] = far and inner[last] + far
            (wrong,) = report = refnet.check(mine)
            assert refnet.place_of(wrong) == words
            told = f"is in\n  {words}\n  got   {wrong.got!r}\n  want  {wrong.want!r}\n"
            told += f"  difference {far or math.nan:.3g}"
            head = "beyond rtol 1e-09, atol 1e-12\nThe first, in the order of computation, "
            assert "FAIL: 1 of " in str(report) and head + told in str(report)
            (row,) = [row for row in rows(report).values() if row[1] != "0"]
            assert row[2] == "0.5" if far == 0.5 else row[2:4] == ["inf", "inf"]
    xor = refnet.trace("xor-sgd", epochs=1)
    xor["outputs"][1] = 0
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
        off = {p: mapped(mine[p], lambda v: v + 1e-6 * (v or 1)) for p in refnet.PARTS}
        off["steps"] = [{k: s[k] for k in [*s][:1:-1]} for s in off["steps"]]
        report = refnet.check({**mine, **off})
        assert len(report) == len(flat([*off.values()])), "every number, where it is"
        found = [key for key, _ in itertools.groupby(d[:5] for d in report)]
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


def explained(candidate, **change):
    """The convention that check names, or None, for a candidate told otherwise."""
    report = str(refnet.check({**candidate, **change}))
    assert "FAIL" in report and "9 digits" not in report
    return "".join(report.split("agrees with another convention:\n  ")[1:]) or None


@pytest.mark.parametrize("pairs", [{}, PAIRS], ids=["notebook", "recommended"])
def test_the_known_conventions_are_told_by_name(pairs):
    def trace(net, eta=0.1):
        return refnet.trace(net, 1, 50, eta, examples=pairs.get(net))

    half = "an error without the factor 1/2, and its gradient"
    for net, (claimed, words) in CLAIMED.items():
        for mine in (trace(net), scaled(trace(net), delta=-1)):
            assert explained(mine, net=claimed) == words
        twice = scaled(trace(net, 0.2), E=2, error=2, delta=2, corr=2)
        assert explained(twice, eta=0.1) == half
        assert explained(scaled(twice, delta=-1), eta=0.1) is None, "exactly 2"
        assert explained(scaled(trace(net), error=2)) is None, "the row tells it"
    mean = "batch corrections averaged instead of summed"
    for factors, words in (({}, mean), ({"corr": 0.25}, mean), ({"w2": 2}, None)):
        assert explained(scaled(trace("xor-batch", 0.025), **factors), eta=0.1) == words
    assert explained(trace("rnn", 0.11), eta=0.1) is None
    one = refnet.trace("xor-sgd", epochs=3, examples=PAIRS["xor-sgd"][:1])
    assert explained(scaled(one, error=2)) is None, "one example is a batch, too"
    few = {"net": "xor-sgd", "seed": 1, "epochs": 1}
    error = refnet.trace("xor-sgd", epochs=1, eta=0.2)["error"][0]
    assert explained(few, error=[2 * error]) == half
    assert explained(few, eta=1e308, error=[0.5 + 2**-40]) is None, "it overflows"


def test_few_digits_are_said_and_excuse_nothing():
    told = {"seed": 1, "eta": 0.001, "epochs": 1000}
    batch = refnet.trace("xor-batch", steps=0, **told)
    for n, said in ((6, True), (9, True), (10, False)):
        mine = {part: batch[part] for part in ("error", "final")}
        mine = {"net": "xor-sgd", **told, **mapped(mine, lambda v: float(f"{v:.{n}g}"))}
        report = str(refnet.check(mine))
        assert ("9 digits" in report) == ("print 17" in report) == said
        assert "FAIL" in report and not (said and "All of it agrees" in report)
        assert all(len(line) <= 80 for line in report.split("\n"))
    for error in (math.nan, 1 + 2**-24):
        report = refnet.check({"net": "rnn", "seed": 1, "epochs": 1, "error": [error]})
        assert "9 digits" not in str(report)


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
    start = {"w1": [[0.5, 0.5], [0.25, 0.25]], "w2": [1, 1], "b1": [0, 0], "b2": 0}
    assert "alike" in remarks("xor-sgd", initial=start)
    one = remarks("xor-sgd", hidden=1, eta=1e-20)
    assert "alike" not in one and "No parameter moved" in one


def test_steps_are_known_by_their_place_and_a_start_of_its_own_is_taken():
    trace = refnet.trace("rnn", epochs=3, steps=12)
    steps = trace["steps"]
    bare, mixed = [{"lay2": step["lay2"]} for step in steps], [steps[9], steps[2]]
    for some in (steps[5:7], bare, mixed):
        assert not refnet.check({**trace, "steps": some})
    assert refnet.check({**trace, "steps": bare[1:]})
    mixed[0]["act2"] = mixed[1]["act2"] = [0, 0]
    found = [d[2:4] for d in refnet.check({**trace, "steps": mixed})]
    assert found == [(2, 0), (2, 1), (1, 0), (1, 1)]
    trace = refnet.trace("xor-sgd", seed=9, hidden=5, epochs=4)
    own = {key: trace[key] for key in ("net", "initial", "epochs", "final")}
    assert not refnet.check(own) and refnet.check({**own, "final": own["initial"]})
    report = refnet.check({**own, "seed": 9})
    assert not report and "initial w1" in rows(report)
    report = refnet.check({**own, "seed": 8})
    assert refnet.place_of(report[0]) == "initial, w1[0][0]"


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
}  # fmt: skip
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
}.items()})  # fmt: skip
STRANGE = b'null true [] {} [[]] 1e308 1 " 0 2 3 4 5 7 9 . - + e { ] [ } , :'.split()


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


def test_numbers_of_other_languages_and_tolerances_below_1_are_taken(tmp_path, capsys):
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
    for name, bad in itertools.product(("rtol", "atol"), (-1, math.nan, 1, "x", None)):
        with pytest.raises(ValueError, match=f"{name}: expected a number"):
            refnet.check({}, **{name: bad})


def agrees(given, right):
    """Whether all that is given is right; None is as if left out."""
    if isinstance(given, dict):
        return all(agrees(given[key], right[key]) for key in given)
    if isinstance(given, list):
        steps = len(given) < len(right) and isinstance(right[0], dict)
        return (steps or len(given) == len(right)) and all(map(agrees, given, right))
    return given is None or given == right or close(given, right)


def damaged(text, some):
    """The text, with some of its bytes or a whole word or number made strange."""
    words = [found.span() for found in re.finditer(rb"[^][{}:,\s]+", text)]
    for _ in range(some.choice((1, 1, 1, 4))):
        at = some.randrange(len(text))
        start, stop = some.choice([(at, at + 1), (at, at + 20), some.choice(words)])
        old, byte = text[start:stop], bytes([some.randrange(256)])
        digit = b"%d" % some.randrange(10)
        new = some.choice([b"", 2 * old, byte, some.choice(STRANGE), digit, digit])
        text = text[:start] + new + text[stop:]
    return text


@pytest.mark.parametrize("times", [40, pytest.param(750, marks=slow)])
@pytest.mark.parametrize("net", NETS)
def test_damage_is_seen_or_harmless(tmp_path, capsys, monkeypatch, net, times):
    monkeypatch.setattr(refnet, "EPOCHS", 100)  # where "epochs" is cut out
    some, statuses = random.Random(net), [0, 0, 0]
    trace = json.dumps(refnet.trace(net, epochs=2, steps=2)).encode()
    for text in [damaged(trace, some) for _ in range(times)]:
        status, _ = judged(text, tmp_path / "mine.json", capsys)
        statuses[status] += 1
        if status == 0:
            assert agrees(json.loads(text.decode("utf-8-sig")), json.loads(trace)), text
    assert times < 100 or min(statuses) > 20, statuses


# ------------------------------------------------------------------- The README


@slow
def test_as_many_starts_learn_as_the_readme_says():
    def learned(net, starts, below):
        """The epochs that the starts need, those that end below it."""
        curves = [trained(net, seed, 10000)[0] for seed in range(starts)]
        needed = [sum(below <= E for E in curve) for curve in curves]
        return {n: needed[n] for n in range(starts) if curves[n][-1] < below}

    sgd, batch = learned("xor-sgd", 100, 0.01), learned("xor-batch", 100, 0.01)
    ratios = sorted(sgd[start] / batch[start] for start in {*sgd} & {*batch})
    both, none, some = len(ratios), 100 - len({*sgd, *batch}), len({*sgd} ^ {*batch})
    median, low, high = [f"{ratios[n]:.2f}" for n in (both // 2, 0, -1)]
    rnn, bptt = [len(learned(net, 200, 0.07)) for net in ("rnn", "rnn-bptt")]
    text = " ".join(README.split())
    assert f" {both} learn both ways (below 0.01), {none} neither way, {some} " in text
    assert f" a median ratio of {median} ({low} to {high}). " in text
    assert f" below 0.07 from {rnn}, `rnn-bptt` from {bptt}" in text


def test_the_other_verdicts_are_read_as_the_readme_says():
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
    others = [
        "`x` or `y` wrong", "deltas and `corr_*` are `-1 times refnet's`, the rest is right",
        "only `E` or `error` is a constant times refnet's", "only `outputs` wrong",
        "everything wrong, very little, from step 0 on",
    ]  # fmt: skip
    told = README.split("| what the rows show |")[1].split("\n\n")[0]
    tried = {*others, *[row.split(" | ")[0] for row, *_ in FAULTS]} - {"hidden"}
    assert set(re.findall(r"(?m)^\| (.+?) \| ", told)) == tried, "each row is tried"


def test_the_readmes_first_screen_and_defaults_are_true(replayed):
    assert len(README.split("- **With a build")[0].split("\n")) <= 25
    assert all(f"\n{line}\n" in replayed for line in readme("| 0, 0.0").splitlines())
    assert README.count("\n") <= 300 and README.isascii()
    assert f"else {refnet.HIDDEN}; {refnet.ETA}; {refnet.EPOCHS} |" in README
    assert f'| `"{refnet.FORMAT}"` |' in README


@needs_numpy
def test_the_readmes_python_build_passes_and_a_wrong_one_fails():
    script = readme("import numpy as np")
    assert printed(script, by=PYTHON_C).endswith("\n" + readme("PASS"))
    wrong = printed(script.replace("* lay2 * (1", "* (1"), by=PYTHON_C)
    assert "\n  error, epoch 1\n" in wrong


@pytest.mark.skipif(not shutil.which("node"), reason="node is not found")
def test_the_readmes_javascript_build_passes_and_a_wrong_one_fails(tmp_path):
    command = readme("python3 refnet.py trace rnns")
    command = command.replace("python3", shlex.quote(sys.executable))
    shutil.copy(HERE / "refnet.py", tmp_path)
    (tmp_path / "rnns.json").write_text(json.dumps(RECOMMENDED["rnn-bptt"]))
    place = "\n  steps, epoch 0, example 0, time step 1, delta_l1[0]\n"
    for gone, words in (("none", "\nPASS: all "), ("+ later", place)):
        source = readme("// Reads what trace prints").replace(gone, "")
        (tmp_path / "rnn.js").write_text(source)
        result = program(by=["sh", "-c", command], cwd=tmp_path)
        assert result.stderr == "" and words in result.stdout, result.stdout


# ------------------------------------------------------------------ The benchmark

TIMED = ["xor-sgd", "xor-batch", "rnn"]
EACH, ALL, WHOLE_PROCESS = 5, 6, 6  # the targets: so many times as fast as NumPy
OURS = "import refnet\nprint([refnet.trace(net, 1, {}, steps=0)['error'][-1] for net in {}])"
THEIRS = """print([
    float(training(numpy_start(net, 1), net == "xor-batch", epochs={})["error"][-1, 0])
    for net, training in zip({}, (numpy_xor, numpy_xor, numpy_rnn))
])"""


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
    return [sorted(seconds)[rounds // 2] for seconds in times]


def benchmark(rounds=5, epochs=10000):
    """Time refnet and NumPy in turn, print tables and, last, a verdict."""
    print("NumPy", np.__version__, "- Python", sys.version.split()[0], end="")
    print(f" - medians of {rounds} rounds, in turn")
    missed = []

    def row(title, pair, target=0):
        ratio = pair[0] / pair[1]
        line = f"{title:<28}{pair[0]:9.3f} s{pair[1]:9.3f} s{ratio:8.1f}x"
        print(line + (f"   (target {target}x)" if target else ""))
        missed.extend([title] if ratio < target else [])

    def both(net, epochs, hidden=3):
        """NumPy's and refnet's seconds for a training, its error curve computed."""
        calls = [lambda: numpy_trace(net, 1, hidden, epochs=epochs)["error"][-1]]
        calls += [lambda: trained(net, 1, epochs, float, hidden)[0][-1]]
        return in_turn(rounds, *calls)

    print(f"\n{epochs} epochs in one process       NumPy     refnet    ratio")
    pairs = [both(net, epochs) for net in TIMED]
    for net, pair in zip(TIMED, pairs):
        row(net, pair, EACH)
    row("All three", [*map(sum, zip(*pairs))], ALL)

    print("\nWhole process, start-up and imports included")
    parts = map(inspect.getsource, (numpy_functions, numpy_start, numpy_xor, numpy_rnn))
    scripts = [text.format(epochs, TIMED) for text in (THEIRS, OURS)]
    scripts[0] = "import numpy as np\n" + "".join(parts) + scripts[0]
    calls = [lambda s=s: json.loads(printed(s, by=PYTHON_C)) for s in scripts]
    row("The same three trainings", in_turn(rounds, *calls), WHOLE_PROCESS)

    print("\nA tenth of the epochs, with more hidden units")
    for hidden in (10, 30):
        row(f"rnn, H = {hidden}", both("rnn", epochs // 10, hidden))

    print(f"\nVerdict: {', '.join(missed) or 'no target'} missed")


@needs_numpy
def test_the_benchmark_runs_and_ends_in_a_verdict(capsys):
    benchmark(rounds=1, epochs=50)
    text = capsys.readouterr().out
    assert text.split("\n")[-2].startswith("Verdict: ")
    assert text.isascii() and max(map(len, text.split("\n"))) <= 80
    for title in (*TIMED, "All three", "The same three trainings"):
        assert re.search(rf"^{title} .*\dx", text, re.MULTILINE), title


if __name__ == "__main__":
    if np is None:
        sys.exit("test_refnet.py: the benchmark needs NumPy, which is not installed")
    benchmark()
