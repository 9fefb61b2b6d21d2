"""Learning-rate schedules: their values, and that training walks at their rates."""

import pickle
import re

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import scale

from backprop_mlp import BackpropMLPClassifier, IgnoredKeywordWarning
from backprop_mlp._solvers.rules import SGD, Adam, RMSprop
from backprop_mlp.schedules import (
    Constant,
    Cosine,
    Exponential,
    InverseTime,
    InvScaling,
    Step,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_iris(return_X_y=True)
X = scale(X)

SCHEDULES = [
    Constant(0.1),
    InvScaling(0.1, power=0.3, samples_per_epoch=150.0, steps_per_epoch=4),
    Step(0.1, every=7, factor=0.3),
    Exponential(0.1, every=4.0, factor=0.8),
    InverseTime(0.1, every=4.0, decay=0.5),
    Cosine(0.1, horizon=30, warm_up=5, final=0.01),
]


def network(solver="sgd", **params):
    params = {"tol": 0.0, "max_iter": 6, "batch_size": 40, "random_state": 0} | params
    return BackpropMLPClassifier(4, "tanh", solver=solver, **params)


@pytest.fixture
def rates(monkeypatch):
    """The rates at which gradient descent walks, an update each."""
    seen = []
    step = SGD.step

    def note(rule, grad, rate, state):
        seen.append(rate)
        return step(rule, grad, rate, state)

    monkeypatch.setattr(SGD, "step", note)
    return seen


# Values


def test_step_is_a_staircase():
    schedule = Step(0.8, every=3, factor=0.1)
    np.testing.assert_allclose(
        [schedule(step) for step in range(7)], [0.8] * 3 + [0.08] * 3 + [0.008]
    )


def test_exponential_falls_by_the_same_factor_at_every_step():
    values = np.array([Exponential(0.8, every=4, factor=0.5)(step) for step in range(20)])
    assert values[0] == 0.8
    np.testing.assert_allclose(values[1:] / values[:-1], 0.5**0.25)


def test_inverse_time_rises_linearly_in_its_inverse():
    values = np.array([InverseTime(0.5, every=10, decay=3.0)(step) for step in range(20)])
    np.testing.assert_allclose(1 / values, 2.0 * (1 + 0.3 * np.arange(20)))


def test_inv_scaling_changes_with_the_epoch_alone():
    schedule = InvScaling(0.5, power=0.25, samples_per_epoch=15, steps_per_epoch=3)
    expected = [0.5] * 3 + [0.5 / 16**0.25] * 3 + [0.5 / 31**0.25]
    np.testing.assert_allclose([schedule(step) for step in range(7)], expected)


def test_cosine_is_half_a_wave_around_the_middle_rate():
    schedule = Cosine(1.0, horizon=100, final=0.2)
    assert schedule(0) == 1.0
    assert schedule(50) == pytest.approx(0.6)
    assert schedule(100) == schedule(1000) == pytest.approx(0.2)
    for step in range(51):
        assert schedule(step) + schedule(100 - step) == pytest.approx(1.2)


def test_cosine_warms_up_linearly_to_its_highest_rate():
    schedule = Cosine(1.0, horizon=100, warm_up=4)
    np.testing.assert_allclose([schedule(step) for step in range(5)], [0.2, 0.4, 0.6, 0.8, 1.0])
    assert max(map(schedule, range(120))) == schedule(4)
    assert schedule(52) == pytest.approx(0.5)  # half way from 4 to 100


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
def test_schedules_are_values(schedule):
    again = pickle.loads(pickle.dumps(schedule))
    assert again == schedule
    assert hash(again) == hash(schedule)
    assert eval(repr(schedule)) == schedule
    assert clone(network(learning_rate=schedule)).learning_rate == schedule


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Constant(float("inf")), "initial must be a finite number >= 0; got inf."),
        (lambda: Step("fast", every=10), "initial must be a finite number >= 0; got 'fast'."),
        (
            lambda: Exponential(float("nan"), every=10),
            "initial must be a finite number >= 0; got nan.",
        ),
        (lambda: InvScaling(0.1, power=-1.0), "power must be a finite number >= 0; got -1.0."),
        (
            lambda: InvScaling(0.1, samples_per_epoch=-5.0),
            "samples_per_epoch must be a finite number >= 0; got -5.0.",
        ),
        (
            lambda: InvScaling(0.1, steps_per_epoch=0),
            "steps_per_epoch must be a finite number > 0; got 0.",
        ),
        (lambda: Step(0.1, every=0), "every must be a finite number > 0; got 0."),
        (
            lambda: Step(0.1, every=10, factor=-0.5),
            "factor must be a finite number >= 0; got -0.5.",
        ),
        (lambda: Exponential(0.1, every=0), "every must be a finite number > 0; got 0."),
        (
            lambda: Exponential(0.1, every=10, factor=-0.5),
            "factor must be a finite number >= 0; got -0.5.",
        ),
        (lambda: InverseTime(0.1, every=0), "every must be a finite number > 0; got 0."),
        (
            lambda: InverseTime(0.1, every=10, decay=-1.0),
            "decay must be a finite number >= 0; got -1.0.",
        ),
        (lambda: Cosine(0.1, horizon=0), "horizon must be a finite number > 0; got 0."),
        (lambda: Cosine(0.1, horizon=10, warm_up=10), "warm_up must be below horizon=10; got 10."),
        (
            lambda: Cosine(0.1, horizon=10, warm_up=-1),
            "warm_up must be a finite number >= 0; got -1.",
        ),
        (
            lambda: Cosine(0.1, horizon=10, final=-0.1),
            "final must be a finite number >= 0; got -0.1.",
        ),
    ],
)
def test_schedules_name_the_argument_that_is_wrong(make, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make()


STARTING_AT = [
    Constant,
    InvScaling,
    lambda initial: Step(initial, every=10),
    lambda initial: Exponential(initial, every=10),
    lambda initial: InverseTime(initial, every=10),
    lambda initial: Cosine(initial, horizon=10),
]


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint64])
def test_integers_of_numpy_neither_wrap_nor_refuse(kind):
    for schedule, other in [
        (InvScaling(0.1, kind(1), kind(100), kind(10)), InvScaling(0.1, 1, 100, 10)),
        (Step(0.1, kind(10)), Step(0.1, 10)),
        (Cosine(0.1, kind(120), kind(10)), Cosine(0.1, 120, 10)),
    ]:
        assert [schedule(step) for step in range(0, 700, 7)] == [
            other(step) for step in range(0, 700, 7)
        ]
        assert repr(schedule) == repr(other)


