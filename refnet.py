"""Two handcrafted neural nets in plain lists: the reference for other builds.

The notebook "Neural networks handcrafted" (D. Krzeminski, 2018) teaches two small nets
in NumPy: a 2-3-1 sigmoid net that learns XOR, and a recurrent net that learns that 1
follows only two zeros.  This module computes the same numbers with lists and the math
module, in the notebook's order; its first two parts are to be read beside it.
Each of its four commands is a function here, too: run, trace, task and check.

    python3 refnet.py                  replay the whole notebook
    python3 refnet.py trace NET        write down all that a training computes
    python3 refnet.py task NET         write settings on which wrong builds fail
    python3 refnet.py check FILE       judge another build: which equation is broken?

These words carry it:

    net         holds the parameters, under the notebook's names: net.w1, net.b2
    step        what one example makes a net compute: step.act1, step.lay2, step.E;
                a recurrent net's has one such step for each of its time steps
    training    a generator of steps: each next() shows a net one example; NET above,
                and "net" in settings, is the name of one of four
    settings    what a training is run with: its name, seed, eta, epochs, examples, ...
    trace       the settings, the steps, the error curve and the end of a training
    build       another program for such a net; to judge it is to hold every number
                of it against its own equation

>>> import refnet
>>> start = refnet.initial_parameters(refnet.XorNet, refnet.random_stream(1))
>>> net = refnet.XorNet(**start)
>>> step = next(refnet.sgd(net, refnet.XOR))
>>> step.x, step.lay2, step.E
((0, 0), 0.2348487453230324, 0.027576966589901268)
"""

# What is for users has a docstring.  What is refnet's own has a comment above it, which
# help() shows as well, and which takes no room where MicroPython compiles all this.

from collections import namedtuple
from math import exp, isfinite

__version__ = "3.0.0"

# The notebook's learning rate, number of epochs and number of hidden units.
ETA = 0.1
EPOCHS = 10000
HIDDEN = 3

# -------------------------------------------------------- Vanilla neural network

# Pairs (x, y): two inputs and the wanted output, the notebook's X and Y.
XOR = [((0, 0), 0), ((1, 0), 1), ((0, 1), 1), ((1, 1), 0)]


def sigmoid(act):
    """A neuron's output at activation act; sigmoid(-1000.0) is 0.0."""
    try:
        return 1.0 / (1.0 + exp(-act))
    except (OverflowError, ValueError):  # the latter is MicroPython's
        return 0.0  # 1 / (1 + infinity), as NumPy has it


def dsigmoid(lay):
    """The sigmoid's derivative, from its output lay, not from its activation."""
    return lay * (1.0 - lay)


def dot(a, b):
    """The sum of a[i]*b[i], from 0, by ascending i, each operation rounded once."""
    total, i = 0.0, 0
    for value in a:  # i is counted by hand: enumerate and range take longer
        total += value * b[i]
        i += 1
    return total


def moved(w, corr, eta):
    """A row of parameters, each moved by -eta times its correction."""
    new, j = [], 0
    for value in w:  # j by hand, as in dot
        new.append(value - eta * corr[j])
        j += 1
    return new


class Step:
    """What one example makes a net compute, each quantity assigned once, in this order.

    x, y        the example: inputs and wanted output
    act1, lay1  the hidden layer's activation and output, H numbers each
    act2, lay2  the output layer's activation and output, one number each
    E           the error of the prediction lay2
    delta_l2    dE/dact2: how E grows with the output's activation
    corr_w2     dE/dw2, corr_b2 dE/db2: of the shapes of w2 and b2
    delta_l1    dE/dact1, H numbers
    corr_w1     dE/dw1, corr_b1 dE/db1; corr_b1 is the very list delta_l1
    """

    def predictions(self):
        """The steps that have a lay2 and an E: this one, or its time steps."""
        return getattr(self, "time_steps", [self])

    def __repr__(self):
        held = [f"{name}={value!r}" for name, value in self.__dict__.items()]
        return f"Step({', '.join(held)})"


class XorNet:
    """The first net: two inputs, H hidden units, one output.

        x[0] ---w1[0]---> H hidden units ---w2---> output lay2
        x[1] ---w1[1]--->      + b1                 + b2

    w1 is 2 x H, w1[i][j] from input i to hidden unit j; w2 and b1 are H numbers, b2 is
    one.  Takes lists of Python floats, and never changes them.
    """

    new_step = Step  # called for each new step; a judge puts its own here

    def __init__(self, w1, w2, b1, b2):
        self.w1, self.b1 = w1, b1
        self.w2, self.b2 = w2, b2

    def forward(self, example):
        """The step of the example (x, y), as far as its error."""
        w1, w2, b1, b2 = self.w1, self.w2, self.b1, self.b2
        units = range(len(w2))
        step = self.new_step()
        step.x, step.y = example
        x = step.x
        # Forward pass, 1st layer
        step.act1 = [x[0] * w1[0][j] + x[1] * w1[1][j] + b1[j] for j in units]
        step.lay1 = [sigmoid(act) for act in step.act1]
        # Forward pass, 2nd layer
        step.act2 = dot(step.lay1, w2) + b2
        step.lay2 = sigmoid(step.act2)
        # Computing error
        step.E = (step.lay2 - step.y) * (step.lay2 - step.y) / 2
        return step

    def backward(self, step):
        """Add to a step the derivatives of its E, by the chain rule, output first."""
        w2, x, lay1 = self.w2, step.x, step.lay1
        # Backprop, 2nd layer
        step.delta_l2 = (step.lay2 - step.y) * dsigmoid(step.lay2)
        delta_l2 = step.delta_l2  # read back, as a judge may have replaced it
        step.corr_w2 = [lay * delta_l2 for lay in lay1]
        step.corr_b2 = delta_l2
        # Backprop, 1st layer
        step.delta_l1 = [w2[j] * delta_l2 * dsigmoid(lay1[j]) for j in range(len(w2))]
        step.corr_w1 = [[x_i * delta for delta in step.delta_l1] for x_i in x]
        step.corr_b1 = step.delta_l1

    def descend(self, step, eta):
        """Move every parameter by -eta times its correction in step."""
        self.w2 = moved(self.w2, step.corr_w2, eta)
        self.b2 = self.b2 - eta * step.corr_b2
        self.w1 = [moved(self.w1[i], step.corr_w1[i], eta) for i in (0, 1)]
        self.b1 = moved(self.b1, step.corr_b1, eta)


def worked_step(net, example, eta=ETA):
    """The notebook's single update of net, before its trainings, with its three slips.

    1. delta_l2 takes (y - lay2), which has the wrong sign.
    2. The derivatives are taken at act2 and act1, not at the outputs lay2 and lay1.
    3. delta_l1 takes w2 as the update leaves it.
    """
    step = net.forward(example)
    x, act1, lay1 = step.x, step.act1, step.lay1
    step.delta_l2 = (step.y - step.lay2) * dsigmoid(step.act2)
    step.corr_w2 = [lay * step.delta_l2 for lay in lay1]
    step.corr_b2 = step.delta_l2
    new_w2 = moved(net.w2, step.corr_w2, eta)
    units = range(len(new_w2))
    step.delta_l1 = [new_w2[j] * step.delta_l2 * dsigmoid(act1[j]) for j in units]
    step.corr_w1 = [[x_i * delta for delta in step.delta_l1] for x_i in x]
    step.corr_b1 = step.delta_l1
    net.descend(step, eta)
    return step


def sgd(net, examples, eta=ETA):
    """Stochastic gradient descent, for ever: descend after every example.

    The notebook's first training with an XorNet and XOR, its third with a RecurrentNet
    and SEQUENCES, pairs (x, y).  Yields each example's step, once net has moved by it.
    """
    while True:
        for example in examples:
            step = net.forward(example)
            net.backward(step)
            net.descend(step, eta)
            yield step


def batch(net, examples, eta=ETA):
    """Batch gradient descent, for ever: descend after all examples, by their sum.

    The notebook's second training; net is an XorNet.  Yields each example's step
    with its own corrections; net moves just before the last is yielded.
    """
    H = len(net.w2)
    while True:
        Dw_1, Dw_2 = [[0.0] * H, [0.0] * H], [0.0] * H
        Db_1, Db_2 = [0.0] * H, 0.0
        for n, example in enumerate(examples):
            step = net.forward(example)
            net.backward(step)
            for j in range(H):
                Dw_1[0][j] += step.corr_w1[0][j]
                Dw_1[1][j] += step.corr_w1[1][j]
                Dw_2[j] += step.corr_w2[j]
                Db_1[j] += step.corr_b1[j]
            Db_2 += step.corr_b2
            if n == len(examples) - 1:
                total = Step()
                total.corr_w1, total.corr_w2 = Dw_1, Dw_2
                total.corr_b1, total.corr_b2 = Db_1, Db_2
                net.descend(total, eta)
            yield step


