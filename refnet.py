"""Two handcrafted neural nets in plain lists: the reference for other builds.

The notebook "Neural networks handcrafted" (D. Krzeminski, 2018) teaches two
small nets in NumPy: a 2-3-1 sigmoid net that learns XOR, and a recurrent net
that learns that a third bit is 1 only after two zeros.  This module computes
the same numbers with lists and the math module.  As a program it has three uses:

    python3 refnet.py                  replay the whole notebook
    python3 refnet.py trace NET        write every number of a training as JSON
    python3 refnet.py check FILE       tell another build where it is wrong

As a library, it trains a net, and what was computed last can be read off the net:

    >>> import refnet
    >>> start = refnet.initial_parameters(refnet.XorNet, refnet.RandomState(1))
    >>> net = refnet.XorNet(**start)
    >>> training = refnet.sgd(net, refnet.XOR, eta=0.1)
    >>> for epoch in range(10000):
    ...     error, outputs = next(training)
    >>> print(round(error, 5), [round(output, 3) for output in outputs])
    0.00215 [0.046, 0.947, 0.929, 0.085]
    >>> print(round(net.forward((1, 0)), 3), round(net.act2, 3))
    0.947 2.876

Read it from the top: the problems, one neuron, the two nets, their training,
the notebook's first step.  The rest serves that: input checks, NumPy's random
numbers, the oracle (trace and check), the command line.
"""

from math import exp, frexp, isfinite

TYPE_CHECKING = False  # a type checker takes it for True
if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any, NoReturn, TypeAlias

    Shape = tuple[int, ...]
    Shapes = list[tuple[str, Shape]]
    Read = tuple[Shape, list[float]]
    Rows = list[tuple[list[float], list[float]]]
    Example = Any  # (x, y) to an XorNet, a whole sequence to a RecurrentNet
    Epochs = Iterator[tuple[float, list[float]]]
    Kind = type["XorNet | RecurrentNet"]
    Learner: TypeAlias = "XorNet | RecurrentNet | Recorder"
    Trained = tuple[Kind, Sequence[object], Callable[..., Epochs]]
    Parts = dict[tuple[str, int], dict[str, object]]
    Given = list[tuple[str, int, str, Read]]

__version__ = "1.0.0"
__all__ = [
    "SEQUENCES",
    "XOR",
    "Difference",
    "Net",
    "RandomState",
    "RecurrentNet",
    "Report",
    "ThroughTimeNet",
    "XorNet",
    "batch",
    "check",
    "dsigmoid",
    "initial_parameters",
    "main",
    "run",
    "sgd",
    "sigmoid",
    "squared_error",
    "trace",
    "worked_step",
]

# ---------------------------------------------------------------- The problems

# (x, y): two inputs and the wanted output, in the notebook's order.
XOR = [((0, 0), 0), ((1, 0), 1), ((0, 1), 1), ((1, 1), 0)]

# Each bit is to be told from those before it; the third is 1 only after 0, 0.
SEQUENCES = [[0, 0, 1], [1, 1, 0], [1, 0, 0], [0, 1, 0]]

# The notebook's learning rate, number of epochs, and number of hidden units.
ETA, EPOCHS, HIDDEN = 0.1, 10000, 3


# ------------------------------------------------------------------ One neuron


def sigmoid(a: float) -> float:
    """A neuron's output at activation a: 1 / (1 + exp(-a)), the notebook's sigmoid.

    >>> sigmoid(0), sigmoid(-1000)
    (0.5, 0.0)
    """
    try:
        return 1 / (1 + exp(-a))
    except (OverflowError, ValueError):  # the latter is MicroPython's
        return 0.0  # 1 / (1 + infinity), as NumPy has it


def dsigmoid(y: float) -> float:
    """The sigmoid's derivative where its output is y: y*(1 - y), as in the notebook.

    >>> dsigmoid(sigmoid(0))
    0.25
    """
    return y * (1 - y)


def squared_error(lay2: float, y: float) -> float:
    """The notebook's E, of output lay2 where y is wanted: (lay2 - y)*(lay2 - y) / 2.

    >>> squared_error(0.5, 1)
    0.125
    """
    return (lay2 - y) * (lay2 - y) / 2


# ---------------------------------------------------------------- The two nets


class Net:
    """What both nets share: their parameters, the output unit, and the descent.

    A net has H hidden units, one output unit, and three verbs: forward computes
    the output, backward adds the error's gradient to the corrections, descend
    subtracts the corrections and clears them.  What the last example computed
    stays on the net under the notebook's names, in a RecurrentNet as lists with
    an entry per time step: act1_mem for act1, and so on.

        w1, b1      H weights from each input, H biases
        w2, b2      H weights to the output unit, its bias
        act1, lay1  the H hidden units' activations and outputs
        act2, lay2  the output unit's activation and output
        E           the error of lay2
        delta_l2    dE/dact2
        delta_l1    dE/dact1, H numbers
        corr_w1     the gradient dE/dw1, collected; so for every parameter

    In a RecurrentNet these are the derivatives with the previous state held
    constant, as in the notebook, unless it learns through time.
    """

    if TYPE_CHECKING:
        w2: list[float]
        b1: list[float]
        b2: float
        corr_w2: list[float]
        corr_b1: list[float]
        corr_b2: float
        shapes: Callable[[int], Shapes]
        rows: Callable[[], Rows]

    def __init__(self, given: "dict[str, object]") -> None:
        read = {name: flattened(name, given[name]) for name in given}
        shapes = self.shapes(hidden_units("b1", read["b1"]))
        for name, shape in shapes:
            numbers = fit(name, read[name], shape)
            # Zeros of their own type: float, but a test can make it Decimal.
            zeros = [w - w for w in numbers]
            setattr(self, name, nested(shape, iter(numbers)))
            setattr(self, "corr_" + name, nested(shape, iter(zeros)))
        self.names = [name for name, shape in shapes]
        self.hidden = list(range(len(self.b1)))
        self.zero = self.corr_b2
        self.zeros = self.corr_b1[:]

    def parameters(self) -> "dict[str, object]":
        """A copy of the parameters, by name, as the constructor takes them."""
        return {name: copied(getattr(self, name)) for name in self.names}

    def finish_forward(self, act1: "list[float]") -> "tuple[list[float], float, float]":
        """From the hidden units' activations to the output: lay1, act2, lay2.

        lay1[j] = sigmoid(act1[j])
        act2    = (sum_j lay1[j]*w2[j]) + b2
        lay2    = sigmoid(act2)
        """
        w2 = self.w2
        lay1 = []
        act2 = self.zero
        for j in self.hidden:
            lay1_j = sigmoid(act1[j])
            lay1.append(lay1_j)
            act2 += lay1_j * w2[j]
        act2 += self.b2
        return lay1, act2, sigmoid(act2)

    def start_backward(
        self,
        lay1: "list[float]",
        lay2: float,
        y: float,
        later: "list[float] | None" = None,
    ) -> "tuple[float, float, list[float]]":
        """From the output back to the hidden units: E, delta_l2, delta_l1.

            delta_l2    = (lay2 - y) * dsigmoid(lay2)
            delta_l1[j] = (w2[j]*delta_l2) * dsigmoid(lay1[j])

            corr_w2[j] += lay1[j]*delta_l2;  corr_b2 += delta_l2
            corr_b1[j] += delta_l1[j]

        In backpropagation through time w2[j]*delta_l2 + later[j] takes the place
        of w2[j]*delta_l2, later being what comes back from later time steps.
        """
        w2, corr_w2, corr_b1 = self.w2, self.corr_w2, self.corr_b1
        delta_l2 = (lay2 - y) * dsigmoid(lay2)
        self.corr_b2 += delta_l2
        delta_l1 = []
        for j in self.hidden:
            corr_w2[j] = corr_w2[j] + lay1[j] * delta_l2
            back = w2[j] * delta_l2
            if later:
                back += later[j]
            delta = back * dsigmoid(lay1[j])
            corr_b1[j] = corr_b1[j] + delta
            delta_l1.append(delta)
        return squared_error(lay2, y), delta_l2, delta_l1

    def descend(self, eta: float, rows: "Rows | None" = None) -> None:
        """w = w - eta*corr for every parameter w; then every correction is 0.

        rows is what self.rows() returns; for speed, a training asks for it once
        an epoch.
        """
        zero = self.zero
        rows = rows or self.rows()
        for j in self.hidden:
            for w, corr in rows:
                w[j] = w[j] - eta * corr[j]
                corr[j] = zero
        self.b2 = self.b2 - eta * self.corr_b2
        self.corr_b2 = zero


