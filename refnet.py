"""Two handcrafted neural nets in plain lists: the reference for other builds.

The notebook "Neural networks handcrafted" (D. Krzeminski, 2018) teaches two
small nets in NumPy: a 2-3-1 sigmoid net that learns XOR, and a recurrent net
that learns that 1 follows only two zeros.  This module computes the same
numbers with lists and the math module, in the notebook's order, to be read beside
it; what follows the second net serves both.  Besides, it can

    python3 refnet.py                  replay the whole notebook
    python3 refnet.py trace NET        write what a training computes, as JSON
    python3 refnet.py check FILE       tell another build where it is wrong

Four words carry it:

    net        holds the parameters, under the notebook's names: w1, w2, b1, b2
    step       a dictionary of everything that one example makes a net compute
    training   a generator of steps: each next() shows the net one example
    trace      the steps, the error curve and the end of one training

>>> import refnet
>>> start = refnet.initial_parameters(refnet.XorNet, refnet.random_stream(1))
>>> net = refnet.XorNet(**start)
>>> step = next(refnet.sgd(net, refnet.XOR))
>>> step["x"], step["lay2"], step["E"]
((0.0, 0.0), 0.2348487453230324, 0.027576966589901268)
"""

from array import array
from collections import namedtuple
from math import exp, frexp, isfinite

__version__ = "2.0.0"

# The notebook's learning rate, number of epochs, and number of hidden units.
ETA, EPOCHS, HIDDEN = 0.1, 10000, 3

# -------------------------------------------------------- Vanilla neural network

# Pairs (x, y): two inputs and the wanted output, the notebook's X and Y.
XOR = [((0.0, 0.0), 0.0), ((1.0, 0.0), 1.0), ((0.0, 1.0), 1.0), ((1.0, 1.0), 0.0)]


def sigmoid(act):
    """A neuron's output at activation act: 1 / (1 + exp(-act)).

    >>> sigmoid(0.0), sigmoid(-1000.0)
    (0.5, 0.0)
    """
    try:
        return 1.0 / (1.0 + exp(-act))
    except (OverflowError, ValueError):  # the latter is MicroPython's
        return 0.0  # 1 / (1 + infinity), as NumPy has it


def dsigmoid(lay):
    """The sigmoid's derivative where its output is lay: lay*(1 - lay)."""
    return lay * (1.0 - lay)


class XorNet:
    """The first net: two inputs, H hidden units, one output.

        x[0] ---w1[0]---> H hidden units ---w2---> output lay2
        x[1] ---w1[1]--->      + b1                 + b2

    w1 is 2 x H, w1[i][j] from input i to hidden unit j; w2 and b1 are H numbers,
    b2 is one.  Takes lists of Python floats, and copies them.

    >>> net = XorNet(w1=[[1.0], [-1.0]], w2=[2.0], b1=[0.0], b2=-1.0)
    >>> step = net.backprop(((1.0, 1.0), 0.0))
    >>> step["act1"], step["lay2"], step["E"], step["corr_w1"]
    ([0.0], 0.5, 0.125, [[0.0625], [0.0625]])
    >>> net.descend(step, eta=0.5)
    >>> net.w2
    [1.96875]
    """

    def __init__(self, w1, w2, b1, b2):
        self.w1, self.w2 = [row[:] for row in w1], w2[:]
        self.b1, self.b2 = b1[:], b2

    def backprop(self, example):
        """Go forward and back through one example (x, y); returns the step.

            act1[j] = (sum_i x[i]*w1[i][j]) + b1[j]    lay1[j] = sigmoid(act1[j])
            act2    = (sum_j lay1[j]*w2[j]) + b2       lay2    = sigmoid(act2)
            E       = (lay2 - y)*(lay2 - y) / 2

        Back by the chain rule: delta_l2 is dE/dact2, delta_l1 dE/dact1, corr_w dE/dw.

            delta_l2      = (lay2 - y) * dsigmoid(lay2)
            corr_w2[j]    = lay1[j]*delta_l2           corr_b2 = delta_l2
            delta_l1[j]   = (w2[j]*delta_l2) * dsigmoid(lay1[j])
            corr_w1[i][j] = x[i]*delta_l1[j]           corr_b1 = delta_l1

        The step holds all of these, and x and y, by name.  The net does not change.
        """
        x, y = example
        w1, w2, b1 = self.w1, self.w2, self.b1
        H = len(w2)

        act1, lay1, act2 = [0.0] * H, [0.0] * H, 0.0
        for j in range(H):
            act1[j] = x[0] * w1[0][j] + x[1] * w1[1][j] + b1[j]
            lay1[j] = sigmoid(act1[j])
            act2 += lay1[j] * w2[j]
        act2 += self.b2
        lay2 = sigmoid(act2)
        E = (lay2 - y) * (lay2 - y) / 2

        delta_l2 = (lay2 - y) * dsigmoid(lay2)
        delta_l1, corr_w2 = [0.0] * H, [0.0] * H
        corr_w1 = [[0.0] * H, [0.0] * H]
        for j in range(H):
            corr_w2[j] = lay1[j] * delta_l2
            delta_l1[j] = w2[j] * delta_l2 * dsigmoid(lay1[j])
            corr_w1[0][j] = x[0] * delta_l1[j]
            corr_w1[1][j] = x[1] * delta_l1[j]

        step = {"x": x, "y": y, "act1": act1, "lay1": lay1, "act2": act2, "lay2": lay2}
        step["E"], step["delta_l2"] = E, delta_l2
        step["corr_w2"], step["corr_b2"] = corr_w2, delta_l2
        step["delta_l1"], step["corr_w1"], step["corr_b1"] = delta_l1, corr_w1, delta_l1
        return step

    def descend(self, corrections, eta):
        """w = w - eta*corr_w for every parameter w, corr_w taken from corrections."""
        w1, w2, b1 = self.w1, self.w2, self.b1
        corr_w1, corr_w2 = corrections["corr_w1"], corrections["corr_w2"]
        corr_b1 = corrections["corr_b1"]
        for j in range(len(w2)):
            w1[0][j] -= eta * corr_w1[0][j]
            w1[1][j] -= eta * corr_w1[1][j]
            w2[j] -= eta * corr_w2[j]
            b1[j] -= eta * corr_b1[j]
        self.b2 -= eta * corrections["corr_b2"]