# ----------------------------------------------- Vanilla recurrent neural network

# The notebook's Xr in pairs (x, y): two bits, and to each the bit that follows it.
SEQUENCES = [((0, 0), (0, 1)), ((1, 1), (1, 0)), ((1, 0), (0, 0)), ((0, 1), (1, 0))]


class SequenceStep(Step):
    """What one sequence makes a recurrent net compute, or one of its time steps.

    Of a time step: k, its number from 0, and what a Step holds but corr_*; after y
    lay1_before, lay1 of the time step before, zeros at the first.  Of a sequence:
    time_steps, from the first to the last, and corr_*, the derivatives of the sum of
    their E; corr_bh is the very list corr_b1.  Derivatives of a RecurrentNet hold
    lay1_before constant, those of a ThroughTimeNet do not.
    """


class RecurrentNet:
    """The second net: one input and its own previous hidden output, over a sequence.

                        +--<--wh, bh--<--+
                        |                |
        x[k] ---w1---> H hidden units ---+---w2---> output lay2[k]
                            + b1                     + b2

    w1, w2, b1 and bh are H numbers, b2 is one; wh is H x H, wh[i][j] from hidden unit i
    of the time step before to j.  Takes lists of floats, and never changes them.
    """

    new_step = SequenceStep  # called for each new step; a judge puts its own here

    def __init__(self, w1, w2, b1, b2, wh, bh):
        self.w1, self.b1 = w1, b1
        self.wh, self.bh = wh, bh
        self.w2, self.b2 = w2, b2

    def forward(self, example):
        """The step of the sequence (x, y), from its first time step to its last."""
        w1, w2, b1, b2, bh = self.w1, self.w2, self.b1, self.b2, self.bh
        units = range(len(w2))
        wh_to = list(zip(*self.wh))  # by columns: wh_to[j][i] is wh[i][j]
        step = self.new_step()
        step.time_steps = []
        lay1_before = [0.0] * len(w2)
        xs, ys = example
        for k in range(len(xs)):
            now = self.new_step()
            now.k = k  # first: a judge compares what is assigned next, by its k
            now.x, now.y = xs[k], ys[k]
            now.lay1_before = lay1_before
            x = now.x
            # Forward pass, 1st layer, with what the time step before left
            now.act1 = [
                x * w1[j] + b1[j] + (dot(lay1_before, wh_to[j]) + bh[j]) for j in units
            ]
            now.lay1 = [sigmoid(act) for act in now.act1]
            # Forward pass, 2nd layer
            now.act2 = dot(now.lay1, w2) + b2
            now.lay2 = sigmoid(now.act2)
            # Computing error
            now.E = (now.lay2 - now.y) * (now.lay2 - now.y) / 2
            step.time_steps.append(now)
            lay1_before = now.lay1
        return step

    def backward(self, step):
        """Add the deltas and the corrections, from the last time step to the first."""
        w2 = self.w2
        units = range(len(w2))
        from_after = [0.0] * len(w2)  # nothing comes after the last
        for now in reversed(step.time_steps):
            # Backprop, 2nd layer
            now.delta_l2 = (now.lay2 - now.y) * dsigmoid(now.lay2)
            # Backprop, 1st layer
            lay1, delta_l2 = now.lay1, now.delta_l2
            now.delta_l1 = [
                (w2[j] * delta_l2 + from_after[j]) * dsigmoid(lay1[j]) for j in units
            ]
            from_after = self.passed_back(now.delta_l1)  # for the time step before
        self.sum_corrections(step)

    def passed_back(self, delta_l1_after):
        """What delta_l1_after adds to dE/dlay1 one time step before: 0 here."""
        return [0.0] * len(delta_l1_after)

    def sum_corrections(self, step):
        """Add the corrections, sums over the time steps, from the last to the first."""
        H = len(self.w2)
        corr_w1, corr_w2, corr_b1, corr_b2 = [0.0] * H, [0.0] * H, [0.0] * H, 0.0
        units = range(H)
        corr_wh = [[0.0] * H for _ in units]
        for now in reversed(step.time_steps):
            x, before, lay1 = now.x, now.lay1_before, now.lay1
            delta_l1, delta_l2 = now.delta_l1, now.delta_l2
            corr_b2 += delta_l2
            for j in units:
                delta = delta_l1[j]
                corr_w2[j] += lay1[j] * delta_l2
                corr_w1[j] += x * delta
                corr_b1[j] += delta
                for i in units:
                    corr_wh[i][j] += before[i] * delta
        step.corr_w2, step.corr_b2 = corr_w2, corr_b2
        step.corr_w1, step.corr_b1 = corr_w1, corr_b1
        step.corr_wh, step.corr_bh = corr_wh, corr_b1  # both biases add to act1 alike

    def descend(self, step, eta):
        """Move every parameter by -eta times its correction in step."""
        self.w2 = moved(self.w2, step.corr_w2, eta)
        self.b2 = self.b2 - eta * step.corr_b2
        self.w1 = moved(self.w1, step.corr_w1, eta)
        self.b1 = moved(self.b1, step.corr_b1, eta)
        self.wh = [moved(self.wh[i], step.corr_wh[i], eta) for i in range(len(self.wh))]
        self.bh = moved(self.bh, step.corr_bh, eta)


class ThroughTimeNet(RecurrentNet):
    """The second net as the notebook's text has it; its code passes nothing back."""

    def passed_back(self, delta_l1_after):
        """What delta_l1_after adds to dE/dlay1 one time step before."""
        return [dot(row, delta_l1_after) for row in self.wh]


# ----------------------------------------------------------------- Random numbers

# A net's parameters, in the order in which the notebook draws them.
PARAMETERS = ("w1", "w2", "b1", "b2", "wh", "bh")


def random_stream(seed):
    """The numbers from [0, 1) that follow np.random.seed(seed), endless, bit for bit.

    NumPy's legacy stream, the Mersenne Twister MT19937 (Matsumoto and Nishimura,
    1998) with its one-word seeding; seed is a whole number from 0 to 2^32 - 1.

    >>> stream = random_stream(1)
    >>> next(stream), next(stream)
    (0.417022004702574, 0.7203244934421581)
    """
    state = [seed]
    for n in range(1, 624):
        mixed = state[n - 1] ^ (state[n - 1] >> 30)
        state.append((1812433253 * mixed + n) & 0xFFFFFFFF)
    while True:
        for n in range(624):
            joined = (state[n] & 0x80000000) | (state[(n + 1) % 624] & 0x7FFFFFFF)
            word = state[(n + 397) % 624] ^ (joined >> 1)
            if joined % 2 == 1:
                word ^= 0x9908B0DF
            state[n] = word
            word ^= word >> 11
            word ^= (word << 7) & 0x9D2C5680
            word ^= (word << 15) & 0xEFC60000
            word ^= word >> 18
            if n % 2 == 0:
                high = word >> 5  # 27 bits, to be followed by 26
            else:
                yield (high * 2**26 + (word >> 6)) / 2**53


# The parameters of a kind of net with so many hidden units, all of them 0.
#
# Rows may be one and the same list, as nets never change theirs.
def zero_parameters(kind, hidden):
    row = [0.0] * hidden
    zeros = {"w1": [row, row], "w2": row, "b1": row, "b2": 0.0}
    if issubclass(kind, RecurrentNet):
        zeros.update(w1=row, wh=[row] * hidden, bh=row)
    return zeros


# The next of an iterator's numbers, in lists nested as form is.
#
# A form is a number or lists of numbers, taken for its shape alone.
def nested_like(form, numbers):
    if isinstance(form, (list, tuple)):
        return [nested_like(part, numbers) for part in form]
    return next(numbers)


# The numbers in a form of two axes at most, row by row; rows must be lists.
def numbers_in(form):
    if not isinstance(form, (list, tuple)):
        return [form]
    if not isinstance(form[0], list):
        return form
    return [number for row in form for number in row]


def initial_parameters(kind, stream, hidden=HIDDEN):
    """The parameters of a new net of a kind (XorNet): 2*draw - 1, in order."""
    draws = (2 * number - 1 for number in stream)
    start = zero_parameters(kind, hidden)
    for name in PARAMETERS:
        if name in start:
            start[name] = nested_like(start[name], draws)
    return start