class XorNet(Net):
    """The first net: two inputs, H hidden units, one output.

        x[0] ---w1[0]---> H hidden units ---w2---> output
        x[1] ---w1[1]--->      + b1                 + b2

    w1 is 2 x H, w1[i][j] from input i to hidden unit j; w2 and b1 are H
    numbers, b2 is one.  Lists, tuples, arrays and tensors are taken, axes of
    length 1 do not count, and all is copied.

    Raises TypeError for what is not a number, ValueError for NaN, infinity, no
    hidden unit, and shapes that do not fit together.

    >>> net = XorNet(w1=[[1], [-1]], w2=[2], b1=[0], b2=-1)
    >>> net.forward((1, 1))
    0.5
    >>> net.backward((1, 1), 0)
    0.125
    >>> net.delta_l2, net.corr_w2, net.corr_w1
    (0.125, [0.0625], [[0.0625], [0.0625]])
    >>> net.descend(eta=0.5)
    >>> net.w2, net.corr_w2
    ([1.96875], [0.0])
    """

    if TYPE_CHECKING:
        w1: list[list[float]]
        corr_w1: list[list[float]]
        act1: list[float]
        lay1: list[float]

    def __init__(self, w1: object, w2: object, b1: object, b2: object) -> None:
        given = {"w1": w1, "w2": w2, "b1": b1, "b2": b2}
        super().__init__(given)

    @staticmethod
    def shapes(hidden: int) -> "Shapes":
        """Every parameter and its shape, in the order in which they are drawn."""
        return [("w1", (2, hidden)), ("w2", (hidden,)), ("b1", (hidden,)), ("b2", ())]

    def rows(self) -> "Rows":
        """Every row of H parameters, with its row of corrections."""
        w1, corr_w1 = self.w1, self.corr_w1
        return [
            (w1[0], corr_w1[0]),
            (w1[1], corr_w1[1]),
            (self.w2, self.corr_w2),
            (self.b1, self.corr_b1),
        ]

    def forward(self, x: "Sequence[float]") -> float:
        """Compute the output for the two inputs x; returns lay2.

        act1[j] = (sum_i x[i]*w1[i][j]) + b1[j], and what finish_forward computes.
        """
        x0, x1 = x
        w1_0, w1_1 = self.w1
        b1, zero = self.b1, self.zero
        self.act1 = act1 = []
        for j in self.hidden:
            act1.append(zero + x0 * w1_0[j] + x1 * w1_1[j] + b1[j])
        self.lay1, self.act2, self.lay2 = self.finish_forward(act1)
        return self.lay2

    def backward(self, x: "Sequence[float]", y: float) -> float:
        """Add the gradient for wanted output y, after forward(x); returns E.

        corr_w1[i][j] += x[i]*delta_l1[j], and what start_backward adds.
        """
        x0, x1 = x
        corr_w1_0, corr_w1_1 = self.corr_w1
        self.E, self.delta_l2, self.delta_l1 = self.start_backward(
            self.lay1, self.lay2, y
        )
        delta_l1 = self.delta_l1
        for j in self.hidden:
            corr_w1_0[j] = corr_w1_0[j] + x0 * delta_l1[j]
            corr_w1_1[j] = corr_w1_1[j] + x1 * delta_l1[j]
        return self.E

    def example(self, name: str, given: object) -> "tuple[list[float], float]":
        """A checked copy of one training example: what forward and backward take."""
        pair = items(given)
        if pair is None or len(pair) != 2:
            raise ValueError(f"{name}: expected a pair (x, y), got {shown(given)}")
        x = flattened(name + "[0]", pair[0])
        y = flattened(name + "[1]", pair[1])
        return fit(name + "[0]", x, (2,)), fit(name + "[1]", y, ())[0]

    def learn(
        self, example: "tuple[list[float], float]", error: float, outputs: "list[float]"
    ) -> float:
        """forward, then backward; outputs gets lay2; returns error + E."""
        x, y = example
        outputs.append(self.forward(x))
        return error + self.backward(x, y)


class RecurrentNet(Net):
    """The second net: one input and its own previous state, over a sequence.

                        +--<--wh, bh--<--+
                        |                |
        x[k] ---w1---> H hidden units ---+---w2---> output, to be x[k + 1]
                            + b1                     + b2

    w1, w2, b1 and bh are H numbers, wh is H x H, wh[i][j] from previous hidden
    unit i to hidden unit j, b2 is one number; taken, copied and refused as by
    XorNet.  act1_mem, lay1_mem, act2_mem, lay2_mem, E_mem, delta_l2_mem and
    delta_l1_mem keep one entry per time step; lay1_mem starts with the state
    before the first step, H zeros, so lay1_mem[k + 1] belongs to step k.

    As in the notebook, backward holds the previous hidden state constant;
    ThroughTimeNet does not.

    >>> net = RecurrentNet(w1=[1], w2=[2], b1=[0], b2=-1, wh=[[0]], bh=[-1])
    >>> net.forward([1, 1, 0])
    [0.5, 0.5]
    >>> net.backward([1, 1, 0])
    [0.125, 0.125]
    >>> net.delta_l2_mem, net.corr_wh
    ([-0.125, 0.125], [[0.03125]])
    """

    through_time = False  # what backward does unless it is told

    if TYPE_CHECKING:
        w1: list[float]
        wh: list[list[float]]
        bh: list[float]
        corr_w1: list[float]
        corr_wh: list[list[float]]
        corr_bh: list[float]
        act1_mem: list[list[float]]
        lay1_mem: list[list[float]]
        act2_mem: list[float]
        lay2_mem: list[float]
        E_mem: list[float]
        delta_l2_mem: list[float]
        delta_l1_mem: list[list[float]]

    def __init__(
        self,
        w1: object,
        w2: object,
        b1: object,
        b2: object,
        wh: object,
        bh: object,
    ) -> None:
        given = {"w1": w1, "w2": w2, "b1": b1, "b2": b2, "wh": wh, "bh": bh}
        super().__init__(given)

    @staticmethod
    def shapes(hidden: int) -> "Shapes":
        """Every parameter and its shape, in the order in which they are drawn."""
        vector = (hidden,)
        first = [("w1", vector), ("w2", vector), ("b1", vector), ("b2", ())]
        return first + [("wh", (hidden, hidden)), ("bh", vector)]

    def rows(self) -> "Rows":
        """Every row of H parameters, with its row of corrections."""
        return list(zip(self.wh, self.corr_wh)) + [
            (self.w1, self.corr_w1),
            (self.w2, self.corr_w2),
            (self.b1, self.corr_b1),
            (self.bh, self.corr_bh),
        ]

    def forward(self, x: "Sequence[float]") -> "list[float]":
        """Compute one output after every bit of x but the last; returns lay2_mem.

        act1[j] = (x[k]*w1[j] + b1[j]) + ((sum_i before[i]*wh[i][j]) + bh[j])

        where before is lay1 of step k - 1, and what finish_forward computes.
        """
        w1, b1, wh, bh = self.w1, self.b1, self.wh, self.bh
        hidden, zero = self.hidden, self.zero
        before = self.zeros[:]
        self.act1_mem, self.lay1_mem = [], [before]
        self.act2_mem, self.lay2_mem = [], []
        for k in range(len(x) - 1):
            act1 = []
            for j in hidden:
                recurrent = zero
                for i in hidden:
                    recurrent += before[i] * wh[i][j]
                act1.append(x[k] * w1[j] + b1[j] + (recurrent + bh[j]))
            lay1, act2, lay2 = self.finish_forward(act1)
            self.act1_mem.append(act1)
            self.lay1_mem.append(lay1)
            self.act2_mem.append(act2)
            self.lay2_mem.append(lay2)
            before = lay1
        return self.lay2_mem

    def backward(
        self, x: "Sequence[float]", through_time: "bool | None" = None
    ) -> "list[float]":
        """Add the gradient over the sequence, after forward(x); returns E_mem.

        From the last time step to the first, each with x[k + 1] wanted:

            corr_w1[j]    += x[k]*delta_l1[j]
            corr_wh[i][j] += before[i]*delta_l1[j];  corr_bh[j] += delta_l1[j]

        and what start_backward adds.  through_time=True hands on to step k - 1

            later[i] = sum_j wh[i][j]*delta_l1[j]

        which makes it backpropagation through time, the gradient of the whole
        sequence's error.  None stands for the net's own through_time.
        """
        if through_time is None:
            through_time = self.through_time
        wh, corr_w1, corr_wh = self.wh, self.corr_w1, self.corr_wh
        corr_bh, hidden, zero = self.corr_bh, self.hidden, self.zero
        later: list[float] | None = None
        self.E_mem, self.delta_l2_mem, self.delta_l1_mem = [], [], []
        for k in range(len(x) - 2, -1, -1):
            before, lay1 = self.lay1_mem[k], self.lay1_mem[k + 1]
            E, delta_l2, delta_l1 = self.start_backward(
                lay1, self.lay2_mem[k], x[k + 1], later
            )
            for j in hidden:
                delta = delta_l1[j]
                corr_w1[j] = corr_w1[j] + x[k] * delta
                corr_bh[j] = corr_bh[j] + delta
                for i in hidden:
                    corr_wh[i][j] += before[i] * delta
            if through_time:
                later = []
                for i in hidden:
                    total = zero
                    for j in hidden:
                        total += wh[i][j] * delta_l1[j]
                    later.append(total)
            self.E_mem.append(E)
            self.delta_l2_mem.append(delta_l2)
            self.delta_l1_mem.append(delta_l1)
        self.E_mem.reverse()
        self.delta_l2_mem.reverse()
        self.delta_l1_mem.reverse()
        return self.E_mem

    def example(self, name: str, given: object) -> "list[float]":
        """A checked copy of one training sequence: what forward and backward take."""
        shape, numbers = flattened(name, given)
        if len(squeezed(shape)) != 1 or len(numbers) < 2:
            wanted = "expected a sequence of two numbers or more"
            raise ValueError(f"{name}: {wanted}, got {spelled(shape)}")
        return numbers

    def learn(
        self, example: "list[float]", error: float, outputs: "list[float]"
    ) -> float:
        """forward, then backward; outputs gets every lay2; returns error + every E."""
        outputs += self.forward(example)
        for E in self.backward(example):
            error += E
        return error