def worked_step(net, example, eta=ETA):
    """The notebook's single update, before its trainings, and its three slips.

    Moves net, an XorNet, by the pair example; returns the step.

    1. delta_l2 takes (y - lay2), which has the wrong sign.
    2. The derivatives are taken at act2 and act1, not at the outputs lay2 and lay1.
    3. delta_l1 takes w2 as the update leaves it.
    """
    x, y = example
    step = net.backprop(example)
    act1, lay1 = step["act1"], step["lay1"]
    hidden = range(len(act1))

    delta_l2 = (y - step["lay2"]) * dsigmoid(step["act2"])
    corr_w2 = [delta_l2 * lay1[j] for j in hidden]
    w2 = [net.w2[j] - eta * corr_w2[j] for j in hidden]
    delta_l1 = [w2[j] * delta_l2 * dsigmoid(act1[j]) for j in hidden]

    corr_w1 = [[x[i] * delta_l1[j] for j in hidden] for i in range(2)]
    step.update(delta_l2=delta_l2, corr_w2=corr_w2, corr_b2=delta_l2)
    step.update(delta_l1=delta_l1, corr_w1=corr_w1, corr_b1=delta_l1)
    net.descend(step, eta)
    return step


def sgd(net, examples, eta=ETA):
    """Stochastic gradient descent, for ever: descend after every example.

    The notebook's first training with an XorNet and XOR, its third with a
    RecurrentNet and SEQUENCES.  examples is a list of pairs (x, y) of Python floats,
    eta the learning rate.  Yields each example's step, when net has moved by it.
    """
    while True:
        for example in examples:
            step = net.backprop(example)
            net.descend(step, eta)
            yield step


def batch(net, examples, eta=ETA):
    """Batch gradient descent, for ever: descend after all examples, by their sum.

    The notebook's second training; takes an XorNet and otherwise what sgd does.
    Yields every step with its own corrections; net moves with the last example.
    """
    H = len(net.w2)
    while True:
        corr_w1, corr_w2 = [[0.0] * H, [0.0] * H], [0.0] * H
        corr_b1, corr_b2 = [0.0] * H, 0.0
        for n, example in enumerate(examples):
            step = net.backprop(example)
            for j in range(H):
                corr_w1[0][j] += step["corr_w1"][0][j]
                corr_w1[1][j] += step["corr_w1"][1][j]
                corr_w2[j] += step["corr_w2"][j]
                corr_b1[j] += step["corr_b1"][j]
            corr_b2 += step["corr_b2"]
            if n == len(examples) - 1:
                total = {"corr_w1": corr_w1, "corr_w2": corr_w2}
                total.update(corr_b1=corr_b1, corr_b2=corr_b2)
                net.descend(total, eta)
            yield step


# ----------------------------------------------- Vanilla recurrent neural network