# -------------------------------------------------------- What comes from outside

INFINITY = float("inf")


# What was given cannot be taken: its place, what was expected and what came.
class InputError(ValueError):
    def __init__(self, where, expected, got):
        got = " ".join(got.split())
        got = got[:97] + "..." if len(got) > 100 else got
        super().__init__(f"{where}: expected {expected}, got {got}")


# An array, a tensor or an array's number as Python's own lists and numbers.
def from_array(value):
    return value.tolist() if hasattr(value, "tolist") else value


# value as a float; where it need not be finite, None is NaN.
def as_number(where, value, finite=True):
    value = from_array(value)
    if value is None and not finite:
        return float("nan")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InputError(where, "a number", repr(value))
    try:
        value = float(value)
    except OverflowError:  # of hundreds of digits
        value = INFINITY
    if finite and not isfinite(value):
        raise InputError(where, "a finite number", repr(value))
    return value


# value, which may be written 1000.0, as an int from low to high.
def whole_number(where, value, low, high):
    number = as_number(where, value, finite=False)
    if not low <= number <= high or number != int(number):
        raise InputError(where, f"a whole number from {low} to {high}", repr(value))
    return int(number)


# A dictionary without what is None; InputError for a key that is not in known.
#
# The key "comment" may stand in any dictionary, whatever it holds, and is left aside.
def read_object(where, value, known):
    if not isinstance(value, dict):
        raise InputError(where, "an object with names", repr(value))
    given = {}
    for key in value:
        if key == "comment":
            continue
        if key not in known:
            raise InputError(where, f"only {', '.join(known)}", repr(key))
        if value[key] is not None:
            given[key] = value[key]
    return given


# value, which must be a list, or a tuple or an array.
def as_list(where, value):
    value = from_array(value)
    if not isinstance(value, (list, tuple)):
        raise InputError(where, "a list", repr(value))
    return value


# The shape of nested lists, in words, and their numbers, row by row.
#
# "2 x 3 numbers" is a shape.  Axes of length 1 do not count.
def flat(where, value, finite=True):
    value = from_array(value)
    if not isinstance(value, (list, tuple)):
        return "one number", [as_number(where, value, finite)]
    shapes, numbers = set(), []
    for n, part in enumerate(value):
        shape, row = flat(f"{where}[{n}]", part, finite)
        shapes.add(shape)
        numbers += row
    if len(shapes) > 1:
        return "rows that differ", numbers
    shape = shapes.pop() if shapes else "one number"
    if len(value) == 1:
        return shape, numbers
    inner = "numbers" if shape == "one number" else "x " + shape
    return f"{len(value)} {inner}", numbers


# value's numbers, nested as form is; InputError if value has another shape.
#
# Where they need not be finite, None is NaN, for a whole form: NaN throughout.  A form
# may be a dictionary of forms: what value has under their names is fit to them.
def fit(where, value, form, finite=True):
    if isinstance(form, dict):
        found = {}
        for name in form:
            if name in value:
                found[name] = fit(f"{where}.{name}", value[name], form[name], finite)
        return found
    wanted, form_numbers = flat(where, form)
    shape, numbers = flat(where, value, finite)
    if value is None:  # one NaN so far, to stand for all
        numbers = numbers * len(form_numbers)
    elif shape != wanted:
        raise InputError(where, wanted, shape)
    return nested_like(form, iter(numbers))


# --------------------------------------------------------- Trainings and traces

FORMAT = "refnet-trace/2"
SEED = 1  # from it all trainings of a replay succeed, if all else is the notebook's

# Whether floats here are doubles: in single precision 1 + 2e-16 is 1.  exp(-36) is that
# 2e-16, computed here and now, as the machine that compiles might round a constant.
DOUBLES = 1 + exp(-36) > 1

# The trainings that have a name: a kind of net, how it learns, and from what.
Training = namedtuple("Training", "kind learn examples")
TRAININGS = {
    "xor-sgd": Training(XorNet, sgd, XOR),
    "xor-batch": Training(XorNet, batch, XOR),
    "rnn": Training(RecurrentNet, sgd, SEQUENCES),
    "rnn-bptt": Training(ThroughTimeNet, sgd, SEQUENCES),
}
TRAINING_NAMES = ", ".join(sorted(TRAININGS))

# What a trace holds, besides its format; and what it holds of a step, in its order.
SETTINGS = ("net", "seed", "hidden", "eta", "epochs", "every", "examples", "initial")
RESULTS = ("steps", "error", "final", "outputs")
QUANTITIES = ("x", "y", "act1", "lay1", "act2", "lay2", "E", "delta_l2", "corr_w2")
QUANTITIES += ("corr_b2", "delta_l1", "corr_w1", "corr_b1", "corr_wh", "corr_bh")
BIASES = ("b1", "b2", "bh")  # which a net may do without


# The examples, pairs (x, y), in the form that a kind of net takes.
def read_examples(kind, examples):
    found = []
    for n, pair in enumerate(as_list("examples", examples)):
        where = f"examples[{n}]"
        pair = as_list(where, pair)
        if len(pair) != 2:
            raise InputError(where, "a pair (x, y)", repr(pair))
        x, y = pair
        x_form, y_form = [0, 0], 0
        if issubclass(kind, RecurrentNet):  # as many time steps as x has, at least one
            _, numbers = flat(f"{where}[0]", x)
            x_form = y_form = [0] * max(1, len(numbers))
        found.append([fit(f"{where}[0]", x, x_form), fit(f"{where}[1]", y, y_form)])
    if not found:
        raise InputError("examples", "at least one pair (x, y)", "none")
    return found


# What a training is run with, checked once and complete: a trace's first part.
#
# What is left out or None is as in the notebook; hidden follows from initial's w2.
# If a seed is given, the start comes from it, and initial gives only hidden: its
# numbers are then a result, which check compares.  Results may be among the keys, and
# are left aside.
def read_settings(given):
    given = read_object("settings", given, ("format",) + SETTINGS + RESULTS)
    if given.get("format", FORMAT) != FORMAT:
        raise InputError("format", repr(FORMAT), repr(given["format"]))
    name = from_array(given.get("net"))
    if name not in list(TRAININGS):  # a list, as name may be unhashable
        raise InputError("net", f"one of {TRAINING_NAMES}, as in a task", repr(name))
    kind, _, examples = TRAININGS[name]
    initial = read_object("initial", given.get("initial", {}), zero_parameters(kind, 1))
    hidden = HIDDEN
    if "w2" in initial:
        shape, numbers = flat("initial.w2", initial["w2"], finite=False)
        hidden = len(numbers)
        if not numbers or shape not in ("one number", f"{hidden} numbers"):
            raise InputError("initial.w2", "numbers for one output only", shape)
    hidden = whole_number("hidden", given.get("hidden", hidden), 1, 1000)
    zeros = zero_parameters(kind, hidden)
    settings = {"net": name}
    if "seed" in given or "initial" not in given:
        settings["seed"] = whole_number("seed", given.get("seed", SEED), 0, 2**32 - 1)
        stream = random_stream(settings["seed"])
        start = initial_parameters(kind, stream, hidden)
    else:
        for key in zeros:
            if key not in initial and key not in BIASES:
                raise InputError("initial", key, "none (only biases may be left out)")
        start = fit("initial", initial, zeros)
    eta = as_number("eta", given.get("eta", ETA))
    if eta < 0:
        raise InputError("eta", "a number from 0", str(eta))
    settings.update(
        hidden=hidden,
        eta=eta,
        epochs=whole_number("epochs", given.get("epochs", EPOCHS), 1, 10**6),
        every=whole_number("every", given.get("every", 1), 1, 10**6),
        examples=read_examples(kind, given.get("examples", examples)),
        initial=start,
    )
    return settings


# A training's net as it starts; a bias that initial leaves out is 0.
#
# RuntimeError where floats are too narrow for refnet's numbers.
def start_net(settings):
    if not DOUBLES:
        raise RuntimeError("this interpreter's floats are narrower than a double")
    kind = TRAININGS[settings["net"]].kind
    zeros = zero_parameters(kind, settings["hidden"])
    return kind(**dict(zeros, **settings["initial"]))


# Those of the named parameters that a net has, as they are now.
def parameters_of(net, names=PARAMETERS):
    return {name: getattr(net, name) for name in names if hasattr(net, name)}