class ThroughTimeNet(RecurrentNet):
    """A RecurrentNet that learns by backpropagation through time.

    The notebook's text speaks of it, its code leaves it out.
    """

    through_time = True


# ------------------------------------------------------------------- Training


def sgd(net: "Learner", examples: object, eta: float = ETA) -> "Epochs":
    """Stochastic gradient descent: train net, descending after every example.

    The notebook's first training with an XorNet and XOR, its third with a
    RecurrentNet and SEQUENCES.

    examples are pairs (x, y) as in XOR for an XorNet, sequences as in SEQUENCES
    for a RecurrentNet; eta is the learning rate.  Returns a generator that
    trains on for as long as it is asked, and after each epoch yields

        error      the mean of E over the epoch's predictions
        outputs    the prediction for each example, as it was met

    Raises TypeError or ValueError for examples that do not fit the net, and
    for an eta that is not a positive number.

    >>> rnn = RecurrentNet(**initial_parameters(RecurrentNet, RandomState(1)))
    >>> error, outputs = next(sgd(rnn, SEQUENCES))
    >>> round(error, 6), len(outputs)
    (0.12322, 8)
    """
    batches = [[example] for example in checked_examples(net, examples)]
    return epochs(net, batches, positive("eta", eta))


def batch(net: "Learner", examples: object, eta: float = ETA) -> "Epochs":
    """Batch gradient descent: as sgd, but descending once, after all examples.

    The notebook's second training with an XorNet and XOR; takes, yields and raises
    what sgd does.

    >>> net = XorNet(**initial_parameters(XorNet, RandomState(1)))
    >>> error, outputs = next(batch(net, XOR))
    >>> round(error, 6), len(outputs)
    (0.155544, 4)
    """
    batches = [checked_examples(net, examples)]
    return epochs(net, batches, positive("eta", eta))


def epochs(
    net: "Learner",
    batches: "list[list[Example]]",
    eta: float,
) -> "Epochs":
    """The training that sgd and batch share: descend after each of the batches."""
    while True:
        error: float = 0
        outputs: list[float] = []
        rows = net.rows()
        for examples in batches:
            for example in examples:
                error = net.learn(example, error, outputs)
            net.descend(eta, rows)
        yield error / len(outputs), outputs


# ------------------------------------------------- The notebook's first step


def worked_step(
    net: XorNet, x: object, y: object, eta: float = ETA
) -> "dict[str, object]":
    """The single update that the notebook works through before its trainings.

    It slips three times, and its first training starts from what it leaves:

        1. delta_l2 takes (y - lay2), which has the wrong sign;
        2. the derivatives are taken at the activations, dsigmoid(act2) and
           dsigmoid(act1), not at the outputs lay2 and lay1;
        3. delta_l1 takes w2 after it has been changed.

    x are two numbers, y is one.  Corrections that net collected before are
    dropped.  Returns what was computed by name, with the shapes that it has on a
    net.  Raises TypeError or ValueError as XorNet does.
    """
    if not isinstance(net, XorNet):
        raise TypeError(f"net: expected an XorNet, got {shown(net)}")
    x0, x1 = fit("x", flattened("x", x), (2,))
    (wanted,) = fit("y", flattened("y", y), ())
    eta = positive("eta", eta)
    net.descend(0)  # drops what was collected
    net.forward((x0, x1))
    step: dict[str, object] = {"act1": net.act1, "lay1": net.lay1}
    step.update(act2=net.act2, lay2=net.lay2, E=squared_error(net.lay2, wanted))

    delta_l2 = (wanted - net.lay2) * dsigmoid(net.act2)
    net.corr_w2 = [delta_l2 * lay1 for lay1 in net.lay1]
    net.corr_b2 = delta_l2
    step.update(delta_l2=delta_l2, corr_w2=net.corr_w2[:], corr_b2=delta_l2)
    net.descend(eta)

    delta_l1 = [net.w2[j] * delta_l2 * dsigmoid(net.act1[j]) for j in net.hidden]
    net.corr_w1 = [
        [x0 * delta for delta in delta_l1],
        [x1 * delta for delta in delta_l1],
    ]
    net.corr_b1 = delta_l1[:]
    step.update(delta_l1=delta_l1, corr_w1=copied(net.corr_w1), corr_b1=delta_l1[:])
    net.descend(eta)
    return step


# --------------------------------------------------------- Checks at the doors


def one_line(text: str) -> str:
    """text on one line, in ASCII."""
    return " ".join(text.encode("ascii", "backslashreplace").decode().split())


def shown(value: object, most: int = 40) -> str:
    """value for an error message: on one line, in ASCII, in most characters."""
    try:
        text = one_line(repr(value))
    except (ValueError, RuntimeError):  # an int too long, lists too deep to print
        return f"a {type(value).__name__} too large to print"
    return text if len(text) <= most else text[: most - 3] + "..."


def plain(value: object) -> object:
    """An array, a tensor or an array's number as Python's own lists and numbers."""
    return value.tolist() if hasattr(value, "tolist") else value


def number(name: str, value: object, finite: bool = True) -> float:
    """value as a float; unless finite also NaN, infinity, and None, taken for NaN."""
    value = plain(value)
    if not finite and value is None:
        return float("nan")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name}: expected a number, got {shown(value)}")
    try:
        result = float(value)
    except OverflowError:
        wanted = "expected a number that a double can hold"
        raise ValueError(f"{name}: {wanted}, got a larger integer") from None
    if finite and not isfinite(result):
        raise ValueError(f"{name}: expected a finite number, got {shown(value)}")
    return result


def positive(name: str, value: object) -> float:
    """value as a finite float above 0."""
    result = number(name, value)
    if not result > 0:
        raise ValueError(f"{name}: expected a number above 0, got {shown(value)}")
    return result


def whole(name: str, value: object, low: int, high: "int | None" = None) -> int:
    """value as an int from low to high."""
    wanted = f"from {low} to {high}" if high is not None else f"of at least {low}"
    value = plain(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name}: expected a whole number {wanted}, got {shown(value)}")
    if value < low or (high is not None and value > high):
        raise ValueError(
            f"{name}: expected a whole number {wanted}, got {shown(value)}"
        )
    return value


def items(value: object) -> "list[object] | None":
    """The items of a list, or of what iterates like one; None of anything else."""
    value = plain(value)
    if value is None or isinstance(value, (int, float, str, bytes, bytearray)):
        return None
    if isinstance(value, (dict, set, frozenset)):  # in no order to rely on
        return None
    try:
        return list(value)  # type: ignore[call-overload, no-any-return]
    except TypeError:
        return None