@pytest.mark.parametrize("kind", [np.uint8, np.int64])
def test_neither_do_steps_that_are_integers_of_numpy(kind):
    for schedule in [
        InvScaling(0.1, 1, 100, 10),
        Step(0.1, 300, factor=2),
        InverseTime(0.1, 300),
        Cosine(0.1, 400, 300),
    ]:
        steps = range(0, 250, 7)
        assert [schedule(kind(step)) for step in steps] == [schedule(step) for step in steps]


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint64])
@pytest.mark.parametrize("name", ["invscaling", "cosine", "step"])
def test_so_do_those_in_the_keywords(name, kind):
    numbers = {"max_iter": 60, "batch_size": 7} | ({"power_t": 1} if name == "invscaling" else {})
    params = {"learning_rate": name, "tol": 0.0, "solver": "sgd", "random_state": 0}
    model = BackpropMLPClassifier(4, **params, **numbers).fit(X, y)
    numbers = {keyword: kind(number) for keyword, number in numbers.items()}
    other = BackpropMLPClassifier(4, **params, **numbers).fit(X, y)
    assert model.loss_curve_ == other.loss_curve_


@pytest.mark.parametrize("starting_at", STARTING_AT)
def test_every_schedule_refuses_an_initial_rate_below_zero(starting_at):
    with pytest.raises(ValueError, match=r"^initial must be a finite number >= 0; got -0\.1\.$"):
        starting_at(-0.1)


@pytest.mark.parametrize("starting_at", STARTING_AT)
def test_an_initial_rate_of_zero_stays_zero(starting_at):
    assert [starting_at(0.0)(step) for step in (0, 1, 50)] == [0.0, 0.0, 0.0]