# The notebook's Xr, where 1 follows only two zeros, in pairs (x, y): a bit at each
# time step, and the bit that follows it.
XR = ((0.0, 0.0, 1.0), (1.0, 1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
SEQUENCES = [(bits[:-1], bits[1:]) for bits in XR]


class RecurrentNet:
    """The second net: one input and its own previous state, over a sequence.

                        +--<--wh, bh--<--+
                        |                |
        x[k] ---w1---> H hidden units ---+---w2---> output lay2[k]
                            + b1                     + b2

    w1, w2, b1 and bh are H numbers, b2 is one; wh is H x H, wh[i][j] from previous
    hidden unit i to hidden unit j.  Takes lists of Python floats, and copies them.

    >>> net = RecurrentNet(w1=[1.0], w2=[2.0], b1=[0.0], b2=-1.0, wh=[[0.0]], bh=[-1.0])
    >>> net.backprop(((1.0, 1.0), (1.0, 0.0)))["delta_l2"]
    [-0.125, 0.125]
    """

    def __init__(self, w1, w2, b1, b2, wh, bh):
        self.w1, self.w2, self.b1, self.b2 = w1[:], w2[:], b1[:], b2
        self.wh, self.bh = [row[:] for row in wh], bh[:]

    def backprop(self, example):
        """Go forward and back through one sequence (x, y); returns the step.

        At every time step k, from the first to the last (before is lay1[k - 1]):

            act1[j] = (x*w1[j] + b1[j]) + ((sum_i before[i]*wh[i][j]) + bh[j])
            lay1[j] = sigmoid(act1[j])            act2 = (sum_j lay1[j]*w2[j]) + b2
            lay2    = sigmoid(act2)               E    = (lay2 - y)*(lay2 - y) / 2

        Then back, from the last to the first; later is what k + 1 has passed back:

            delta_l2       = (lay2 - y) * dsigmoid(lay2)
            delta_l1[j]    = (w2[j]*delta_l2 + later[j]) * dsigmoid(lay1[j])
            corr_w2[j]    += lay1[j]*delta_l2     corr_b2    += delta_l2
            corr_w1[j]    += x*delta_l1[j]        corr_b1[j] += delta_l1[j]
            corr_wh[i][j] += before[i]*delta_l1[j]     corr_bh[j] += delta_l1[j]

        In the step all but corr_* are lists over k.
        """
        x, y = example
        w1, w2, b1, b2, wh, bh = self.w1, self.w2, self.b1, self.b2, self.wh, self.bh
        H, hidden, time_steps = len(w2), range(len(w2)), range(len(x))

        act1, lay1 = [[0.0] * H for _ in x], [[0.0] * H for _ in x]
        act2, lay2, E = [0.0] * len(x), [0.0] * len(x), [0.0] * len(x)
        states = [[]] + lay1[:-1]  # a sum over no state is 0
        for k in time_steps:
            before = states[k]
            previous = range(len(before))
            for j in hidden:
                recurrent = 0.0
                for i in previous:
                    recurrent += before[i] * wh[i][j]
                act1[k][j] = x[k] * w1[j] + b1[j] + (recurrent + bh[j])
                lay1[k][j] = sigmoid(act1[k][j])
                act2[k] += lay1[k][j] * w2[j]
            act2[k] += b2
            lay2[k] = sigmoid(act2[k])
            E[k] = (lay2[k] - y[k]) * (lay2[k] - y[k]) / 2

        delta_l2, delta_l1 = [0.0] * len(x), [[0.0] * H for _ in x]
        corr_w1, corr_w2, corr_b1, corr_b2 = [0.0] * H, [0.0] * H, [0.0] * H, 0.0
        corr_wh = [[0.0] * H for _ in hidden]
        later = [0.0] * H
        for k in reversed(time_steps):
            before = states[k]
            previous = range(len(before))
            delta_l2[k] = (lay2[k] - y[k]) * dsigmoid(lay2[k])
            corr_b2 += delta_l2[k]
            for j in hidden:
                corr_w2[j] += lay1[k][j] * delta_l2[k]
                delta = (w2[j] * delta_l2[k] + later[j]) * dsigmoid(lay1[k][j])
                delta_l1[k][j] = delta
                corr_w1[j] += x[k] * delta
                corr_b1[j] += delta
                for i in previous:
                    corr_wh[i][j] += before[i] * delta
            later = self.passed_back(delta_l1[k])

        step = {"x": x, "y": y, "act1": act1, "lay1": lay1, "act2": act2, "lay2": lay2}
        step["E"], step["delta_l2"] = E, delta_l2
        step["corr_w2"], step["corr_b2"], step["delta_l1"] = corr_w2, corr_b2, delta_l1
        step["corr_w1"], step["corr_b1"] = corr_w1, corr_b1
        step["corr_wh"], step["corr_bh"] = corr_wh, corr_b1  # b1 and bh move alike
        return step

    def passed_back(self, delta_l1):
        """later, as a time step with this delta_l1 leaves it: here H zeros."""
        return [0.0] * len(delta_l1)

    def descend(self, corrections, eta):
        """w = w - eta*corr_w for every parameter w, corr_w taken from corrections."""
        w1, w2, b1, wh, bh = self.w1, self.w2, self.b1, self.wh, self.bh
        corr_w1, corr_w2 = corrections["corr_w1"], corrections["corr_w2"]
        corr_b1, corr_bh = corrections["corr_b1"], corrections["corr_bh"]
        corr_wh = corrections["corr_wh"]
        hidden = range(len(w2))
        for j in hidden:
            w1[j] -= eta * corr_w1[j]
            w2[j] -= eta * corr_w2[j]
            b1[j] -= eta * corr_b1[j]
            bh[j] -= eta * corr_bh[j]
            for i in hidden:
                wh[i][j] -= eta * corr_wh[i][j]
        self.b2 -= eta * corrections["corr_b2"]


class ThroughTimeNet(RecurrentNet):
    """A RecurrentNet that learns by backpropagation through time.

    The notebook's text speaks of it, its code leaves out this one equation.
    """

    def passed_back(self, delta_l1):
        """later[i] = sum_j wh[i][j]*delta_l1[j]: how before[i] moves later errors."""
        wh, hidden = self.wh, range(len(delta_l1))
        later = [0.0] * len(delta_l1)
        for i in hidden:
            for j in hidden:
                later[i] += wh[i][j] * delta_l1[j]
        return later


# ----------------------------------------------------------------- Random numbers

# A net's parameters, in the order in which the notebook draws them.
PARAMETERS = ("w1", "w2", "b1", "b2", "wh", "bh")


def random_stream(seed):
    """For ever the next number from [0, 1) after np.random.seed(seed), bit for bit.

    NumPy's legacy stream, the Mersenne Twister MT19937 (Matsumoto and Nishimura,
    1998) with its one-word seeding; seed is a whole number from 0 to 2^32 - 1.

    >>> stream = random_stream(1)
    >>> next(stream), next(stream)
    (0.417022004702574, 0.7203244934421581)
    """
    state = [seed]
    for n in range(1, 624):
        state.append((1812433253 * (state[-1] ^ state[-1] >> 30) + n) & 0xFFFFFFFF)
    while True:
        for n in range(624):
            mixed = state[n] & 0x80000000 | state[(n + 1) % 624] & 0x7FFFFFFF
            state[n] = state[(n + 397) % 624] ^ mixed >> 1
            if mixed % 2:
                state[n] ^= 0x9908B0DF
        words = []
        for word in state:
            word ^= word >> 11
            word ^= word << 7 & 0x9D2C5680
            word ^= word << 15 & 0xEFC60000
            words.append(word ^ word >> 18)
        for n in range(0, 624, 2):  # 53 bits from two words
            a, b = words[n] >> 5, words[n + 1] >> 6
            yield (a * 67108864 + b) / 9007199254740992


def zeros(kind, hidden):
    """The parameters of a kind of net with so many hidden units, all of them 0."""
    row = [0.0] * hidden
    if kind is XorNet:
        return {"w1": [row, row], "w2": row, "b1": row, "b2": 0.0}
    return {"w1": row, "w2": row, "b1": row, "b2": 0.0, "wh": [row] * hidden, "bh": row}


def filled(form, numbers):
    """The next of the numbers, in lists nested as form is."""
    if isinstance(form, list):
        return [filled(part, numbers) for part in form]
    return next(numbers)


def initial_parameters(kind, stream, hidden=HIDDEN):
    """The next draws of a random stream, from [-1, 1), as a net's parameters."""
    form, draws = zeros(kind, hidden), (2 * number - 1 for number in stream)
    return {name: filled(form[name], draws) for name in PARAMETERS if name in form}


# ---------------------------------------------------------------------- The oracle

FORMAT = "refnet-trace/2"
SEED, RTOL, ATOL = 1, 1e-9, 1e-12  # from seed 1 all trainings of a replay succeed
MOST_SEED, MOST_EPOCHS, MOST_HIDDEN = 0xFFFFFFFF, 1000000, 1000
DOUBLES = 1 + 2.0**-52 > 1  # whether floats here have 53 significant bits

# The trainings that have a name: a kind of net, how it is trained, and on what.
TRAININGS = {
    "xor-sgd": (XorNet, sgd, XOR),
    "xor-batch": (XorNet, batch, XOR),
    "rnn": (RecurrentNet, sgd, SEQUENCES),
    "rnn-bptt": (ThroughTimeNet, sgd, SEQUENCES),
}

# What a training is told, what it computes, and what of it comes in which order.
TOLD = ("net", "seed", "hidden", "eta", "epochs", "every", "examples", "initial")
PARTS = ("steps", "error", "final", "outputs")
FORWARD = ("x", "y", "act1", "lay1", "act2", "lay2", "E")
BACKWARD = ("delta_l2", "corr_w2", "corr_b2", "delta_l1", "corr_w1", "corr_b1")
ORDER = FORWARD + BACKWARD + ("corr_wh", "corr_bh") + PARAMETERS + PARTS
SCALED = ("E", "error") + ORDER[7:15]  # what a convention may multiply


def refused(place, expected, value, words=None):
    """The error for what cannot be taken: its place, what was expected, what came."""
    got = words or " ".join(repr(value).split())
    got = got if len(got) <= 60 else got[:57] + "..."
    return ValueError(f"{place}: expected {expected}, got {got}")


def plain(value):
    """An array, a tensor or an array's number as Python's own lists and numbers."""
    return value.tolist() if hasattr(value, "tolist") else value


def number(place, value, expected="a finite number", fits=isfinite):
    """value as a float, if it is a number that fits."""
    value = plain(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise refused(place, "a number", value)
    if not fits(value):
        raise refused(place, expected, value)
    return float(value)


def whole(place, value, low, high):
    """value, which may be written 1000.0, as an int from low to high."""
    words = f"a whole number from {low} to {high}"
    value = number(place, value, words, lambda n: low <= n <= high and n == int(n))
    return int(value)


def fields(place, value, known):
    """value, which must be a dictionary without other keys than those known."""
    if not isinstance(value, dict):
        raise refused(place, "an object with names", value)
    for key in value:
        if key not in known:
            raise refused(place, f"only {', '.join(known)}", key)
    return value


def listed(place, value):
    """value, which must be a list, or a tuple or an array."""
    value = plain(value)
    if not isinstance(value, (list, tuple)):
        raise refused(place, "a list", value)
    return value


def flat(place, value, lost=False):
    """The shape of nested lists, and their numbers, row by row, after their indices.

    Axes of length 1 do not count: (1, 3), (3, 1) and 3 numbers are the same.  Where
    rows differ, their shapes end it: (2, ((3,), (4,))).  A lost number is NaN or
    infinite, or None, which is taken for NaN.
    """
    value = plain(value)
    if not isinstance(value, (list, tuple)):
        value = float("nan") if lost and value is None else value
        return (), [((), number(place, value, fits=lambda n: lost or isfinite(n)))]
    shapes, numbers = [], []
    for n, part in enumerate(value):
        shape, row = flat(f"{place}[{n}]", part, lost)
        shapes.append(shape)
        numbers += [((n,) + indices, number) for indices, number in row]
    alike = shapes == shapes[:1] * len(shapes)
    rows = (shapes[0] if shapes else ()) if alike else (tuple(shapes),)
    return ((len(shapes),) if len(shapes) != 1 else ()) + rows, numbers


def spelled(shape):
    """shape in words: "2 x 3 numbers", or "2 numbers and one number"."""
    if shape and isinstance(shape[-1], tuple):
        return " and ".join([spelled(row) for row in shape[-1]])
    return " x ".join([str(n) for n in shape]) + " numbers" if shape else "one number"


def fitted(place, value, form):
    """value's numbers, nested as form is."""
    (shape, numbers), (wanted, _) = flat(place, value), flat(place, form)
    if shape != wanted:
        raise refused(place, spelled(wanted), None, spelled(shape))
    return filled(form, iter([number for _, number in numbers]))


def read_examples(kind, examples):
    """A copy of the examples, pairs (x, y), for a kind of net."""
    found = []
    for n, pair in enumerate(listed("examples", examples)):
        place, form = f"examples[{n}]", [[0.0, 0.0], 0.0]
        if kind is not XorNet:  # as many time steps as x has, and at least one
            x = [1 for indices, _ in flat(place, pair)[1] if indices[:1] == (0,)]
            form = [[0.0] * (len(x) or 1)] * 2
        found.append(fitted(place, pair, form))
    if not found:
        raise refused("examples", "at least one pair (x, y)", found)
    return found


def read_told(given):
    """What a training is told, read and checked once: the first part of a trace."""
    given = {key: given[key] for key in given if given[key] is not None}
    chosen = given.get("net")
    if chosen not in list(TRAININGS):
        raise refused("net", f"one of {', '.join(sorted(TRAININGS))}", chosen)
    kind, _, examples = TRAININGS[chosen]
    own = fields("initial", given.get("initial", {}), zeros(kind, 1))
    units = len(flat("initial.w2", own["w2"])[1]) if "w2" in own else HIDDEN
    hidden = whole("hidden", given.get("hidden", units or HIDDEN), 1, MOST_HIDDEN)
    told = {"net": chosen}
    if "seed" in given or "initial" not in given:
        told["seed"] = whole("seed", given.get("seed", SEED), 0, MOST_SEED)
        start = initial_parameters(kind, random_stream(told["seed"]), hidden)
    else:
        start = zeros(kind, hidden)
        for name in start:
            if name not in own:
                raise refused("initial", ", ".join(start), None, f"no {name}")
            start[name] = fitted(f"initial.{name}", own[name], start[name])
    told["hidden"], eta = hidden, given.get("eta", ETA)
    told["eta"] = number("eta", eta, "a number above 0", lambda n: 0 < n < 1e999)
    told["epochs"] = whole("epochs", given.get("epochs", EPOCHS), 1, MOST_EPOCHS)
    told["every"] = whole("every", given.get("every", 1), 1, MOST_EPOCHS)
    told["examples"] = read_examples(kind, given.get("examples", examples))
    told["initial"] = start
    return told


def kept(value):
    """A copy for a trace; ValueError if it is beyond a double's range."""
    if isinstance(value, dict):
        return {key: kept(value[key]) for key in value}
    if isinstance(value, (list, tuple)):
        return [kept(part) for part in value]
    if not isfinite(value):
        raise refused("training", "one that stays in a double's range", value)
    return value


def mean_error(steps):
    """The error of an epoch: the mean of E over all predictions in its steps."""
    total, predictions = 0.0, 0
    for step in steps:
        for E in step["E"] if isinstance(step["E"], list) else [step["E"]]:
            total += E
            predictions += 1
    return total / predictions


def computed(told, wanted):
    """The trace of what is told, with those of the steps 0, 1, ... that are wanted."""
    if not DOUBLES:
        raise RuntimeError("this interpreter's floats are narrower than a double")
    kind, training, _ = TRAININGS[told["net"]]
    net, examples, traced = kind(**told["initial"]), told["examples"], told.copy()
    learning = training(net, examples, told["eta"])
    traced["steps"], every = [], told["every"]
    error = array("d", [0.0] * ((told["epochs"] - 1) // every + 1))  # spares the heap
    for epoch in range(told["epochs"]):
        steps = []
        for n in range(len(examples)):
            steps.append(next(learning))
            if epoch * len(examples) + n in wanted:
                traced["steps"].append({"epoch": epoch, "example": n})
                traced["steps"][-1].update(kept(steps[n]))
                traced["steps"][-1].update(kept(net.__dict__))  # its parameters
        if epoch % every == 0:
            error[epoch // every] = mean_error(steps)
    traced["error"], traced["final"] = kept(list(error)), kept(net.__dict__)
    traced["outputs"] = kept([net.backprop(example)["lay2"] for example in examples])
    return traced


def trace(
    net="xor-sgd", seed=None, epochs=EPOCHS, eta=ETA, hidden=None, steps=None, **own
):
    """Everything a training computes, as a dictionary that is ready for JSON.

    net is "xor-sgd", "xor-batch", "rnn" or "rnn-bptt".  It starts from seed, or without
    one from initial, parameters by name, or from seed 1.  own may hold initial,
    examples, pairs (x, y) instead of the notebook's, and every, instead of 1.

    Returns what it was told, with initial; steps, the first so many (None: those of two
    epochs), each with its epoch, its example and the parameters that it leaves; the
    error of epochs 0, every, 2*every, ...; final, the parameters after the training;
    and outputs, what the trained net answers to every example.  Raises ValueError for
    what cannot be taken or leaves a double's range, RuntimeError without doubles.

    >>> trace("rnn", epochs=2, steps=1)["steps"][0]["lay2"]
    [0.2755886316680652, 0.30139886376869685]
    """
    fields("trace", own, ("initial", "examples", "every"))
    own.update(net=net, seed=seed, epochs=epochs, eta=eta, hidden=hidden)
    told = read_told(own)
    size = len(told["examples"])
    most = told["epochs"] * size
    count = min(2 * size, most) if steps is None else whole("steps", steps, 0, most)
    result = {"format": FORMAT}
    result.update(computed(told, range(count)))
    return result


PLACE = "part epoch example time_step quantity element"
Difference = namedtuple("Difference", PLACE + " got want")


class Report(list):
    """The Differences that check found wrong, the first computed first.

    Each has its place, epoch, example and time_step being None where they mean nothing;
    got and want are numbers, or the shapes where these differ.  str() tells it all.
    """

    def __str__(self):
        return self.text


def read_steps(steps, told):
    """A candidate's steps, each with its place, by how many examples came before."""
    found, size = {}, len(told["examples"])
    for n, step in enumerate(listed("steps", steps)):
        place = f"steps[{n}]"
        fields(place, step, step)
        most, last = told["epochs"] - 1, size - 1
        met = size * whole(f"{place}.epoch", step.get("epoch", n // size), 0, most)
        met += whole(f"{place}.example", step.get("example", n % size), 0, last)
        if met in found:
            raise refused(place, "every step once", None, f"{found[met][0]} again")
        found[met] = place, step
    return found


def compared(candidate, steps, traced):
    """All that candidate gives as Differences, in the order of computation."""
    found, deltas = [], ("delta_l2", "delta_l1")

    def moment(difference):  # forward through the time steps, back, and the sums
        name, k = difference.quantity, difference.time_step or 0
        return (0, k) if name in FORWARD else (1, -k) if name in deltas else (2, 0)

    for part in [part for part in ("initial",) + PARTS if part in candidate]:
        places, wants = [(part, candidate[part])], [traced[part]]
        if part == "steps":
            places, wants = [steps[met] for met in sorted(steps)], traced["steps"]
        for (place, given), want in zip(places, wants):
            if part in ("error", "outputs"):
                given, want = {part: given}, {part: want}
            fields(place, given, want)
            group, recurrent = [], isinstance(want.get("E"), list)
            for name in [name for name in ORDER if name in given]:
                label = name if name == part else f"{place}.{name}"
                shape, numbers = flat(label, given[name], lost=True)
                wanted, right = flat(name, want[name])
                at = [want.get("epoch"), want.get("example"), None]
                if shape != wanted:
                    wrong = Difference(part, *at, name, (), shape, wanted)
                    group += [wrong] * (len(numbers) or 1)  # all of them are wrong
                    continue
                # Which of epoch, example and time step the first indices are.
                axes = {"error": (0,), "outputs": (1, 2)}.get(part, ())
                axes = (2,) if recurrent and name in FORWARD + deltas else axes
                for (_, got), (element, number) in zip(numbers, right):
                    for axis, n in zip(axes, element):
                        at[axis] = n * traced["every"] if part == "error" else n
                    element = element[len(axes) :]
                    group.append(Difference(part, *at, name, element, got, number))
            found += sorted(group, key=moment) if recurrent else group
    return found


def within(got, want, rtol, atol):
    """Whether got is right; a shape, NaN and infinity never are."""
    return not isinstance(got, tuple) and abs(got - want) <= atol + rtol * abs(want)


def by_quantity(found):
    """The Differences found, under the titles of their quantities: "final w1"."""
    rows = {}
    for each in found:
        title = each.part + (f" {each.quantity}" if each.quantity != each.part else "")
        rows.setdefault(title, []).append(each)
    return rows


def constant(wrong, tolerance):
    """The c by which wrong is c times refnet's, all of it, three numbers at least."""
    known = [each for each in wrong if each.got and each.want]
    shapes = [each for each in wrong if isinstance(each.got, tuple)]
    if wrong[0].quantity not in SCALED or shapes or len(known) < 3:
        return None
    c = max([(abs(each.want), each.got / each.want) for each in known])[1]
    right = [each for each in wrong if within(each.got, c * each.want, *tolerance)]
    return c if len(right) == len(wrong) and f"{c:.6g}" != "1" else None


def convention(candidate, steps, told, tolerance):
    """The known convention, in words, by which all that candidate gives is right."""
    name, eta = told["net"], told["eta"]
    mean, twice = eta / len(told["examples"]), 2 * eta
    known = [  # the net that is told, the words, what to tell instead, the factor
        (name, None, {}, 1),  # where constant factors are all, no convention is needed
        ("xor-sgd", "a batch, one update after all examples", {"net": "xor-batch"}, 1),
        ("xor-batch", "single updates, after every example", {"net": "xor-sgd"}, 1),
        ("xor-batch", "batch corrections averaged instead of summed", {"eta": mean}, 1),
        ("rnn", "backpropagation through time", {"net": "rnn-bptt"}, 1),
        ("rnn-bptt", "no backpropagation through time", {"net": "rnn"}, 1),
        (name, "an error without the factor 1/2, and its gradient", {"eta": twice}, 2),
    ]
    for _, words, change, factor in [each for each in known if each[0] == name]:
        try:
            traced = computed(dict(told, **change), steps)
        except ValueError:  # it leaves a double's range
            continue
        for row in by_quantity(compared(candidate, steps, traced)).values():
            c = factor if row[0].quantity in SCALED else 1
            wrong = [d for d in row if not within(d.got, d.want * c, *tolerance)]
            if wrong and (factor != 1 or constant(row, tolerance) is None):
                break
        else:
            return words
    return None


def place_of(difference):
    """Where a Difference is, in words."""
    words = zip(("epoch", "example", "time step"), difference[1:4])
    words = [difference.part] + [f"{word} {n}" for word, n in words if n is not None]
    if difference.quantity != difference.part:
        indices = [f"[{n}]" for n in difference.element]
        words.append(difference.quantity + "".join(indices))
    return ", ".join(words)


def described(told):
    """The size of a training and its start, in words."""
    hidden, epochs = told["hidden"], told["epochs"]
    words = f"{hidden} hidden unit{'s' * (hidden != 1)}, eta {told['eta']}, "
    words += f"{epochs} epoch{'s' * (epochs != 1)}, "
    return words + (f"seed {told['seed']}" if "seed" in told else "own start")


def table(found, tolerance):
    """A line for every quantity found: how much of it is wrong, how far, and where."""
    lines = ["quantity       values wrong absolute relative epoch example"]
    for title, row in by_quantity(found).items():
        absolute, relative = 0.0, 0.0
        for each in row:
            finite = isinstance(each.got, float) and isfinite(each.got)
            far = abs(each.got - each.want) if finite else float("inf")
            absolute = max(absolute, far)
            if each.want or not finite:
                relative = max(relative, far / abs(each.want) if finite else far)
        wrong = [d for d in row if not within(d.got, d.want, *tolerance)]
        line = f"{title:<14}{len(row):>7}{len(wrong):>6}"
        line += f"{absolute:>9.2g}{relative:>9.2g}"
        if wrong:
            epoch, example = ["" if n is None else n for n in wrong[0][1:3]]
            c = constant(wrong, tolerance)
            line += f"{epoch:>6}{example:>8}"
            line += "" if c is None else f" {c:.6g} times refnet's"
        lines.append(line.rstrip())
    return lines


def unseen(traced, results, tolerance):
    """What a PASS did not see, in lines."""
    parts, lines = [each.part for each in results], []
    missing = [part for part in PARTS if part not in parts]
    if missing:
        lines.append("Not given: " + ", ".join(missing))
    start = compared({"final": traced["initial"]}, {}, traced)  # the end is wanted
    row = [(d.quantity, d.element[:-1]) for d in start]  # of one number per hidden unit
    later = [n for n in range(1, len(start)) if row[n] == row[n - 1]]
    if later and all(start[n].got == start[n - 1].got for n in later):
        lines.append("All hidden units start alike, which hides exchanged weights.")
    if all(within(d.got, d.want, *tolerance) for d in start):
        lines.append("No parameter moved from the start to the end.")
    return lines


def check(candidate, rtol=RTOL, atol=ATOL):
    """Compare what another build computed with refnet, run from the same start.

    candidate is a dictionary with keys of trace's: net, the start (seed or initial),
    what else of the training is not the default, and any part of steps, error, final
    and outputs.  A step without epoch and example is known by its place in the list.
    A value is right if abs(got - want) <= atol + rtol*abs(want).

    Returns a Report, a list that is empty where all is right.  Raises ValueError for
    what cannot be compared, RuntimeError where floats are narrower than a double.

    >>> check({"net": "rnn", "seed": 1, "epochs": 1, "error": [0.1234567]})[0].want
    0.12321974674518642
    """
    takes = "a number from 0 to less than 1", lambda n: 0 <= n < 1
    tolerance = number("rtol", rtol, *takes), number("atol", atol, *takes)
    fields("candidate", candidate, ("format",) + TOLD + PARTS)
    candidate = {key: candidate[key] for key in candidate if candidate[key] is not None}
    if candidate.get("format", FORMAT) != FORMAT:
        news = f"{FORMAT!r}, where an RNN's steps have x and y per time step"
        raise refused("format", news, candidate["format"])
    if "seed" not in candidate and "initial" not in candidate:
        raise refused("seed", "seed or initial to start from", None, "neither")
    told = read_told(candidate)
    if "seed" not in candidate:
        del candidate["initial"]  # is where refnet starts, too
    steps = read_steps(candidate.get("steps", []), told)
    traced = computed(told, steps)
    found = compared(candidate, steps, traced)
    results = [d for d in found if d.part != "initial" and d.quantity not in ("x", "y")]
    if not results:
        raise refused("candidate", f"some of {', '.join(PARTS)}", None, "nothing")

    n, usual = len(told["examples"]), kept(TRAININGS[told["net"]][2])
    whose = f"{'notebook' if told['examples'] == usual else 'own'} example"
    lines = [f"{told['net']}, {n} {whose}{'s' * (n != 1)}, {described(told)}"]
    lines += table(found, tolerance)
    wrong = [d for d in found if not within(d.got, d.want, *tolerance)]
    limits = f"rtol {tolerance[0]:g}, atol {tolerance[1]:g}"
    if not wrong:
        lines.append(f"PASS: all {len(found)} values within {limits}")
        lines += unseen(traced, results, tolerance)
    else:
        first = wrong[0]
        lines.append(f"FAIL: {len(wrong)} of {len(found)} values beyond {limits}")
        lines.append("The first, in the order of computation, is in")
        lines.append(f"  {place_of(first)}")
        both = (first.got, first.want)
        got, want = [spelled(n)[:72] if isinstance(n, tuple) else repr(n) for n in both]
        lines += [f"  got   {got}", f"  want  {want}"]
        if not isinstance(first.got, tuple):
            lines.append(f"  difference {first.got - first.want:.3g}")
        words = convention(candidate, steps, told, tolerance)
        if words:
            lines.append("All of it agrees with another convention:\n  " + words)
        given = [d.got for d in results if within(d.got, d.got, 0, 0)]
        exact = [n for n in given if float(f"{n:.9g}") != n and frexp(n)[0] * 2**24 % 1]
        if given and not exact:
            words = "or single precision: print 17, or give --rtol."
            lines.append("All values have 9 digits at most " + words)
    report = Report([d for n, d in enumerate(wrong) if n == 0 or d is not wrong[n - 1]])
    report.text = "\n".join(lines)
    return report


# ---------------------------------------------------------------------- The replay


def plot(curve):
    """An error curve in lines: a column shows the range of its epochs' errors."""
    top, columns = 1e-9, []
    for error in curve:
        top = max(top, error) if isfinite(error) else top
    for n in range(64):
        start, stop = n * len(curve) // 64, (n + 1) * len(curve) // 64
        errors = [e for e in curve[start : max(start + 1, stop)] if isfinite(e)]
        rows = [int(error / top * 12 + 0.5) for error in errors]
        columns.append((min(rows), max(rows)) if rows else (1, 0))
    lines = ["error"]
    for row in range(12, -1, -1):
        label = f"{top * row / 12:8.5f} |" if row % 3 == 0 else "         |"
        stars = ["*" if low <= row <= high else " " for low, high in columns]
        lines.append((label + "".join(stars)).rstrip())
    lines.append(" " * 9 + "+" + "-" * 64)
    lines.append(f"   epoch  0{len(curve) // 2:>32}{len(curve):>31}")
    return lines


def replay(net, learning, examples, epochs):
    """Train net, and print it; returns how many of its answers are wrong."""
    curve, recurrent = array("d", [0.0] * epochs), isinstance(net, RecurrentNet)
    for n in range(epochs):
        steps = [next(learning) for _ in examples]
        curve[n] = mean_error(steps)
        for step in steps if n % 1000 == 0 else []:
            x, y, lay2 = step["x"], step["y"], step["lay2"]
            for a, b, out in zip(x, y, lay2) if recurrent else []:
                print(f"{a:.0f} - > {b:.0f} ({out:.3f}|{out > 0.5:d})", end="")
            if not recurrent:
                print(f"| {y:.0f}, {lay2:.3f}", end="")
            if recurrent or step is steps[-1]:
                print(f" < --- {n}")
    print("\n" + "\n".join(plot(curve)) + "\n")

    print("The third bit, from the first two:\n" if recurrent else "", end="")
    print("input   wanted   output")
    wrong = 0
    for x, y in examples:
        lay2 = net.backprop((x, y))["lay2"]
        y, lay2 = (y[-1], lay2[-1]) if recurrent else (y, lay2)
        words = "right" if abs(lay2 - y) < 0.5 else "WRONG"
        wrong += words == "WRONG"
        print(f"{x[0]:.0f} {x[1]:.0f}     {y:>6.0f}{lay2:9.3f}   {words}")
    print(f"Final error {curve[-1]:.5f}, the last epoch's mean, as the weights moved.")
    if recurrent:
        print("For fixed weights it cannot be below 1/16 = 0.0625: see README.md.")
    if wrong:
        print(f"FAILED: {wrong} of 4 answers are wrong; this start did not learn them.")
    return wrong


def run(seed=SEED, epochs=EPOCHS, eta=ETA, hidden=HIDDEN):
    """Replay the notebook from top to bottom after np.random.seed(seed), and print.

    Raises ValueError for an argument out of range.
    """
    told = {"net": "xor-sgd", "seed": seed, "epochs": epochs, "eta": eta}
    told = read_told(dict(told, hidden=hidden))
    stream = random_stream(told["seed"])
    print("Neural networks handcrafted\n" + described(told))
    if not DOUBLES:
        print("WARNING: floats narrower than a double: these are not refnet's numbers.")

    print("\nOne worked step, on the first example\n" + "-" * 37)
    print("With its slips: wrong sign, derivative at act, w2 used after its update.")
    net = XorNet(**initial_parameters(XorNet, stream, told["hidden"]))
    step = worked_step(net, XOR[0], told["eta"])
    rows = [(name, step[name]) for name in ORDER[2:] if name in step]
    rows += [("new " + name, net.__dict__[name]) for name in PARAMETERS[:4]]
    for name, value in rows:
        # Adding 0 makes -0.0 a plain 0.
        words = [f"{number + 0:10.6f}" for _, number in flat(name, value, lost=True)[1]]
        for n in range(0, len(words), 6):
            print(f"{'' if n else name:<10}" + " ".join(words[n : n + 6]))

    failures = []
    for name, title in (
        ("xor-sgd", "XOR by stochastic gradient descent: update after every example"),
        ("xor-batch", "XOR by batch gradient descent: update after all four examples"),
        ("rnn", "The recurrent net: 1 follows only two zeros"),
    ):
        kind, training, examples = TRAININGS[name]
        if failures:  # the first training starts from what the worked step leaves
            net = kind(**initial_parameters(kind, stream, told["hidden"]))
        print(f"\n{title}\n{'-' * len(title)}")
        learning = training(net, examples, told["eta"])
        failures.append(replay(net, learning, examples, told["epochs"]))

    print("\nSummary\n-------")
    titles = ("XOR, stochastic:", "XOR, batch:", "Recurrent net:")
    for title, wrong in zip(titles, failures):
        print(f"{title:<17}" + (f"FAILED, {wrong} wrong" if wrong else "learned"))


# ---------------------------------------------------------------- The command line


def read_json(path):
    """What the JSON file at path holds, nan and inf as printf writes them, too."""
    import json
    import re

    def once(pairs):
        if len(dict(pairs)) < len(pairs):
            raise ValueError(f"a name stands twice in {[name for name, _ in pairs]}")
        return dict(pairs)

    with open(0 if path == "-" else path, encoding="utf-8-sig") as file:
        try:
            text = re.sub(r"(?i)-?\bnan\b(\(\w*\))?", "NaN", file.read())
            text = re.sub(r"(?i)\binf(inity)?\b", "Infinity", text)
            return json.loads(text, object_pairs_hook=once, parse_int=float)
        except ValueError as error:
            raise ValueError(f"{path}: expected JSON; {error}") from None


def obey(argv):
    """Do what the command line says; returns 1 where a check failed, else 0."""
    if not argv:  # which needs no argparse: MicroPython has none
        run()
        return 0
    import json
    import os
    import sys
    from argparse import SUPPRESS, ArgumentParser

    prog = f"{os.path.basename(sys.executable)} {sys.argv[0]}"
    prog = prog if prog.endswith(".py") else "refnet"
    parser = ArgumentParser(prog, argument_default=SUPPRESS)
    parser.epilog = "check ends with status 0 (PASS), 1 (FAIL) or 2 (no usable file)."
    add, commands = parser.add_argument, ("run", "trace", "check")
    add("--version", action="version", version=f"refnet {__version__}")
    about = "replay (the default), write what a training computes, or check a build"
    add("command", nargs="?", choices=commands, default="run", help=about)
    names = ", ".join(sorted(TRAININGS))
    about = f"{names}; or a file, - for standard input"
    add("target", nargs="?", metavar="NET_OR_FILE", help=about)
    add("--seed", type=int, metavar="S", help=f"of the random start (default: {SEED})")
    add("--epochs", type=int, metavar="N", help=f"(default: {EPOCHS})")
    add("--eta", type=float, metavar="X", help=f"learning rate (default: {ETA})")
    add("--hidden", type=int, metavar="H", help=f"hidden units (default: {HIDDEN})")
    add("--steps", type=int, metavar="K", help="to trace (default: two epochs of them)")
    add("--rtol", type=float, metavar="R", help=f"relative tolerance (default: {RTOL})")
    add("--atol", type=float, metavar="A", help=f"absolute tolerance (default: {ATOL})")
    options = vars(parser.parse_intermixed_args(argv))
    command, target = options.pop("command"), options.pop("target", None)
    if (command == "run") != (target is None):
        parser.error("trace and check take one NET_OR_FILE, run takes none")
    if command == "run":
        run(**options)
    elif command == "check":
        report = check(read_json(target), **options)
        print(report)
        return 1 if report else 0
    else:
        if target not in TRAININGS and target != "-" and not os.path.exists(target):
            raise refused("NET_OR_FILE", f"one of {names} or a file", target)
        told = {"net": target} if target in TRAININGS else read_json(target)
        fields(target, told, told)
        told = {key: told.get(key) for key in TOLD}
        told.update(options)
        print(json.dumps(trace(**told), indent=1))
    return 0


def main(argv=None):
    """The program: does what argv says (None: the command line); returns the status."""
    import sys

    try:
        import signal

        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` ends it quietly
    except (ImportError, AttributeError):  # MicroPython, Windows
        pass
    try:
        return obey(sys.argv[1:] if argv is None else argv)
    except KeyboardInterrupt:
        return 130
    except (ImportError, OSError, RuntimeError, TypeError, ValueError) as error:
        text = str(error).encode("ascii", "backslashreplace").decode()
        print(f"refnet: {text}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    raise SystemExit(main())