def flattened(name: str, value: object, finite: bool = True, depth: int = 8) -> "Read":
    """The shape of nested lists, and their numbers in row-major order."""
    parts = items(value)
    if parts is None:
        return (), [number(name, value, finite)]
    if depth == 0:
        raise ValueError(f"{name}: expected a number, got lists nested too deep")
    shape: Shape = ()
    numbers: list[float] = []
    for n, part in enumerate(parts):
        row, more = flattened(f"{name}[{n}]", part, finite, depth - 1)
        if n > 0 and row != shape:
            wanted = f"expected {spelled(shape)}, as in the rows before"
            raise ValueError(f"{name}[{n}]: {wanted}, got {spelled(row)}")
        shape = row
        numbers += more
    return (len(parts),) + shape, numbers


def squeezed(shape: "Shape") -> "Shape":
    """shape without its axes of length 1."""
    return tuple(length for length in shape if length != 1)


def spelled(shape: "Shape") -> str:
    """shape in words: "2 x 3 numbers"."""
    if shape in ((), (1,)):
        return "a list of one number" if shape else "one number"
    return " x ".join(str(n) for n in shape) + " numbers"


def fit(name: str, read: "Read", shape: "Shape") -> "list[float]":
    """The numbers that flattened read, which must be of that shape."""
    got, numbers = read
    if squeezed(got) != squeezed(shape):
        raise ValueError(f"{name}: expected {spelled(shape)}, got {spelled(got)}")
    return numbers


def hidden_units(name: str, read: "Read") -> int:
    """How many hidden units what flattened read, one number for each, is for."""
    numbers = read[1]
    if not numbers:
        raise ValueError(f"{name}: expected at least one hidden unit, got none")
    return len(numbers)


def nested(shape: "Shape", numbers: "Iterator[float]") -> object:
    """The next numbers as lists nested in that shape."""
    if not shape:
        return next(numbers)
    return [nested(shape[1:], numbers) for _ in range(shape[0])]


def copied(value: object) -> object:
    """A copy of nested lists."""
    return [copied(part) for part in value] if isinstance(value, list) else value


def checked_examples(net: "Learner", examples: object) -> "list[Example]":
    """A copy of the examples, each as net.example makes it."""
    if not isinstance(net, (XorNet, RecurrentNet, Recorder)):
        wanted = "expected an XorNet or a RecurrentNet"
        raise TypeError(f"net: {wanted}, got {shown(net)}")
    given = items(examples)
    if not given:
        wanted = "expected a list of at least one example"
        raise ValueError(f"examples: {wanted}, got {shown(examples)}")
    return [net.example(f"examples[{n}]", each) for n, each in enumerate(given)]


# -------------------------------------------------------------- Random numbers


MOST_SEED = 0xFFFFFFFF
WORDS = 624  # of state in MT19937


class RandomState:
    """NumPy's legacy random stream: np.random.RandomState(seed), bit for bit.

    The Mersenne Twister MT19937 (Matsumoto and Nishimura, 1998) with its
    original one-word seeding; seed is a whole number from 0 to 2^32 - 1.

    >>> stream = RandomState(1)
    >>> stream.random_sample(), stream.random_sample()
    (0.417022004702574, 0.7203244934421581)
    """

    def __init__(self, seed: int) -> None:
        word = whole("seed", seed, 0, MOST_SEED)
        self.words = [word]
        for n in range(1, WORDS):
            word = (1812433253 * (word ^ (word >> 30)) + n) & 0xFFFFFFFF
            self.words.append(word)
        self.used = WORDS

    def twist(self) -> None:
        """Replace the words of state by as many new ones."""
        words = self.words
        for n in range(WORDS):
            mixed = words[n] & 0x80000000 | words[(n + 1) % WORDS] & 0x7FFFFFFF
            words[n] = words[(n + 397) % WORDS] ^ (mixed >> 1)
            if mixed % 2:
                words[n] ^= 0x9908B0DF
        self.used = 0

    def word(self) -> int:
        """The next 32 random bits."""
        if self.used == WORDS:
            self.twist()
        word = self.words[self.used]
        self.used += 1
        word ^= word >> 11
        word ^= word << 7 & 0x9D2C5680
        word ^= word << 15 & 0xEFC60000
        return word ^ word >> 18

    def random_sample(self) -> float:
        """The next number from [0, 1): 53 random bits, from two words."""
        a, b = self.word() >> 5, self.word() >> 6
        return (a * 67108864 + b) / 9007199254740992

    def parameters(self) -> "Iterator[float]":
        """For ever the next number from [-1, 1), as the notebook draws them."""
        while True:
            yield 2 * self.random_sample() - 1


def initial_parameters(
    net: "Kind", stream: RandomState, hidden: int = HIDDEN
) -> "dict[str, object]":
    """The next draws from stream as parameters for a net, in the notebook's order.

    net is the class, hidden the number H of hidden units; the shapes are those
    that the class takes.  Raises TypeError or ValueError for anything else.

    >>> initial_parameters(XorNet, RandomState(1), hidden=1)["b2"]
    -0.7064882183657739
    """
    if net not in (XorNet, RecurrentNet, ThroughTimeNet):
        raise TypeError(f"net: expected the class of a net, got {shown(net)}")
    if not isinstance(stream, RandomState):
        raise TypeError(f"stream: expected a RandomState, got {shown(stream)}")
    shapes = net.shapes(whole("hidden", hidden, 1))
    return {name: nested(shape, stream.parameters()) for name, shape in shapes}


# ------------------------------------------------------------------ The oracle

FORMAT = "refnet-trace/1"
SEED = 1  # with it all three trainings of a replay succeed
RTOL, ATOL = 1e-9, 1e-12
MOST_EPOCHS = 1000000  # the oracle's and the command line's limits
MOST_HIDDEN = 1000

# What can be traced: a net, its examples, and its training.
NETS: "dict[str, Trained]" = {
    "xor-sgd": (XorNet, XOR, sgd),
    "xor-batch": (XorNet, XOR, batch),
    "rnn": (RecurrentNet, SEQUENCES, sgd),
    "rnn-bptt": (ThroughTimeNet, SEQUENCES, sgd),
}

# The parts of a trace, and what one step computes, both in that order; what of it
# exists once per time step; and all that check compares.
PARTS = ("initial", "steps", "error", "final")
STEP = ["act1", "lay1", "act2", "lay2", "E", "delta_l2", "corr_w2", "corr_b2"]
STEP += ["delta_l1", "corr_w1", "corr_b1", "corr_wh", "corr_bh"]
PER_STEP = [name for name in STEP if not name.startswith("corr")]
ORDER = ["x", "y"] + STEP + ["error"] + [name for name, _ in RecurrentNet.shapes(1)]

# What single precision makes of it: rtol, atol, and rtol's growth per epoch.
SINGLE = (1e-6, 5e-6, 3e-6)
SINGLE_WORDS = "single precision, or numbers written with 9 digits at most"


class Recorder:
    """Stands in for a net in its training and keeps the steps that are wanted.

    A step is known by how many examples were met before it.  It is computed
    once more, by a fresh net with the same parameters, so that its corrections
    are its own and not what a batch has collected.
    """

    def __init__(
        self, kind: "Kind", start: "dict[str, object]", wanted: "range | set[int]"
    ) -> None:
        self.kind, self.start, self.wanted = kind, start, wanted
        self.net = kind(**start)
        self.met = 0
        self.steps: dict[int, dict[str, object]] = {}

    def example(self, name: str, given: object) -> "Example":
        """As the net's."""
        return self.net.example(name, given)

    def learn(self, example: "Example", error: float, outputs: "list[float]") -> float:
        """As the net's, and keep what it computed if this step is wanted."""
        if self.met in self.wanted:
            alone = self.kind(**self.start)
            parameters = self.net.parameters()
            for name in parameters:  # past the constructor: they may be infinite
                setattr(alone, name, parameters[name])
            alone.learn(example, 0, [])
            self.steps[self.met] = computed(alone)
        self.met += 1
        return self.net.learn(example, error, outputs)

    def rows(self) -> "Rows":
        """As the net's."""
        return self.net.rows()

    def descend(self, eta: float, rows: "Rows | None" = None) -> None:
        """As the net's."""
        self.net.descend(eta, rows)


def computed(net: "XorNet | RecurrentNet") -> "dict[str, object]":
    """What the last forward and backward left on net, by the names in STEP."""
    found = {}
    for name in STEP:
        if hasattr(net, name + "_mem"):
            found[name] = getattr(net, name + "_mem")
        elif hasattr(net, name):
            found[name] = getattr(net, name)
    if isinstance(net, RecurrentNet):
        found["lay1"] = net.lay1_mem[1:]  # without the state before the first step
    return found