# A step's quantities by name; a sequence's, but corr_*, in lists over the time steps.
def quantities_of(step):
    found = {}
    parts = step.predictions()
    for name in QUANTITIES:
        if hasattr(step, name):
            found[name] = getattr(step, name)
        elif hasattr(parts[0], name):
            found[name] = [getattr(now, name) for now in parts]
    return found


# Train net; for each example yield epoch, example's number, step and error.
#
# The error is the mean of E over all predictions of an epoch; it comes with the
# epoch's last step, None before.  A bias that initial leaves out is held as it is.
def train(net, settings):
    examples = settings["examples"]
    left_out = [name for name in BIASES if name not in settings["initial"]]
    held = parameters_of(net, left_out)
    learning = TRAININGS[settings["net"]].learn(net, examples, settings["eta"])
    for epoch in range(settings["epochs"]):
        total, count = 0.0, 0
        for n in range(len(examples)):
            step = next(learning)
            for name in held:
                setattr(net, name, held[name])
            for now in step.predictions():
                total += now.E
                count += 1
            error = total / count if n == len(examples) - 1 else None
            yield epoch, n, step, error


def trace(
    net="xor-sgd",
    seed=None,
    epochs=EPOCHS,
    eta=ETA,
    hidden=None,
    steps=None,
    initial=None,
    examples=None,
    every=1,
):
    """Everything a training computes, as a dictionary that is ready for JSON.

    net is "xor-sgd", "xor-batch", "rnn" or "rnn-bptt".  It starts from seed; without
    one from initial, parameters by name, where a bias left out is held at 0 and not
    written down; without both from seed 1.  examples are pairs (x, y) instead of the
    notebook's.

    Returns the settings; steps, a list of the first ones, as many as the argument steps
    says (None: two epochs of them), each with its epoch, its example, its quantities
    and the parameters after it; the error of epochs 0, every, 2*every, ...; final, the
    parameters at the end; and outputs, what the trained net answers to every example.
    However few steps are written down, the training runs to its end.

    Raises ValueError for what cannot be taken or leaves a double's range, RuntimeError
    where floats are narrower than a double.

    >>> trace("rnn", epochs=2, steps=1)["steps"][0]["lay2"]
    [0.2755886316680652, 0.30139886376869685]
    """
    given = {"net": net, "seed": seed, "epochs": epochs, "eta": eta, "hidden": hidden}
    given.update(initial=initial, examples=examples, every=every)
    settings = read_settings(given)
    examples = settings["examples"]
    count = 2 * len(examples)
    if steps is not None:
        count = whole_number("steps", steps, 0, settings["epochs"] * len(examples))
    trainee = start_net(settings)
    names = settings["initial"]  # a bias that it leaves out is not written down
    first_steps = []
    # Whole from the start, as a small heap has no room later for a list that grows.
    curve = [0] * len(range(0, settings["epochs"], settings["every"]))
    for epoch, n, step, error in train(trainee, settings):
        if len(first_steps) < count:
            where = f"training: steps[{len(first_steps)}]"
            values = dict(quantities_of(step), **parameters_of(trainee, names))
            values = fit(where, values, values)  # copies; refused if not finite
            first_steps.append(dict(epoch=epoch, example=n, **values))
        if error is not None and epoch % settings["every"] == 0:
            curve[epoch // settings["every"]] = as_number("training: error", error)
    final = parameters_of(trainee, names)
    outputs = [quantities_of(trainee.forward(pair))["lay2"] for pair in examples]
    traced = dict(format=FORMAT, **settings)
    traced.update(
        steps=first_steps,
        error=curve,
        final=fit("training: final", final, final),
        outputs=fit("training: outputs", outputs, outputs),
    )
    return traced


# Examples on which wrong builds fail, and for each training a number of hidden units
# and a learning rate.  Hidden units, examples and time steps each differ in number from
# the notebook's (3, 4, 2) and, within a task, from one another.
XOR_TASK = [([0.5, -1.5], 0.25), ([-2, 0.75], 0.9), ([-20, 1], 0.1), ([22, 3], 0.6)]
XOR_TASK += [([0.3, -0.7], 0.45)]
SEQUENCES_TASK = [([0.5, -1.5, 0.25, 0.8], [0.25, 0.9, 0.4, 0.7]), ([-20.1], [0.6])]
SEQUENCES_TASK += [
    ([-0.75, 21, 0.6, -0.4, 1.1, -0.2], [0.1, 0.7, 0.35, 0.8, 0.2, 0.55])
]
TASKS = {
    "xor-sgd": {"hidden": 6, "eta": 0.3, "examples": XOR_TASK},
    "xor-batch": {"hidden": 7, "eta": 0.2, "examples": XOR_TASK},
    "rnn": {"hidden": 7, "eta": 0.25, "examples": SEQUENCES_TASK},
    "rnn-bptt": {"hidden": 5, "eta": 0.12, "examples": SEQUENCES_TASK},
}
# What each part of a task shows; a task carries it as its comment.
CATCHES = {
    "hidden": "shows 3 hidden units written into a build",
    "eta": "shows 0.1 written into a build",
    "examples": "their number, or the time steps', shows one written into a build",
    "x": "reals show x*x for x, those beyond 20 a sigmoid that is cut off",
    "y": "reals show a target that is rounded to a bit",
}


def task(net):
    """The recommended task of a training: settings, with initial, that show faults.

    A build reads it, trains and writes its results; check judges these.

    >>> task("rnn")["hidden"], task("rnn")["eta"]
    (7, 0.25)
    """
    net = read_settings({"net": net})["net"]  # which says what may stand there
    settings = read_settings(dict(TASKS[net], net=net, epochs=3))
    del settings["seed"]  # initial says where to start
    return dict(comment=CATCHES, **settings)


# --------------------------------------------------------------------- The judge

RTOL = 1e-9
ATOL = 1e-12

# In the order of computation, but from_after, which stands below its use.  After two
# blanks or more: the trainings, by how their names begin; of a training's lines for one
# quantity the last holds.  i is an input or a hidden unit before, j a hidden unit, k a
# time step, n an example; w is any parameter; from_after is what passed_back returns,
# delta_l1_after is delta_l1 of the time step after.  A report quotes these lines, and a
# Judge reads in them what a number is computed from.
EQUATIONS = """\
initial = 2*random() - 1                                                   xor, rnn
x = examples[example][0]                                                   xor
x = examples[example][0][k]                                                rnn
y = examples[example][1]                                                   xor
y = examples[example][1][k]                                                rnn
act1[j] = (sum_i x[i]*w1[i][j]) + b1[j]                                    xor
act1[j] = (x*w1[j] + b1[j]) + ((sum_i lay1_before[i]*wh[i][j]) + bh[j])    rnn
lay1[j] = sigmoid(act1[j])                                                 xor, rnn
act2 = (sum_j lay1[j]*w2[j]) + b2                                          xor, rnn
lay2 = sigmoid(act2)                                                       xor, rnn
E = (lay2 - y)*(lay2 - y) / 2                                              xor, rnn
delta_l2 = (lay2 - y) * dsigmoid(lay2)                                     xor, rnn
corr_w2[j] = lay1[j]*delta_l2                                              xor
corr_b2 = delta_l2                                                         xor
delta_l1[j] = (w2[j]*delta_l2) * dsigmoid(lay1[j])                         xor
delta_l1[j] = (w2[j]*delta_l2 + from_after[j]) * dsigmoid(lay1[j])         rnn
from_after[j] = 0                                                          rnn
from_after[j] = sum_i wh[j][i]*delta_l1_after[i]                           rnn-bptt
corr_w2[j] = sum_k lay1[j]*delta_l2                                        rnn
corr_b2 = sum_k delta_l2                                                   rnn
corr_w1[i][j] = x[i]*delta_l1[j]                                           xor
corr_w1[j] = sum_k x*delta_l1[j]                                           rnn
corr_b1[j] = delta_l1[j]                                                   xor
corr_b1[j] = sum_k delta_l1[j]                                             rnn
corr_wh[i][j] = sum_k lay1_before[i]*delta_l1[j]                           rnn
corr_bh[j] = sum_k delta_l1[j]                                             rnn
w = w - eta*corr_w, after every example                                    xor, rnn
w = w - eta*(sum_n corr_w), after the last example                         xor-batch
error = (sum of E) / (number of E)                                         xor, rnn
final = w after the last step                                              xor, rnn
outputs = lay2 with the parameters in final                                xor, rnn
"""

# What a build may give as a constant times refnet's and still train alike: E without
# 1/2 is twice as much, deltas may have the other sign.
SCALED = ("E", "error", "delta_l2", "delta_l1")  # and every corr_

Difference = namedtuple(
    "Difference", "part epoch example time_step quantity element got want start"
)


class Report(list):
    """The Differences that are wrong, in the order in which they are computed.

    The fields of each are its place, None where one means nothing: part ("steps",
    "error", ...), epoch, example, time_step, quantity ("delta_l1"), element (indices);
    got, the build's number; want, what its equation makes of the numbers before it, the
    build's own where it gives them; start, a parameter before its step (of final: in
    initial), else 0.  str() and repr() tell all.
    """

    text = ""

    def __str__(self):
        return self.text

    __repr__ = __str__


# What a build gives of steps: for each place ("steps", epoch, example) values by name.
#
# forms has a step of refnet's for each example, which says what shapes are wanted.
def read_steps(steps, settings, forms):
    size = len(settings["examples"])
    last = settings["epochs"] - 1
    results = {}
    for index, given in enumerate(as_list("steps", steps)):
        where = f"steps[{index}]"
        read_object(where, given, forms[0])  # checks the names alone: None is kept
        given = dict(given)  # a copy, to take from
        epoch = given.pop("epoch", index // size)
        n = given.pop("example", index % size)
        epoch = whole_number(f"{where}.epoch (from 0)", epoch, 0, last)
        n = whole_number(f"{where}.example (from 0)", n, 0, size - 1)
        if ("steps", epoch, n) in results:
            raise InputError(
                where, "every step once", f"epoch {epoch}, example {n} again"
            )
        values = fit(f"{where} (example {n})", given, forms[n], finite=False)
        results["steps", epoch, n] = values
    return results


# What a build gives: values by name, for each place (part, epoch, example).
#
# A part is "initial", "steps", "error", "final" or "outputs"; epoch or example is None
# where a part has none; of a place of which nothing is given there may be no values.
def read_results(given, settings):
    # One epoch of refnet's own training, at eta 0, has every value in its wanted shape.
    forms = trace(**dict(settings, epochs=1, eta=0))
    results = read_steps(given.get("steps", []), settings, forms["steps"])
    # Checks the names alone: a None is kept, as a wrong number.
    read_object("final", given.get("final", {}), forms["final"])
    for part in ("initial", "final"):
        values = fit(part, given.get(part, {}), forms[part], finite=False)
        results[part, None, None] = values
    if "error" in given:
        epochs = range(0, settings["epochs"], settings["every"])
        where = f"error (every {settings['every']})"
        errors = fit(where, given["error"], [0] * len(epochs), finite=False)
        for epoch, error in zip(epochs, errors):
            results["error", epoch, None] = {"error": error}
    if "outputs" in given:
        size = len(settings["examples"])
        outputs = as_list("outputs", given["outputs"])
        if len(outputs) != size:
            raise InputError("outputs", f"those of {size} examples", str(len(outputs)))
        for n, form in enumerate(forms["outputs"]):
            value = fit(f"outputs[{n}]", outputs[n], form, finite=False)
            results["outputs", None, n] = {"outputs": value}
    return results


# The indices in a form of its number n, counted from 0 as numbers_in lists them.
def indices_of(form, n):
    if not isinstance(form, (list, tuple)):
        return ()
    return divmod(n, len(form[0])) if isinstance(form[0], list) else (n,)


# Where a Difference is, in words.
def place_words(difference):
    words = difference.part
    for name in ("epoch", "example", "time_step"):
        number = getattr(difference, name)
        if number is not None:
            words += f", {name.replace('_', ' ')} {number}"
    if difference.quantity != difference.part:
        words += ", " + difference.quantity
    for n in difference.element:
        words += f"[{n}]"
    return words


# A step that hands a judge each quantity that a net assigns, and holds what it returns:
# the build's, where it gives one, else the net's own.
class JudgedStep(Step):
    k = None  # but in a time step

    def __init__(self, judge):
        self.judge = judge

    def __setattr__(self, name, value):
        if name in QUANTITIES:
            value = self.judge.compare(name, value, self.k)
        object.__setattr__(self, name, value)


# What stands above the rows of a report.
HEADING = "quantity values wrong max abs max rel epoch example time step"


# What is found of a quantity: how many numbers, which are wrong, how far off.
#
# Another convention makes every number of a quantity c times refnet's (of a parameter:
# its move from start).  Each wrong number allows c a range, as wide as its limit is;
# from low to high is what all of these ranges share; if low > high they share nothing.
class Row:
    count = 0
    absolute = 0  # the largest abs(got - want)
    relative = 0  # the largest abs(got - want) / abs(want), of want but 0
    beside_1 = 0  # the largest abs(got - want) / max(1, abs(want))
    low, high = -INFINITY, INFINITY
    has_right = False  # whether a number is right and not near 0: it fits no c but 1

    def __init__(self, title, rtol, atol):
        self.title = title
        self.rtol, self.atol = rtol, atol
        self.wrong = []

    # How far from want a number may be.  move is its want - start, start being 0 for
    # all but parameters, where move is want.
    def limit(self, move, want):
        # A parameter that hardly moves is still rounded at its own size: for it want's
        # thousandth counts, if that is more.
        return self.atol + self.rtol * max(abs(move), abs(want) / 1000)

    # Count a Difference in; return whether it is wrong.  NaN is infinitely far off.
    def note(self, difference):
        self.count += 1
        got, want, start = difference.got, difference.want, difference.start
        off = abs(got - want) if isfinite(got) else INFINITY
        self.absolute = max(self.absolute, off)
        self.relative = max(self.relative, off / abs(want) if want else 0)
        self.beside_1 = max(self.beside_1, off / max(1, abs(want)))
        move, got_move = want - start, got - start  # of a parameter; else want, got
        limit = self.limit(move, want)
        if got == want or off <= limit:
            self.has_right = self.has_right or abs(move) > limit
            return False
        self.wrong.append(difference)
        c = got_move / move if move else INFINITY
        if not isfinite(c):
            self.low, self.high = INFINITY, -INFINITY  # for good: no c serves
            return True
        room = self.limit(got_move, want) / abs(move)  # the limit, were c*move wanted
        self.low = max(self.low, c - room)
        self.high = min(self.high, c + room)
        return True

    # The c for which all wrong numbers, three at least, are c times refnet's.
    #
    # None if there are fewer, or no such c, or if it would be printed as 1.
    def factor(self):
        c = (self.low + self.high) / 2
        few = len(self.wrong) < 3
        return None if few or self.low > self.high or f"{c:.4g}" == "1" else c

    # Whether something is wrong that no convention of a build explains.
    def contradicts(self):
        scaled = self.title in SCALED or self.title.startswith("corr_")
        is_explained = scaled and not self.has_right and self.low <= self.high
        return bool(self.wrong) and not is_explained

    # The row below HEADING: counts, largest differences, the first wrong place, factor.
    def line(self):
        # Title and count share 15 columns, as the longest title leaves few.
        words = f"{self.title} {self.count:>{14 - len(self.title)}}"
        words += f" {len(self.wrong):>5} {self.absolute:>7.2g} {self.relative:>7.2g}"
        if self.wrong:
            first = self.wrong[0]
            place = first.epoch, first.example, first.time_step
            epoch, example, time_step = ["" if n is None else n for n in place]
            words += f" {epoch:>5} {example:>7} {time_step:>9}"
        c = self.factor()
        if c is not None:
            words = words.rstrip() + f", {c + 0:.4g} times refnet's"  # no -0
        return words.rstrip()


# Holds a build's results against a training, and goes on with the build's numbers.
#
# It computes nothing itself.  watch trains a net whose new_step makes JudgedSteps:
# whatever the net assigns to one goes through compare, which notes what is wrong and
# puts the build's number in its place; from that the net computes the next quantity.
# Parameters and errors, which no step holds, are compared by watch itself.
# "Here", below, is the place under way; a place is (part, epoch, example).
class Judge:
    is_whole = True  # whether the build's own numbers stood wherever it gives any
    end = None  # the parameters at the end, if the training gets there

    def __init__(self, settings, results, rtol, atol):
        self.settings = settings
        self.kind = TRAININGS[settings["net"]].kind
        self.results = results
        self.rtol, self.atol = rtol, atol
        self.here = ("initial", None, None)  # the part, epoch and example under way
        self.parameters_at = self.here  # the place that left net the parameters it has
        self.parts = []  # of which something is given, "steps" once per step
        self.names = set()  # of what is given, but for the start
        for (part, _, _), values in results.items():
            if values:
                self.parts.append(part)
            if part != "initial":
                self.names.update(values)
        self.step_count = settings["epochs"] * len(settings["examples"])  # in all
        self.wrong = []  # Differences, in the order of computation
        self.not_given = set()  # before the first of them: see not_given_before
        self.rows = []  # in the order of computation
        self.start = {}  # the parameters at the start

    # The row for a name, here ("w1" in steps, "final w1" in final); made at first use.
    def row(self, name):
        part, _, _ = self.here
        if part not in ("steps", name):
            name = part + " " + name
        for row in self.rows:
            if row.title == name:
                return row
        self.rows.append(Row(name, self.rtol, self.atol))
        return self.rows[-1]

    # The line of EQUATIONS for a quantity, and below it that of from_after, if needed.
    def equation(self, quantity):
        training = self.settings["net"]
        left_side = "w" if quantity in PARAMETERS else quantity  # w is any parameter
        found = ""
        for line in EQUATIONS.strip().split("\n"):
            text, _, beginnings = line.rpartition("  ")
            if text.replace("[", " ").split(" ")[0] == left_side:
                for beginning in beginnings.split(", "):
                    if training.startswith(beginning):
                        found = text.strip()  # a later line replaces an earlier one
        if left_side == "w":
            found = found.replace("w = w", f"{quantity} = {quantity}")
            found = found.replace("corr_w", "corr_" + quantity)
        if "+ from_after" in found:
            found += "\n  " + self.equation("from_after")
        return found

    # The names on the right of a quantity's equation: quantities and parameters.
    def inputs_of(self, quantity, time_step):
        _, _, text = self.equation(quantity).partition(" = ")
        if time_step != 0:  # lay1_before is a lay1, but for the zeros at time step 0
            text = text.replace("_before", "")
        for sign in "[]()*+-/,":
            text = text.replace(sign, " ")
        words = text.split()
        names = QUANTITIES + tuple(self.settings["initial"])
        return [name for name in names if name in words]

    # What a quantity here is computed from and the build does not give: names, parts.
    #
    # A quantity of the same step that is not given is named, and what it is computed
    # from is looked up in turn.  A parameter is looked up at parameters_at, E for an
    # error in every step of the epoch; of a place that gives nothing, the part is named
    # ("steps").  Of a batch's sum of corrections only the last example's are looked up.
    def not_given_before(self, quantity, time_step):
        part, epoch, _ = self.here
        given = self.results.get(self.here, {})
        places = [self.parameters_at]
        if part == "error":  # a mean over all steps of its epoch
            size = len(self.settings["examples"])
            places = [("steps", epoch, n) for n in range(size)]
        if part in ("initial", "final"):
            needed = [quantity]  # a parameter, as the last step left it
        elif part == "outputs":
            needed = list(self.settings["initial"])
        else:
            needed = self.inputs_of(quantity, time_step)
        found = set()
        while needed:
            name = needed.pop()
            if part == "steps" and name in QUANTITIES:
                if name not in given and name not in found:
                    found.add(name)
                    needed += self.inputs_of(name, time_step)
                continue
            for place in places:
                given_there = self.results.get(place, {})
                if name not in given_there:
                    found.add(name if given_there else place[0])
        return found

    # Compare the build's value of a name, here, with want; return what to go on with.
    #
    # want is what the net has just computed.  The net goes on with the build's value if
    # it gives one and all numbers in it are finite, else with want.  start is given for
    # parameters alone: what it was before, from which its move is counted (Row.limit).
    def compare(self, name, want, time_step=None, start=None):
        given = self.results.get(self.here, {})
        if name not in given:
            return want
        got = given[name] if time_step is None else given[name][time_step]
        gots, wants = numbers_in(got), numbers_in(want)
        place = self.here + (time_step, name)
        if not all(map(isfinite, wants)):
            where = place_words(Difference(*place, (), got, want, start))
            raise InputError(where, "a training in a double's range", repr(want))
        starts = [0] * len(wants) if start is None else numbers_in(start)
        row = self.row(name)
        for n in range(len(wants)):
            element = indices_of(want, n)
            difference = Difference(*place, element, gots[n], wants[n], starts[n])
            if row.note(difference):
                if not self.wrong:
                    self.not_given = self.not_given_before(name, time_step)
                self.wrong.append(difference)
        if all(map(isfinite, gots)):
            return got
        self.is_whole = False
        return want

    # Compare net's parameters with a build's, and have it go on from those.
    def compare_parameters(self, net, starts):
        for name in PARAMETERS:
            if name in self.settings["initial"]:
                value = getattr(net, name)
                value = self.compare(name, value, start=starts.get(name))
                setattr(net, name, value)
        if self.here[0] != "final" or self.results.get(self.here):
            self.parameters_at = self.here  # else the last step left them

    # An empty step for the watched net: a judged one, if the build gives anything here.
    def new_step(self):
        return JudgedStep(self) if self.here in self.results else self.kind.new_step()

    # Run the training and compare; unless patient, stop once a row contradicts it.
    def watch(self, patient=True):
        size = len(self.settings["examples"])
        net = start_net(self.settings)
        if "seed" in self.settings:
            self.compare_parameters(net, {})
        self.start = parameters_of(net)
        starts = self.start
        net.new_step = self.new_step
        # The next step's place is set before train computes it: JudgedStep needs it.
        self.here = ("steps", 0, 0)
        for epoch, n, _, error in train(net, self.settings):
            self.compare_parameters(net, starts)
            starts = parameters_of(net)
            if error is not None:
                self.here = ("error", epoch, None)
                self.compare("error", error)
            if not patient and any(row.contradicts() for row in self.rows):
                return
            self.here = ("steps",) + divmod(epoch * size + n + 1, size)
        self.here = ("final", None, None)
        self.compare_parameters(net, self.start)
        net.new_step = self.kind.new_step
        for n, example in enumerate(self.settings["examples"]):
            self.here = ("outputs", None, n)
            for now in net.forward(example).predictions():
                self.compare("outputs", now.lay2, getattr(now, "k", None))
        self.end = parameters_of(net)

    # Whether all is right, or wrong by conventions only: no row contradicts, and each
    # that is wrong has a factor, which is not 0.
    def agrees(self):
        for row in self.rows:
            if row.contradicts() or (row.wrong and row.factor() in (None, 0)):
                return False
        return True


# The other training, in words, with which all that a build gives agrees, or "".
#
# It is searched among those on the same kind of examples, with the learning rates
# that an error without 1/2, or a mean instead of a sum, comes to; each is run as far
# as it agrees.
def other_training(judge):
    settings = judge.settings
    lengths = {len(numbers_in(y)) for _, y in settings["examples"]}
    divisors = {1, len(settings["examples"])}  # of a sum, of a mean over examples,
    if len(lengths) == 1:
        divisors.update(lengths)  # and of one over time steps
    etas = set()
    for n in divisors:
        etas.add(settings["eta"] / n)
        etas.add(2 * settings["eta"] / n)  # an error without 1/2
    own_examples = TRAININGS[settings["net"]].examples
    for name in sorted(TRAININGS):
        if TRAININGS[name].examples != own_examples:
            continue  # XOR for sequences, or the other way round
        for eta in sorted(etas):
            if (name, eta) == (settings["net"], settings["eta"]):
                continue  # the build's own training, which has just failed
            tried = dict(settings, net=name, eta=eta)
            other = Judge(tried, judge.results, judge.rtol, judge.atol)
            try:
                other.watch(patient=False)
            except InputError:  # it leaves a double's range
                continue
            if other.agrees():
                aside = ", up to constants" if other.wrong else ""
                return f"{name}, eta {eta}{aside}"
    return ""


# The size of a training and its start, in words.
def training_words(settings):
    hidden, epochs = settings["hidden"], settings["epochs"]
    words = f"{hidden} hidden unit{'s' * (hidden != 1)}, eta {settings['eta']}, "
    words += f"{epochs} epoch{'s' * (epochs != 1)}, "
    return words + (f"seed {settings['seed']}" if "seed" in settings else "own start")


# The first wrong number, in the order of computation, and its equation, in lines.
def first_wrong_lines(judge):
    first = judge.wrong[0]
    by_part = first.part in ("initial", "final")
    quantity = first.part if by_part else first.quantity
    lines = [
        "The first, in the order of computation, is in",
        "  " + place_words(first),
        f"  got   {first.got!r}",
        f"  want  {first.want!r}",
        f"  difference {first.got - first.want:.3g}",
        "Want is what the build's own numbers before it give, by",
    ]
    lines += ("  " + judge.equation(quantity)).split("\n")
    order = ("initial", "steps") + QUANTITIES + PARAMETERS
    not_given = [name for name in order if name in judge.not_given]
    if not_given:
        words = "  or the fault is in what is not given before it: "
        lines.append(words + ", ".join(not_given))
    return lines


# What else helps after a FAIL, in lines, each only where it is true.
#
# labelled says whether every step that a build gives has its epoch and its example.
def hints(judge, labelled):
    lines = []
    words = "" if judge.agrees() else other_training(judge)
    if words:
        lines.append("All of it agrees with another training: " + words)
    off = max([row.beside_1 for row in judge.rows])
    if off <= 1e-5:
        lines.append(
            f"Nothing is off by more than about {off:.2g} of max(1, abs(want)): single "
            "precision, few digits printed, or a small difference of its own"
        )
    moves = judge.settings["eta"] > 0
    if moves and "final" in judge.parts and judge.start == judge.end:
        lines.append(
            "initial and final are the same: if the build moves, copy initial before "
            "the training changes it"
        )
    in_order = labelled or judge.parts.count("steps") == judge.step_count
    if not in_order and judge.wrong[0].part == "steps":
        lines.append(
            "Steps without epoch or example were counted by their place in the list."
        )
    if "steps" not in judge.parts:
        lines.append("Not given: steps. Parameters after each update would tell more.")
    return lines


# What a PASS did not see, in lines.
def unseen(judge):
    missing = [part for part in RESULTS if part not in judge.parts]
    count = judge.parts.count("steps")
    if 0 < count < judge.step_count:
        missing.insert(0, f"{judge.step_count - count} of {judge.step_count} steps")
    lines = ["Not given: " + ", ".join(missing)] if missing else []
    alike = all(len(set(numbers_in(value))) == 1 for value in judge.start.values())
    if alike and judge.settings["hidden"] > 1:
        lines.append("All hidden units start alike, which hides exchanged weights.")
    if judge.end == judge.start:
        lines.append("No parameter moved from the start to the end.")
    inputs, longest = set(), 0
    for x, _ in judge.settings["examples"]:
        inputs.update(x)
        longest = max(longest, len(x))
    if inputs.issubset((0, 1)):
        lines.append("Examples of bits alone hide x*x for x: those of a task do not.")
    if "wh" in judge.start and longest <= 2:
        lines.append(
            "Two time steps at most hide how errors go back through more: a task "
            "has more."
        )
    return lines


# What check found, in words, in lines of 79 columns where numbers allow.
def report_text(judge, labelled):
    def wrap(text):
        first, *others = text.split(" ")
        lines = [first]
        for word in others:
            if len(lines[-1]) + len(word) > 78:
                lines.append(" ")  # and the word's blank: indented by two
            lines[-1] += " " + word
        return "\n".join(lines)

    settings = judge.settings
    kind, _, examples = TRAININGS[settings["net"]]
    count = len(settings["examples"])
    whose = "own"
    if settings["examples"] == read_examples(kind, examples):
        whose = "notebook"
    words = f"{settings['net']}, {count} {whose} example{'s' * (count != 1)}, "
    words += training_words(settings)
    left_out = []
    for name in BIASES:
        if name in judge.start and name not in settings["initial"]:
            left_out.append(name)
    if left_out:
        words += ", without " + ", ".join(left_out)
    table = [wrap(words), HEADING] + [row.line() for row in judge.rows]
    values = sum([row.count for row in judge.rows])
    limits = f"rtol {judge.rtol:g}, atol {judge.atol:g}"
    if not judge.wrong:
        lines = [f"PASS: all {values} values within {limits}"]
        lines += unseen(judge)
    else:
        lines = [f"FAIL: {len(judge.wrong)} of {values} values beyond {limits}"]
        broken = [row.title for row in judge.rows if row.wrong]
        words = f"Broken: {', '.join(broken)}."
        if judge.end is None:
            words += " The rest was not judged: from there on numbers leave a"
            words += " double's range."
        elif judge.is_whole and len(broken) < len(judge.rows):
            words += " Every other number follows from the build's own."
        lines.append(words)
        lines += first_wrong_lines(judge) + hints(judge, labelled)
    return "\n".join(table + [wrap(line) for line in lines])


def check(candidate, rtol=RTOL, atol=ATOL):
    """Hold what another build computed against refnet's equations.

    candidate is a dictionary with keys of the one that trace returns: net, the start
    (seed or initial), what else of the settings is not the notebook's, and any part of
    steps, error, final and outputs.  A step without epoch and example is known by its
    place in the list.

    Each number is compared with what its equation gives; then the next equation uses
    the build's own number.

    A value is right if abs(got - want) <= atol + rtol*abs(want).  For a parameter after
    a step, or in final, the larger of its move and want/1000 stands in for want.

    NaN and infinity are wrong; so is None, but for a whole part: not given.

    Returns a Report, a list that is empty where all is right.  Raises ValueError for
    what cannot be judged, RuntimeError where floats are narrower than a double.

    >>> check({"net": "rnn", "seed": 1, "epochs": 1, "error": [0.1234567]})[0].want
    0.12321974674518642
    """
    rtol, atol = as_number("rtol", rtol), as_number("atol", atol)
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if not 0 <= tolerance < 1:
            raise InputError(name, "a number from 0 to less than 1", str(tolerance))
    settings = read_settings(candidate)
    given = read_object("build", candidate, candidate)  # what is None left aside
    if "seed" not in given and "initial" not in given:
        raise InputError(
            "seed", "seed or initial to start from, as in a task", "neither"
        )
    results = read_results(given, settings)
    judge = Judge(settings, results, rtol, atol)
    if judge.names.issubset(("x", "y")):  # which a task gives: nothing is computed
        expected = "some results: " + ", ".join(RESULTS)
        raise InputError("build", expected, "nothing to judge")
    try:
        judge.watch()
    except InputError:
        if not judge.wrong:  # else it is the build that left a double's range
            raise
    labelled = True
    for step in given.get("steps", []):
        labelled = labelled and "epoch" in step and "example" in step
    report = Report(judge.wrong)
    report.text = report_text(judge, labelled)
    return report


# ---------------------------------------------------------------------- The replay

PROGRESS = 1000  # the notebook prints every so many epochs
COLUMNS = 64  # of a plot
ROWS = 12  # of a plot above the one for 0


# Add an epoch's error to a plot's ranges: lowest and highest of each column.
def add_error(ranges, epoch, epochs, error):
    if isfinite(error):
        # Equal shares of the epochs, so that the last falls into the last column.
        column = ((epoch + 1) * len(ranges) - 1) // epochs
        low, high = ranges[column]
        ranges[column] = (min(low, error), max(high, error))


# Print an error curve: each range, (lowest, highest), as a bar on a scale from 0 to the
# highest of all; fewer ranges than COLUMNS make wider bars.
def print_plot(ranges, epochs):
    top = 1e-9
    for _, high in ranges:
        top = max(top, high)
    print("\nerror")
    for row in range(ROWS, -1, -1):
        line = f"{top * row / ROWS:8.5f} |" if row % 3 == 0 else "         |"
        for column in range(COLUMNS):
            low, high = ranges[column * len(ranges) // COLUMNS]
            is_in = low / top * ROWS - 0.5 < row <= high / top * ROWS + 0.5
            line += "*" if is_in else " "
        print(line.rstrip())
    print("         +" + "-" * COLUMNS)
    print(f"   epoch  0{epochs // 2:>32}{epochs:>31}\n")


# Move net by the notebook's single step, and print all that it computes.
def print_worked_step(net, eta):
    print("\nOne worked step, on the first example")
    print("-------------------------------------")
    print("With its slips: wrong sign, derivative at act, w2 used after its update.")
    step = worked_step(net, XOR[0], eta)
    found = dict(quantities_of(step), **parameters_of(net))
    for name in QUANTITIES + PARAMETERS:
        if name in found and name not in ("x", "y"):
            title = "new " + name if name in PARAMETERS else name
            line = f"{title:<9}"
            for n, number in enumerate(numbers_in(found[name])):
                if n > 0 and n % 6 == 0:
                    line += "\n" + " " * 9
                line += f" {number + 0:10.6f}"  # no -0.0
            print(line)


# The notebook's line of an epoch, example by example.
def print_xor(epoch, step, error):
    print(f"| {step.y:.0f}, {step.lay2:.3f}", end="")
    if error is not None:
        print(f" < --- {epoch}")


# The notebook's line of a sequence, time step by time step.
def print_sequence(epoch, step, _):
    for now in step.time_steps:
        bit = int(now.lay2 > 0.5)
        print(f"{now.x:.0f} - > {now.y:.0f} ({now.lay2:.3f}|{bit})", end="")
    print(f" < --- {epoch}")


# Train net, print it as the notebook does, and return for the summary if it learned.
def replay_training(net, settings, print_step):
    epochs = settings["epochs"]
    ranges = [(INFINITY, -INFINITY)] * min(COLUMNS, epochs)
    for epoch, _, step, error in train(net, settings):
        if epoch % PROGRESS == 0:
            print_step(epoch, step, error)
        if error is not None:
            add_error(ranges, epoch, epochs, error)
    print_plot(ranges, epochs)
    recurrent = settings["net"] == "rnn"
    if recurrent:
        print("The third bit, from the first two:")
    print("input   wanted   output")
    examples = settings["examples"]
    wrong = 0
    for x, y in examples:
        now = net.forward((x, y)).predictions()[-1]  # of a sequence the last counts
        word = "right"
        if not abs(now.lay2 - now.y) < 0.5:  # so that NaN is wrong, too
            word = "WRONG"
            wrong += 1
        print(f"{x[0]:.0f} {x[1]:.0f} {now.y:10.0f}{now.lay2:9.3f}   {word}")
    print(f"Final error {error:.5f}, the last epoch's mean, as the weights moved.")
    if recurrent:
        print("For fixed weights it cannot be below 1/16 = 0.0625: see README.md.")
    if wrong == 0:
        return "learned"
    words = f"FAILED: {wrong} of {len(examples)} answers are wrong; "
    print(words + "this start did not learn them.")
    return f"FAILED, {wrong} wrong"


# What a replay trains, in the notebook's order, and what stands above each.
REPLAYED = (
    ("xor-sgd", "XOR by stochastic gradient descent: update after every example"),
    ("xor-batch", "XOR by batch gradient descent: update after all four examples"),
    ("rnn", "The recurrent net: 1 follows only two zeros"),
)


def run(seed=SEED, epochs=EPOCHS, eta=ETA, hidden=HIDDEN):
    """Replay the notebook from top to bottom after np.random.seed(seed), and print.

    Raises ValueError for an argument out of range.
    """
    # Settings that all three trainings share; "rnn" is for form, each name comes below.
    given = {"net": "rnn", "seed": seed, "epochs": epochs, "eta": eta, "hidden": hidden}
    settings = read_settings(given)
    stream = random_stream(settings["seed"])
    print("Neural networks handcrafted")
    print(training_words(settings))
    if not DOUBLES:
        print("WARNING: floats narrower than a double: these are not refnet's numbers.")
    ends = []
    for name, title in REPLAYED:
        kind, _, examples = TRAININGS[name]
        start = initial_parameters(kind, stream, settings["hidden"])
        settings.update(net=name, examples=examples, initial=start)
        net = kind(**start)  # start_net would refuse narrow floats
        if name == "xor-sgd":
            print_worked_step(net, settings["eta"])
        print(f"\n{title}\n{'-' * len(title)}")
        print_step = print_sequence if name == "rnn" else print_xor
        ends.append(replay_training(net, settings, print_step))
    first, second, third = ends
    print("\nSummary\n-------")
    print("XOR, stochastic:", first)
    print("XOR, batch:     ", second)
    print("Recurrent net:  ", third)


# ---------------------------------------------------------------- The command line


# What the JSON file at path holds; nan and inf may be written as printf does.
def read_json(path):
    import json
    import re

    def once(pairs):
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError(f"a name stands twice in {list(found)}")
        return found

    with open(0 if path == "-" else path, "rb") as file:
        data = file.read()
    try:
        text = data.decode(json.detect_encoding(data))  # a Windows shell's UTF-16, too
        # Only where a value may stand; text like ", nan" in a comment changes, too.
        text = re.sub(r"(?i)([:,[]\s*)-?nan(\(\w*\))?", r"\1NaN", text)
        text = re.sub(r"(?i)([:,[]\s*-?)inf(inity)?\b", r"\1Infinity", text)
        return json.loads(text, object_pairs_hook=once)
    except json.JSONDecodeError as error:
        near = text[max(0, error.pos - 20) : error.pos + 20]
        words = f"{near!r} in line {error.lineno} ({error.msg})"
    except (RecursionError, ValueError) as error:
        words = f"what cannot be taken ({error})"
    raise InputError(path, "JSON", words)


# What one or more files hold together; they must not contradict each other.
def read_files(paths):
    together, stands_in = {}, {}
    for path in paths:
        found = read_json(path)
        given = read_object(path, found, found)  # which are known, is checked later
        for key, value in given.items():
            if key in stands_in and value != together[key]:
                words = f"the same in {stands_in[key]} and {path}"
                raise InputError(key, words, f"{together[key]} and {value}")
            together[key] = value
            stands_in[key] = path
    return together


# What is asked for, by name; a wrong option and --help end the program.
def read_command_line(argv):
    from argparse import SUPPRESS, ArgumentParser

    commands = {
        "run": "replay the notebook; status 0 also where a net did not learn",
        "trace": "write down all that a training computes, as JSON",
        "check": "judge another build; status 0: PASS, 1: FAIL, 2: cannot be judged",
        "task": "write settings on which wrong builds fail, as JSON",
    }
    options = (
        ("run trace", "--seed", int, SEED, "of the random start"),
        ("run trace", "--epochs", int, EPOCHS, "passes over all examples"),
        ("run trace", "--eta", float, ETA, "learning rate"),
        ("run trace", "--hidden", int, HIDDEN, "hidden units"),
        ("trace", "--steps", int, "those of two epochs", "steps to write down"),
        ("check", "--rtol", float, RTOL, "relative tolerance"),
        ("check", "--atol", float, ATOL, "absolute tolerance"),
    )
    parser = ArgumentParser(description="The reference for builds of two small nets.")
    parser.add_argument("--version", action="version", version="refnet " + __version__)
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND")
    parsers = {}
    for name, about in commands.items():
        parsers[name] = subparsers.add_parser(name, help=about, description=about)
    for names, option, reads, default, about in options:
        about += f" (default: {default})"
        for name in names.split():  # SUPPRESS: what is not asked for is left out
            parsers[name].add_argument(option, type=reads, help=about, default=SUPPRESS)
    about = TRAINING_NAMES + "; or a file with settings, - for standard input"
    parsers["trace"].add_argument("NET_OR_FILE", help=about)
    about = "settings and results, in one file or in several; - for standard input"
    parsers["check"].add_argument("FILE", nargs="+", help=about)
    parsers["task"].add_argument("net", choices=sorted(TASKS), help="the training")
    if argv[0].startswith("-") and argv[0] not in ("-h", "--help", "--version"):
        argv = ["run"] + argv
    return vars(parser.parse_args(argv))


# Do what the command line says; return 1 where a check failed, else 0.
def obey(argv):
    options = {"command": "run"}
    if argv:  # else no argparse is needed: MicroPython has none
        options = read_command_line(argv)
    command = options.pop("command")
    if command == "run":
        run(**options)
        return 0
    if command == "check":
        report = check(read_files(options.pop("FILE")), **options)
        print(report)
        return 1 if report else 0
    if command == "task":
        written = task(**options)
    else:
        target = options.pop("NET_OR_FILE")
        try:
            given = {"net": target} if target in TRAININGS else read_files([target])
        except FileNotFoundError:
            words = f"one of {TRAINING_NAMES} or a file"
            raise InputError("NET_OR_FILE", words, repr(target)) from None
        # Results in a file are left aside, and so is --steps, which is named as one;
        # names that are unknown are refused.
        settings = read_settings(dict(given, **options))
        written = trace(steps=options.get("steps"), **settings)
    import json

    # A line for each name, so that diff can compare.
    print(json.dumps(written).replace(', "', ',\n "').replace("}, {", "},\n{"))
    return 0


# The program: do what argv says (None: the command line); return the status.
def main(argv=None):
    import sys

    try:
        import signal

        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` ends it quietly
    except (ImportError, AttributeError, ValueError):  # MicroPython, Windows, a thread
        pass
    try:
        return obey(sys.argv[1:] if argv is None else argv)
    except KeyboardInterrupt:
        return 130
    except (ImportError, InputError, OSError, RuntimeError) as error:
        text = str(error).encode("ascii", "backslashreplace").decode()
        print(f"refnet: {text}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    raise SystemExit(main())