def test_constants_that_are_not_given_are_those_of_the_documentation():
    steps = np.arange(30)
    for schedule, expected in [
        (InvScaling(0.6), 0.6 / np.sqrt(1 + steps)),
        (Step(0.6, every=7), 0.6 * 0.5 ** (steps // 7)),
        (Exponential(0.6, every=7), 0.6 * 0.95 ** (steps / 7)),
        (InverseTime(0.6, every=7), 0.6 / (1 + steps / 7)),
        (Cosine(0.6, horizon=7), 0.3 + 0.3 * np.cos(np.pi * np.minimum(steps / 7, 1.0))),
    ]:
        np.testing.assert_allclose([schedule(step) for step in steps], expected, atol=1e-15)


# Training walks at these rates


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
def test_a_schedule_gives_the_rate_of_every_update(rates, schedule):
    network(learning_rate=schedule).fit(X, y)
    assert rates == [schedule(step) for step in range(6 * 4)]


EPOCHS = np.arange(40).repeat(4)  # 4 updates each
STEPS = np.arange(160)

NAMED = {
    "constant": np.ones(160),
    "adaptive": np.ones(160),
    "invscaling": 1 / (1 + 150 * EPOCHS) ** 0.5,
    "step": 0.5 ** (EPOCHS // 10),
    "exponential": 0.95 ** (STEPS / 4),
    "inverse_time": 1 / (1 + STEPS / 4),
    "cosine": np.where(STEPS < 8, (STEPS + 1) / 9, (1 + np.cos(np.pi * (STEPS - 8) / 152)) / 2),
}


@pytest.mark.parametrize("name", NAMED)
def test_a_name_stands_for_the_lectures_constants_in_epochs(rates, name):
    classifier = network(learning_rate=name, learning_rate_init=0.02, max_iter=40)
    classifier.set_params(n_iter_no_change=40).fit(X, y)
    np.testing.assert_allclose(rates, 0.02 * NAMED[name], rtol=1e-12)


def test_cosine_by_name_warms_up_over_whole_steps(rates):
    """A twentieth of 9 epochs of 4 updates, rounded down: 1."""
    network(learning_rate="cosine", learning_rate_init=0.02, max_iter=9).fit(X, y)
    assert rates == [Cosine(0.02, 36, 1)(step) for step in range(36)]


@pytest.mark.parametrize("power_t", [0.5, 0.1])
def test_invscaling_is_that_of_mlp_classifier(rates, power_t):
    params = {"learning_rate": "invscaling", "learning_rate_init": 0.2, "power_t": power_t}
    network(**params).fit(X, y)
    theirs = MLPClassifier(4, solver="sgd", batch_size=50, max_iter=1, warm_start=True, **params)
    for epoch in range(5):
        theirs.fit(X, y)  # ends with the rate of the next epoch
        expected = 0.2 / (1 + theirs.t_) ** power_t
        assert rates[4 * (epoch + 1)] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("weight", [1e-3, 1.0, 2.5])
def test_invscaling_counts_rows_whatever_their_weight(rates, weight):
    # At 0.001 the rows are so light that an alpha of 1 would be warned of.
    params = {"learning_rate": "invscaling", "learning_rate_init": 1e-3, "alpha": 0.0}
    network(**params, max_iter=2).fit(X, y, np.full(len(X), weight))
    assert rates[4] == pytest.approx(1e-3 / (1 + len(X)) ** 0.5)


DECAY = {
    "invscaling": lambda epochs, rows: (1 + rows) ** -0.5,
    "step": lambda epochs, rows: 0.5 ** (epochs // 10),
    "exponential": lambda epochs, rows: 0.95**epochs,
    "inverse_time": lambda epochs, rows: 1 / (1 + epochs),
}
"""Rate at the beginning of an epoch, from the epochs and the rows before it."""


@pytest.mark.parametrize("solver", ["adam", "rmsprop", "sgd"])
@pytest.mark.parametrize("name", DECAY)
def test_a_chunk_is_an_epoch_whatever_its_rows(name, solver, monkeypatch):
    """The rates of later chunks depend on how many there were, or how long, and never rise."""
    seen = []
    rule = {"adam": Adam, "rmsprop": RMSprop, "sgd": SGD}[solver]
    step = rule.step
    monkeypatch.setattr(
        rule,
        "step",
        lambda self, grad, rate, state: seen.append(rate) or step(self, grad, rate, state),
    )
    stream = network(solver, learning_rate=name, learning_rate_init=0.01)
    begins, rows = [], 0
    for epochs, n_rows in enumerate([150, 10, 10, 100, 1, 120] * 2):
        begins.append((len(seen), 0.01 * DECAY[name](epochs, rows)))
        stream.partial_fit(X[:n_rows], y[:n_rows], classes=[0, 1, 2])
        rows += n_rows
    assert [seen[index] for index, _ in begins] == pytest.approx([rate for _, rate in begins])
    assert np.all(np.diff(seen) <= 0)


def test_a_cosine_without_an_end_is_refused():
    stream = network("adam", learning_rate="cosine")
    with pytest.raises(AttributeError, match="partial_fit") as error:
        stream.partial_fit(X, y, classes=[0, 1, 2])
    assert "learning_rate must not be 'cosine'" in str(error.value.__cause__)
    assert "horizon" in str(error.value.__cause__)
    assert not hasattr(stream, "partial_fit")
    stream.set_params(learning_rate=Cosine(0.01, horizon=100)).partial_fit(X, y, classes=[0, 1, 2])


@pytest.mark.parametrize("solver", ["adam", "rmsprop", "sgd"])
def test_a_callable_is_told_the_steps_from_zero_on(solver):
    steps = []

    def schedule(step):
        steps.append(step)
        return 0.01

    classifier = network(solver, learning_rate=schedule, warm_start=True, max_iter=2).fit(X, y)
    classifier.fit(X, y)
    assert steps == list(range(4 * 4))
    constant = network(solver, learning_rate_init=0.01, max_iter=4).fit(X, y)
    assert all(map(np.array_equal, classifier.coefs_, constant.coefs_))


@pytest.mark.parametrize("rate", [-1e-9, np.nan, np.inf, "fast", None, 1j, [0.1, 0.2]], ids=repr)
def test_a_rate_that_is_none_is_refused(rate):
    classifier = network(learning_rate=lambda step: rate if step == 5 else 0.01)
    message = re.escape(f"learning_rate must give finite rates >= 0; got {rate!r} at step 5.")
    with pytest.raises(ValueError, match=f"^{message}$"):
        classifier.fit(X, y)
    assert not hasattr(classifier, "coefs_")


@pytest.mark.parametrize("rate", [0, 0.0, np.float32(0.5), np.array(0.5), np.int64(1)], ids=repr)
def test_any_number_is_a_rate(rate):
    classifier = network(learning_rate=lambda step: rate, max_iter=2).fit(X, y)
    same = network(learning_rate=lambda step: float(rate), max_iter=2).fit(X, y)
    assert all(map(np.array_equal, classifier.coefs_, same.coefs_))


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match=r"'learning_rate' parameter.*'linear'"):
        network(learning_rate="linear").fit(X, y)


def test_full_batch_solvers_have_no_learning_rate():
    without = network("lbfgs", batch_size="auto").fit(X, y)
    with_rate = clone(without).set_params(learning_rate="cosine", learning_rate_init=5.0)
    with pytest.warns(IgnoredKeywordWarning, match="learning_rate and learning_rate_init"):
        with_rate.fit(X, y)
    assert all(map(np.array_equal, with_rate.coefs_, without.coefs_))


# "adaptive": where training would stop for lack of progress, the rate falls instead


def test_adaptive_divides_the_rate_by_five_until_it_is_tiny(rates):
    """With a tol that nothing satisfies, progress lacks after every third epoch."""
    params = {"tol": 1e9, "n_iter_no_change": 2, "max_iter": 100, "learning_rate_init": 1e-3}
    classifier = network(learning_rate="adaptive", **params).fit(X, y)
    expected = 1e-3 / 5.0 ** np.arange(6)  # the sixth is below 1e-6
    np.testing.assert_allclose(rates, expected.repeat(3 * 4), rtol=1e-12)
    assert classifier.n_iter_ == 18
    assert classifier.converged_
    assert network(learning_rate="constant", **params).fit(X, y).n_iter_ == 3


def test_adaptive_keeps_its_rate_while_the_cost_falls(rates):
    classifier = network(learning_rate="adaptive", learning_rate_init=0.05, max_iter=30)
    classifier.set_params(tol=1e-9).fit(X, y)
    assert set(rates) == {0.05}
    assert classifier.loss_ < 0.5 * classifier.loss_curve_[0]


def test_adaptive_reaches_what_a_constant_rate_dances_around():
    params = {"learning_rate_init": 1.0, "max_iter": 400, "tol": 1e-5, "momentum": 0.0}
    adaptive = network(learning_rate="adaptive", **params).fit(X, y)
    constant = network(learning_rate="constant", **params).fit(X, y)
    assert adaptive.cost(X, y) < constant.cost(X, y)


def test_adaptive_heeds_the_validation_score_under_early_stopping(rates):
    params = {"early_stopping": True, "n_iter_no_change": 2, "max_iter": 100, "tol": 1e9}
    network(learning_rate="adaptive", learning_rate_init=1e-3, **params).fit(X, y)
    np.testing.assert_allclose(np.unique(rates), 1e-3 / 5.0 ** np.arange(6)[::-1])


# Going on


def test_a_name_goes_on_where_the_last_fit_ended(rates):
    for name in ("invscaling", "step", "exponential", "inverse_time"):
        params = {"learning_rate": name, "learning_rate_init": 1e-3}
        network(max_iter=12, **params).fit(X, y)
        whole = rates.copy()
        rates.clear()
        classifier = network(max_iter=4, warm_start=True, **params)
        for _ in range(3):
            classifier.fit(X, y)
        assert rates == whole
        rates.clear()


def test_cosine_by_name_ends_where_each_fit_ends(rates):
    """And so a warm start does not find itself beyond the horizon, at rate 0."""
    classifier = network(learning_rate="cosine", learning_rate_init=0.02, max_iter=20)
    classifier.set_params(warm_start=True, n_iter_no_change=50).fit(X, y)
    np.testing.assert_allclose(rates, [Cosine(0.02, 80, 4)(step) for step in range(80)])
    rates.clear()
    classifier.fit(X, y)
    np.testing.assert_allclose(rates, [Cosine(0.02, 160, 8)(step) for step in range(80, 160)])
    assert rates[0] > 0.009
    assert rates[-1] < 1e-5