def trained(
    net: str,
    start: "dict[str, object]",
    eta: float,
    epochs: int,
    wanted: "range | set[int]",
) -> "Parts":
    """Run a training of NETS: what it computed, by the part of a trace it is.

    The keys are (part, step), step counting the examples met and 0 outside of
    "steps"; the values hold the part's quantities by name.
    """
    kind, examples, training = NETS[net]
    recorder = Recorder(kind, start, wanted)
    learning = training(recorder, examples, eta)
    curve = zeros_in_a_block(epochs)
    for n in range(epochs):
        curve[n] = next(learning)[0]
    parts: Parts = {("initial", 0): start, ("error", 0): {"error": list(curve)}}
    parts["final", 0] = recorder.net.parameters()
    for met in recorder.steps:
        parts["steps", met] = question(examples[met % len(examples)])
        parts["steps", met].update(recorder.steps[met])
    return parts


def zeros_in_a_block(length: int) -> "array[float]":
    """An error curve to fill: a float object an epoch would litter a small heap."""
    from array import array

    return array("d", [0.0] * length)


def question(example: object) -> "dict[str, object]":
    """x and y of a pair; x alone of a sequence, which holds its own answers."""
    if isinstance(example, tuple):
        return {"x": list(example[0]), "y": example[1]}
    return {"x": copied(example)}


def overflowed(parts: "Parts") -> str:
    """The first number that is NaN or infinite, and its name; "" if there is none."""
    for part in parts.values():
        for name in part:
            for value in flattened(name, part[name], finite=False)[1]:
                if not isfinite(value):
                    return f"{value} in {name}"
    return ""


def refuse_overflow(parts: "Parts") -> None:
    """Raise ValueError if a number is NaN or infinite, as nobody can match it."""
    if overflowed(parts):
        wanted = "expected a start that stays in a double's range"
        raise ValueError(f"initial, eta: {wanted}, got {overflowed(parts)}")


def doubles() -> bool:
    """Whether this interpreter's floats are doubles: 53 significant bits."""
    return 1 + 2.0**-52 > 1


def refuse_narrow_floats() -> None:
    """Raise RuntimeError where floats are too narrow for an oracle."""
    if not doubles():
        raise RuntimeError("this interpreter's floats are narrower than a double")


def training_options(
    epochs: object, eta: object, hidden: object
) -> "tuple[int, float, int]":
    """epochs, eta and hidden, within the limits of what is traced and replayed."""
    return (
        whole("epochs", epochs, 1, MOST_EPOCHS),
        positive("eta", eta),
        whole("hidden", hidden, 1, MOST_HIDDEN),
    )


def chosen(name: str, value: object) -> str:
    """value as one of the names in NETS."""
    if isinstance(value, str) and value in NETS:
        return value
    wanted = ", ".join(sorted(NETS))
    raise ValueError(f"{name}: expected one of {wanted}; got {shown(value)}")


def trace(
    net: str = "xor-sgd",
    seed: int = SEED,
    epochs: int = EPOCHS,
    eta: float = ETA,
    hidden: int = HIDDEN,
    steps: "int | None" = None,
) -> "dict[str, object]":
    """Everything a training computes, as a dictionary that is ready for JSON.

    net is "xor-sgd", "xor-batch", "rnn" or "rnn-bptt"; its initial parameters
    are the first draws of RandomState(seed); steps says how many of the first
    examples met are told in full (None: two epochs of them).

        initial    the parameters before the training
        steps      per example met: epoch, example, x, y, and all it computed,
                   corr_* being what this one example contributes
        error      the mean error of each epoch
        final      the parameters after the training

    Raises TypeError or ValueError for an argument out of range, RuntimeError
    where floats are narrower than a double.

    >>> result = trace("rnn", epochs=2, steps=1)
    >>> result["steps"][0]["lay2"]
    [0.2755886316680652, 0.30139886376869685]
    """
    refuse_narrow_floats()
    kind, examples, training = NETS[chosen("net", net)]
    seed = whole("seed", seed, 0, MOST_SEED)
    epochs, eta, hidden = training_options(epochs, eta, hidden)
    most = epochs * len(examples)
    count = (
        min(most, 2 * len(examples))
        if steps is None
        else whole("steps", steps, 0, most)
    )
    start = initial_parameters(kind, RandomState(seed), hidden)
    parts = trained(net, start, eta, epochs, range(count))
    refuse_overflow(parts)
    result: dict[str, object] = {"format": FORMAT, "net": net, "seed": seed}
    result.update(hidden=hidden, eta=eta, epochs=epochs, initial=start)
    full = []
    for met in range(count):
        step: dict[str, object] = {"epoch": met // len(examples)}
        step["example"] = met % len(examples)
        step.update(parts["steps", met])
        full.append(step)
    result.update(steps=full, error=parts["error", 0]["error"], final=parts["final", 0])
    return result


class Difference:
    """A number, or a shape, that is not refnet's.

    part is "initial", "steps", "error" or "final"; epoch, example and time_step
    are None where they mean nothing; quantity is its name, such as "act1", and
    element its indices in it; got and want are numbers, or the shapes where these
    differ.
    """

    def __init__(
        self,
        part: str,
        epoch: "int | None",
        example: "int | None",
        time_step: "int | None",
        quantity: str,
        element: "Shape",
        got: "float | Shape",
        want: "float | Shape",
    ) -> None:
        self.part, self.epoch, self.example = part, epoch, example
        self.time_step, self.quantity, self.element = time_step, quantity, element
        self.got, self.want = got, want

    def place(self) -> str:
        """Where it is, in words."""
        words = [self.part]
        if self.epoch is not None:
            words.append(f"epoch {self.epoch}")
        if self.example is not None:
            words.append(f"example {self.example}")
        if self.time_step is not None:
            words.append(f"time step {self.time_step}")
        if self.quantity != "error":
            indices = [f"[{index}]" for index in self.element]
            words.append(self.quantity + "".join(indices))
        return ", ".join(words)

    def __repr__(self) -> str:
        got, want = self.got, self.want
        if isinstance(got, tuple) and isinstance(want, tuple):
            return f"{self.place()}: got {spelled(got)}, want {spelled(want)}"
        return f"{self.place()}: got {got!r}, want {want!r}"


class Tally:
    """How far the values of one part are from refnet's."""

    def __init__(self) -> None:
        self.values = 0
        self.absolute = 0.0
        self.relative = 0.0  # of the values that are not to be zero
        self.ulps = 0.0  # units in the last place of the value that is wanted

    def add(self, distance: float, want: float) -> None:
        """Count one value, at that distance from the one that is wanted."""
        self.values += 1
        self.absolute = max(self.absolute, distance)
        if want != 0:
            ulp = 2.0 ** max(frexp(want)[1] - 53, -1074)
            self.relative = max(self.relative, distance / abs(want))
            self.ulps = max(self.ulps, distance / ulp)


class Report(list):  # type: ignore[type-arg]
    """The differences that check found, as a list, the first computed first.

    Empty, and so false, where every number given is right.  str() of it is
    what the check command prints: parts holds its table, a Tally by part with
    values, absolute, relative and ulps; convention is the known convention, in
    words, that all of a wrong candidate agrees with, or "".
    """

    def __init__(self, rtol: float, atol: float) -> None:
        super().__init__()
        self.tolerance = f"rtol {rtol:g}, atol {atol:g}"
        self.parts: dict[str, Tally] = {}
        self.convention = ""

    def __repr__(self) -> str:
        values = 0
        for tally in self.parts.values():
            values += tally.values
        if not self:
            return f"PASS: all {values} values within {self.tolerance}"
        return f"FAIL: {self.counted()}; the first in {self[0]!r}"

    def counted(self) -> str:
        """How many differences there are, in words."""
        return "1 difference" if len(self) == 1 else f"{len(self)} differences"

    def __str__(self) -> str:
        lines = [
            "part      values   largest difference: absolute   relative       ulps"
        ]
        for part in PARTS:
            if part in self.parts:
                tally = self.parts[part]
                figures = f"{tally.absolute:32.3g} {tally.relative:10.3g}"
                figures += f" {tally.ulps:10.3g}"
                lines.append(f"{part:<8} {tally.values:>7} {figures}")
        if not self:
            return "\n".join(lines + [repr(self)])
        first = self[0]
        lines.append(f"FAIL: {self.counted()} beyond {self.tolerance}")
        lines.append("The first, in the order of computation, is in")
        lines.append(f"  {first.place()}")
        if isinstance(first.got, tuple):
            lines.append(f"  got   {spelled(first.got)}")
            lines.append(f"  want  {spelled(first.want)}")
        else:
            lines.append(f"  got   {first.got!r}")
            lines.append(f"  want  {first.want!r}")
            lines.append(f"  difference {first.got - first.want:.3g}")
        if self.convention:
            lines.append("All of it agrees with another convention:")
            lines.append(f"  {self.convention}")
        return "\n".join(lines)


def check(candidate: object, rtol: float = RTOL, atol: float = ATOL) -> Report:
    """Compare what another build computed with refnet, run from the same start.

    candidate is a dictionary as trace returns it.  It holds net, and seed or
    initial; hidden, eta and epochs unless they are the defaults; and any part
    of steps, error and final.  Arrays and tensors serve as lists do; axes of
    length 1 do not count.  A step without epoch and example is known by its
    place in the list.  A value is right if it is within

        abs(got - want) <= atol + rtol*abs(want)

    Returns the differences as a Report, a list that is empty where all is
    right.  Raises TypeError or ValueError for what cannot be compared, and
    RuntimeError where floats are narrower than a double.

    >>> mine = {"net": "rnn", "seed": 1, "epochs": 1, "error": [0.1234567]}
    >>> check(mine)
    FAIL: 1 difference; the first in error, epoch 0: got 0.1234567, want 0.12321...
    >>> mine["error"] = [0.12321974674518642]
    >>> assert not check(mine)
    """
    refuse_narrow_floats()
    rtol, atol = tolerance("rtol", rtol), tolerance("atol", atol)
    net, start, eta, epochs, given = read_candidate(candidate)
    wanted = {value[1] for value in given if value[0] == "steps"}
    parts = trained(net, start, eta, epochs, wanted)
    refuse_overflow(parts)
    report = Report(rtol, atol)
    report += differences(net, given, parts, {}, (rtol, atol, 0), report.parts)
    if report:
        report.convention = convention(net, start, eta, epochs, given, (rtol, atol, 0))
    return report


def tolerance(name: str, value: object) -> float:
    """value as a float from 0 up to, but not including, 1."""
    result = number(name, value)
    if not 0 <= result < 1:
        wanted = "expected a number from 0 to less than 1"
        raise ValueError(f"{name}: {wanted}, got {shown(value)}")
    return result


def fields(name: str, value: object, known: "Sequence[str]") -> "dict[str, object]":
    """value, which must be a dictionary without other keys than those known."""
    if not isinstance(value, dict):
        raise TypeError(f"{name}: expected an object with names, got {shown(value)}")
    for key in value:
        if key not in known:
            wanted = f"expected only {', '.join(known)}"
            raise ValueError(f"{name}: {wanted}; got {shown(key)}")
    return value


def read_candidate(
    candidate: object,
) -> "tuple[str, dict[str, object], float, int, Given]":
    """A candidate's net, start, eta and epochs, and all that it gives to judge.

    That is a list of (part, step, quantity, (shape, numbers)).
    """
    known = ["format", "net", "seed", "hidden", "eta", "epochs"] + list(PARTS)
    top = fields("candidate", candidate, known)
    form = top.get("format", FORMAT)
    if not isinstance(form, str) or form != FORMAT:
        raise ValueError(f"format: expected {FORMAT!r}, got {shown(form)}")
    net = chosen("net", top.get("net"))
    if "seed" not in top and "initial" not in top:
        raise ValueError("seed: expected seed or initial to start from, got neither")

    kind, examples, training = NETS[net]
    names = [name for name, shape in kind.shapes(1)]
    initial = fields("initial", top.get("initial", {}), names)
    read = {name: flattened(f"initial.{name}", initial[name]) for name in initial}
    hidden = hidden_units("initial.b1", read["b1"]) if "b1" in read else HIDDEN
    epochs, eta, hidden = training_options(
        top.get("epochs", EPOCHS), top.get("eta", ETA), top.get("hidden", hidden)
    )
    given: Given = []
    if "seed" in top:
        stream = RandomState(top["seed"])  # type: ignore[arg-type]
        start = initial_parameters(kind, stream, hidden)
        given += [("initial", 0, name, read[name]) for name in read]
    else:
        start = {}
        for name, shape in kind.shapes(hidden):
            if name not in read:
                wanted = f"expected {', '.join(names)}"
                raise ValueError(f"initial: {wanted}; {name} is missing")
            numbers = fit(f"initial.{name}", read[name], shape)
            start[name] = nested(shape, iter(numbers))

    given += read_steps(net, epochs, top.get("steps", []))
    if "error" in top:
        given.append(("error", 0, "error", flattened("error", top["error"], False)))
    final = fields("final", top.get("final", {}), names)
    for name in final:
        given.append(("final", 0, name, flattened(f"final.{name}", final[name], False)))
    if all(value[0] == "initial" or value[2] in ("x", "y") for value in given):
        wanted = "expected something to compare in steps, error or final"
        raise ValueError(f"candidate: {wanted}, got nothing")
    return net, start, eta, epochs, given


def read_steps(net: str, epochs: int, steps: object) -> "Given":
    """What the steps of a candidate give."""
    kind, examples, training = NETS[net]
    corrections = ["corr_" + name for name, shape in kind.shapes(1)]
    known = list(question(examples[0]))
    known += [name for name in STEP if name in PER_STEP or name in corrections]
    entries = items(steps)
    if entries is None:
        raise TypeError(f"steps: expected a list, got {shown(steps)}")
    given: Given = []
    seen = set()
    for n, entry in enumerate(entries):
        place = f"steps[{n}]"
        step = fields(place, entry, ["epoch", "example"] + known)
        epoch, example = n // len(examples), n % len(examples)
        epoch = whole(f"{place}.epoch", step.get("epoch", epoch), 0, epochs - 1)
        last = len(examples) - 1
        example = whole(f"{place}.example", step.get("example", example), 0, last)
        met = epoch * len(examples) + example
        if met in seen:
            wanted = "expected every step once"
            again = f"epoch {epoch}, example {example} again"
            raise ValueError(f"{place}: {wanted}, got {again}")
        seen.add(met)
        for name in known:
            if name in step:
                value = flattened(f"{place}.{name}", step[name], False)
                given.append(("steps", met, name, value))
    return given


def differences(
    net: str,
    given: "Given",
    parts: "Parts",
    factors: "dict[str, float]",
    tolerances: "tuple[float, float, float]",
    tallies: "dict[str, Tally]",
) -> "list[Difference]":
    """Every given value that is not refnet's, in the order of computation.

    refnet's values of a quantity are multiplied by its factor first.  The
    tolerances are rtol, atol, and what is added to rtol with every epoch.
    """
    kind, examples, training = NETS[net]
    rtol, atol, drift = tolerances
    epochs = len(flattened("error", parts["error", 0]["error"])[1])
    found = []
    for part, met, quantity, (got_shape, got) in given:
        value = parts[part, met][quantity]
        want_shape, want = flattened(quantity, value)
        tally = tallies.setdefault(part, Tally())
        epoch = met // len(examples) if part == "steps" else None
        example = met % len(examples) if part == "steps" else None
        recurrent = part == "steps" and kind is not XorNet
        if squeezed(got_shape) != squeezed(want_shape):
            key = moment(part, met, quantity, recurrent, None, 0)
            shapes = Difference(
                part, epoch, example, None, quantity, (), got_shape, want_shape
            )
            found.append((key, shapes))
            continue
        for n in range(len(got)):
            element, time_step = unravelled(n, want_shape), None
            if recurrent and quantity in PER_STEP:
                time_step, element = element[0], element[1:]
            if part == "error":
                epoch, element = n, ()
            right = want[n] * factors.get(quantity, 1)
            distance = abs(got[n] - right)
            if distance != distance:
                distance = float("inf")
            tally.add(distance, right)
            age = epochs if part == "final" else epoch or 0
            if not distance <= atol + (rtol + drift * age) * abs(right):
                key = moment(part, met, quantity, recurrent, time_step, n)
                numbers = Difference(
                    part, epoch, example, time_step, quantity, element, got[n], right
                )
                found.append((key, numbers))
    found.sort(key=lambda each: each[0])
    return [difference for key, difference in found]


def moment(
    part: str,
    met: int,
    quantity: str,
    recurrent: bool,
    time_step: "int | None",
    n: int,
) -> "tuple[float, ...]":
    """When a value is computed, as a key to sort by.

    The recurrent net goes forward through its time steps, then backward, and
    only then are the corrections of the whole sequence known.  Without a time
    step it is the first of those that compute the quantity.
    """
    phase, turn = 0, float("-inf") if time_step is None else time_step
    if recurrent and quantity.startswith("delta"):
        phase, turn = 1, float("-inf") if time_step is None else -time_step
    elif recurrent and quantity.startswith("corr"):
        phase = 2
    return PARTS.index(part), met, phase, turn, ORDER.index(quantity), n


def unravelled(n: int, shape: "Shape") -> "Shape":
    """The indices of number n in row-major order."""
    indices: Shape = ()
    for length in reversed(shape):
        indices = (n % length,) + indices
        n //= length
    return indices


def convention(
    net: str,
    start: "dict[str, object]",
    eta: float,
    epochs: int,
    given: "Given",
    tolerances: "tuple[float, float, float]",
) -> str:
    """The known convention, or several at once, by which all given is right.

    In words; "" if there is none.
    """
    wanted = {value[1] for value in given if value[0] == "steps"}
    single = all(is_single(n) for value in given for n in value[3][1])
    runs: dict[tuple[str, float], Parts] = {}
    for words, other, rate, factors in conventions(net):
        if not 0 < rate * eta < float("inf"):
            continue
        if (other, rate) not in runs:
            runs[other, rate] = trained(other, start, rate * eta, epochs, wanted)
        parts = runs[other, rate]
        if overflowed(parts):
            continue
        if not differences(net, given, parts, factors, tolerances, {}):
            return words
        if single and not differences(net, given, parts, factors, SINGLE, {}):
            return "; ".join(text for text in (words, SINGLE_WORDS) if text)
    return ""


def conventions(net: str) -> "Iterator[tuple[str, str, float, dict[str, float]]]":
    """Combinations of known conventions, none of them first.

    Each is in words, the training to compare with, the factor on its eta, and
    the factors on its quantities.
    """
    gradients = [("", net)]
    if net == "rnn":
        gradients.append(("backpropagation through time", "rnn-bptt"))
    if net == "rnn-bptt":
        gradients.append(("no backpropagation through time", "rnn"))
    # The factors are those on eta, on the errors, on delta_* and on corr_*.
    means: list[tuple[str, float, float, float]] = [("", 1, 1, 1)]
    if net == "xor-batch":
        share = 1 / len(XOR)
        words = "batch corrections averaged instead of summed"
        means += [
            (words, share, 1, 1),
            (words, share, 1, share),
            (words, share, share, share),
        ]
    halves = [("", 1, 1), ("an error without the factor 1/2", 1, 2)]
    halves.append(("an error without the factor 1/2, and its gradient", 2, 2))
    for gradient, other in gradients:
        for mean, rate, on_delta, on_corr in means:
            for half, slope, on_error in halves:
                words = "; ".join(text for text in (gradient, mean, half) if text)
                factors: dict[str, float] = {"E": on_error, "error": on_error}
                for name in STEP:
                    if name.startswith("delta"):
                        factors[name] = slope * on_delta
                    elif name.startswith("corr"):
                        factors[name] = slope * on_corr
                yield words, other, slope * rate, factors


def is_single(value: float) -> bool:
    """Whether value is a single-precision number, or has as few digits (9)."""
    import struct

    try:
        single: float = struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:
        return False
    return value in (single, float(f"{value:.9g}"))


# ------------------------------------------------------------ The command line


def run(
    seed: int = SEED, epochs: int = EPOCHS, eta: float = ETA, hidden: int = HIDDEN
) -> None:
    """Replay the notebook from top to bottom after np.random.seed(seed), and print.

    Prints the worked step, then of each of the three trainings the notebook's
    own progress lines, the error curve, and the trained net's answers.
    Raises TypeError or ValueError for an argument out of range.
    """
    stream = RandomState(seed)
    epochs, eta, hidden = training_options(epochs, eta, hidden)
    print(f"Neural networks handcrafted: seed {seed}, {epochs} epochs, eta {eta:g},")
    print(f"{hidden} hidden units")
    if not doubles():
        print("WARNING: floats narrower than a double: these are not refnet's numbers.")

    heading("One worked step, on the first example")
    net = XorNet(**initial_parameters(XorNet, stream, hidden))
    print(
        "As in the notebook: wrong sign, derivative at act, w2 used after its update."
    )
    step = worked_step(net, XOR[0][0], XOR[0][1], eta)
    for name in STEP:
        if name in step:
            print_numbers(name, step[name])
    for name in net.names:
        print_numbers("new " + name, getattr(net, name))

    heading("XOR by stochastic gradient descent: update after every example")
    failures = [replay_xor(net, sgd(net, XOR, eta), epochs)]

    heading("XOR by batch gradient descent: update after all four examples")
    net = XorNet(**initial_parameters(XorNet, stream, hidden))
    failures.append(replay_xor(net, batch(net, XOR, eta), epochs))

    heading("The recurrent net: 1 follows only two zeros")
    rnn = RecurrentNet(**initial_parameters(RecurrentNet, stream, hidden))
    failures.append(replay_rnn(rnn, sgd(rnn, SEQUENCES, eta), epochs))

    heading("Summary")
    titles = ("XOR, stochastic:", "XOR, batch:", "Recurrent net:")
    for title, wrong in zip(titles, failures):
        verdict = f"FAILED, {wrong} wrong" if wrong else "learned"
        print(f"{title:<17}{verdict}")


def heading(text: str) -> None:
    """Print text as a heading."""
    print("\n" + text)
    print("-" * len(text))


def print_numbers(name: str, value: object) -> None:
    """Print a quantity's numbers, a few to the line."""
    numbers = flattened(name, value, finite=False)[1]
    for n in range(0, len(numbers), 6):
        # Adding 0 makes -0.0 a plain 0.
        row = " ".join(f"{value + 0:10.6f}" for value in numbers[n : n + 6])
        title = name if n == 0 else ""
        print(f"{title:<10}{row}")


def follow(
    training: "Epochs", epochs: int, lines: "Callable[[list[float]], list[str]]"
) -> float:
    """Train; print the notebook's lines and the error curve; return the last error."""
    curve = zeros_in_a_block(epochs)
    for n in range(epochs):
        curve[n], outputs = next(training)
        if n % 1000 == 0:
            for line in lines(outputs):
                print(f"{line} < --- {n}")
    print()
    for line in plot(curve):
        print(line)
    print()
    return curve[-1]


def replay_xor(net: XorNet, training: "Epochs", epochs: int) -> int:
    """Train net on XOR and print it all; return how many answers are wrong."""

    def lines(outputs: "list[float]") -> "list[str]":
        answers = zip(XOR, outputs)
        return ["".join(f"| {y}, {lay2:.3f}" for (x, y), lay2 in answers)]

    error = follow(training, epochs, lines)
    rows = [(f"{x[0]} {x[1]}", y, net.forward(x)) for x, y in XOR]
    wrong = print_answers(rows)
    print(f"Final error {error:.5f}, the mean over the four examples.")
    if wrong:
        print(f"FAILED: {wrong} of 4 answers are wrong; this start did not learn XOR.")
    return wrong


def replay_rnn(net: RecurrentNet, training: "Epochs", epochs: int) -> int:
    """Train net on SEQUENCES and print it all; return how many third bits fail."""

    def lines(outputs: "list[float]") -> "list[str]":
        texts = []
        for n, x in enumerate(SEQUENCES):
            text = ""
            for k in range(len(x) - 1):
                lay2 = outputs[2 * n + k]
                text += f"{x[k]} - > {x[k + 1]} ({lay2:.3f}|{1 * (lay2 > 0.5)})"
            texts.append(text)
        return texts

    error = follow(training, epochs, lines)
    rows, thirds = [], []
    for x in SEQUENCES:
        first, second = net.forward(x)
        rows.append((f"{x[0]}", x[1], first))
        thirds.append((f"{x[0]} {x[1]}", x[2], second))
    print("The second bit, which cannot be known from the first:")
    print_answers(rows)
    print("The third bit, from the first two:")
    wrong = print_answers(thirds)
    print(f"Final error {error:.5f}, the mean over the eight predictions.")
    print("It cannot fall below 1/16 = 0.0625: the second bit cannot be known from")
    print("the first, as 0 and 1 follow each equally often.  The best output is 1/2,")
    print("at E = 1/8, for four of the eight predictions; two of them stay wrong.")
    if wrong:
        print(
            f"FAILED: {wrong} of 4 third bits are wrong; this start did not learn them."
        )
    return wrong


def print_answers(rows: "Iterable[tuple[str, int, float]]") -> int:
    """Print a table of (input, wanted output, output); return how many are wrong."""
    wrong = 0
    print("input   wanted   output")
    for text, y, lay2 in rows:
        verdict = "right" if abs(lay2 - y) < 0.5 else "WRONG"
        wrong += verdict == "WRONG"
        print(f"{text:<8}{y:>6}{lay2:9.3f}   {verdict}")
    return wrong


def plot(curve: "Sequence[float]", width: int = 64, height: int = 13) -> "list[str]":
    """An error curve as text: a column shows the range of its epochs' errors."""
    top = 1e-9
    for error in curve:
        if isfinite(error):
            top = max(top, error)
    cells = [[" "] * width for _ in range(height)]
    for column in range(width):
        start = column * len(curve) // width
        stop = max(start + 1, (column + 1) * len(curve) // width)
        errors = [error for error in curve[start:stop] if isfinite(error)]
        if errors:
            low = int(min(errors) / top * (height - 1) + 0.5)
            high = int(max(errors) / top * (height - 1) + 0.5)
            for row in range(low, high + 1):
                cells[row][column] = "*"
    lines = ["error"]
    for row in range(height - 1, -1, -1):
        level = top * row / (height - 1)
        label = f"{level:8.5f} |" if row % 3 == 0 else "         |"
        lines.append((label + "".join(cells[row])).rstrip())
    lines.append(" " * 9 + "+" + "-" * width)
    middle, end = str(len(curve) // 2), str(len(curve))
    middle = " " * (width // 2 - len(middle)) + middle
    end = " " * (width // 2 - 1 - len(end)) + end
    lines.append("   epoch  0" + middle + end)
    return lines


def arguments(argv: "list[str]") -> "dict[str, Any]":
    """The command line, read: the command, and its options by name."""
    try:
        from argparse import ArgumentParser, HelpFormatter, RawDescriptionHelpFormatter
    except ImportError:  # MicroPython has none, or a small one
        raise ValueError("options need argparse, which this Python lacks") from None

    class OneLineParser(ArgumentParser):
        """Leaves it to main to report an error, in one line."""

        color: bool

        def error(self, message: str) -> "NoReturn":
            raise ValueError(f"{message}; see {self.prog} --help")

    def form(prog: str) -> HelpFormatter:
        return RawDescriptionHelpFormatter(prog, width=79)

    def literal(text: str) -> "int | float | str":
        for kind in (int, float):
            try:
                return kind(text)
            except ValueError:
                pass
        return text

    def command(name: str, about: str) -> OneLineParser:
        title = about[0].upper() + about[1:] + "."
        added = commands.add_parser(
            name,
            help=about,
            description=title,
            allow_abbrev=False,
            formatter_class=form,
        )
        added.color = False
        return added

    def option(
        parser: OneLineParser, name: str, metavar: str, default: object, about: str
    ) -> None:
        if default is not None:
            about += " (default: %(default)s)"
        parser.add_argument(
            name, metavar=metavar, type=literal, default=default, help=about
        )

    def training_options(parser: OneLineParser) -> None:
        option(parser, "--seed", "S", SEED, f"of the random stream, 0 to {MOST_SEED}")
        option(parser, "--epochs", "N", EPOCHS, "how often all examples are shown")
        option(parser, "--eta", "X", ETA, "learning rate")
        option(parser, "--hidden", "H", HIDDEN, "number of hidden units")

    parser = OneLineParser(
        prog="refnet",
        usage="refnet [COMMAND] [OPTION ...]",
        description="Two handcrafted neural nets in plain lists.",
        allow_abbrev=False,
        formatter_class=form,
    )
    parser.color = False
    parser.add_argument("--version", action="version", version=f"refnet {__version__}")
    commands = parser.add_subparsers(
        prog="refnet", dest="command", metavar="COMMAND", required=True
    )

    replaying = command("run", "replay the notebook; so does refnet alone")
    training_options(replaying)

    tracing = command("trace", "write every number of one training as JSON")
    tracing.add_argument("net", metavar="NET", help=f"one of {', '.join(sorted(NETS))}")
    training_options(tracing)
    about = "how many examples to tell in full (default: two epochs of them)"
    option(tracing, "--steps", "K", None, about)

    checking = command("check", "tell where another build's numbers are wrong")
    about = "what it computed, as trace writes it; - is standard input"
    checking.add_argument("file", metavar="FILE", help=about)
    option(checking, "--rtol", "R", RTOL, "relative tolerance")
    option(checking, "--atol", "A", ATOL, "absolute tolerance")
    checking.epilog = "Exit status: 0 PASS, 1 FAIL, 2 not a usable file."

    parser.epilog = ""
    for each in (replaying, tracing, checking):
        parser.epilog += f"\n{each.prog}:\n{each.format_help()}"
    return vars(parser.parse_args(argv))


class Twice:
    """What a JSON object holds under a key that stands in it twice."""

    def __repr__(self) -> str:
        return "two entries of that name"


def read_json(path: str) -> object:
    """What the JSON file at path holds; "-" is standard input.

    NaN and infinity are read as printf and others write them, too.
    """
    import json
    import re

    def standard(match: "re.Match[str]") -> str:
        sign, nan, inf = match.groups()
        if nan:
            return "NaN"
        return sign.replace("+", "") + "Infinity" if inf else match[0]

    def together(pairs: "list[tuple[str, object]]") -> "dict[str, object]":
        found: dict[str, object] = {}
        for key, value in pairs:
            found[key] = Twice() if key in found else value
        return found

    def integer(digits: str) -> int:
        # More digits than a double can hold are refused, and slow to read.
        return int(digits[:400])

    try:
        text = contents(path).decode("utf-8-sig")
        # A string stays as it is; so does all but nan, inf and their kin.
        words = (
            r'"(?:[^"\\]|\\.)*"|([-+]?)\b(?:(nan)(?:\(\w*\))?|(inf(?:inity)?))(?!\w)'
        )
        text = re.sub(words, standard, text, flags=re.IGNORECASE)
        return json.loads(text, object_pairs_hook=together, parse_int=integer)
    except UnicodeDecodeError as error:
        fault = f"expected UTF-8, byte {error.start} is not"
    except RecursionError:
        fault = "expected JSON, got it nested too deep"
    except ValueError as error:
        fault = f"expected JSON; {error}"
    raise ValueError(f"{shown(path, 1000)}: {fault}")


def contents(path: str) -> bytes:
    """The bytes of the file at path; "-" is standard input.

    Raises OSError, the path in it, if they cannot be read.
    """
    import sys

    if path != "-":
        with open(path, "rb") as file:
            return file.read()
    stdin = getattr(sys.stdin, "buffer", None)  # None where it is closed
    data: bytes | None = stdin.read() if stdin else None
    if data is None:
        raise OSError(0, "expected a file on standard input, got none", path)
    return data


def obey(argv: "list[str]") -> int:
    """Do what the command line says; return the exit status."""
    if not argv:
        run()
        return 0
    if argv[0].startswith("-") and argv[0] not in ("-h", "--help", "--version"):
        argv = ["run"] + argv
    options = arguments(argv)
    command = options.pop("command")
    if command == "run":
        run(**options)
    elif command == "trace":
        import json

        print(json.dumps(trace(**options), indent=1))
    else:
        report = check(read_json(options.pop("file")), **options)
        print(report)
        return 1 if report else 0
    return 0


def complain(message: object) -> None:
    """Print an error as one line on standard error, where there is one."""
    import sys

    try:
        if sys.stderr:
            print(f"refnet: {one_line(str(message))}", file=sys.stderr)
    except OSError:
        pass  # the exit status still tells


def main(argv: "list[str] | None" = None) -> int:
    """The program: argv without its name (None: that of the process) to a status.

    0 is success, 1 a failed check, 2 a bad argument, file or output, 130 an
    interrupt, 141 a pipe that was closed.
    """
    import sys

    if getattr(sys, "stdout", sys) is None:
        complain("standard output: closed")
        return 2
    try:
        try:
            status = obey(sys.argv[1:] if argv is None else argv)
        except SystemExit:  # argparse has given help
            status = 0
        if hasattr(sys.stdout, "flush"):
            sys.stdout.flush()
        return status
    except (TypeError, ValueError, RuntimeError) as error:
        complain(error)
        return 2
    except MemoryError:
        complain("out of memory")
        return 2
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        import os

        if error.filename is not None:
            complain(f"{shown(error.filename, 1000)}: {error.strerror}")
            return 2
        # What is still unwritten must not fail again when Python exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return 141
        complain(f"standard output: {error.strerror}")
        return 2


if __name__ == "__main__":
    import sys

    sys.exit(main())
