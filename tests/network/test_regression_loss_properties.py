"""What holds for the losses of numbers whatever the numbers are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_mlp._network.regression_losses import Gamma, Huber, Poisson, Quantile, SquaredError

ONE = np.ones(1)
outputs = st.floats(-30.0, 30.0)
targets = st.floats(1e-6, 1e6)
losses = st.one_of(
    st.just(SquaredError()),
    st.just(Poisson()),
    st.just(Gamma()),
    st.builds(Huber, st.floats(0.01, 10.0)),
    st.builds(Quantile, st.floats(0.01, 0.99), st.floats(1e-3, 1.0)),
)


def cell(number):
    return np.array([[number]])


@given(losses, outputs, targets)
def test_no_loss_is_below_zero(loss, z, y):
    assert loss.value(cell(z), cell(y), ONE) >= 0.0


@given(losses, outputs, outputs, targets)
def test_losses_are_convex_in_z_so_delta_never_falls(loss, one, other, y):
    low, high = (loss.value_and_delta(cell(z), cell(y), ONE)[1][0, 0] for z in sorted((one, other)))
    assert low <= high


@given(losses, outputs, targets)
def test_the_second_derivative_is_not_negative(loss, z, y):
    assert loss.delta_tangent(cell(z), cell(1.0), cell(y), ONE)[0, 0] >= 0.0


@given(losses, outputs, targets)
def test_the_value_alone_is_the_value_beside_delta(loss, z, y):
    alone = loss.value(cell(z), cell(y), ONE)
    assert alone == pytest.approx(loss.value_and_delta(cell(z), cell(y), ONE)[0], rel=1e-14)


@given(losses, outputs)
def test_the_link_takes_predictions_back_to_z(loss, z):
    assert loss.link(loss.predict(cell(z)))[0, 0] == pytest.approx(z, rel=1e-14, abs=1e-14)


@given(st.floats(0.01, 0.99), st.floats(1e-3, 1.0), outputs, outputs)
def test_the_other_side_of_a_quantile_is_its_mirror_image(quantile, smoothing, z, y):
    here = Quantile(quantile, smoothing).value(cell(z), cell(y), ONE)
    mirrored = Quantile(1.0 - quantile, smoothing).value(cell(-z), cell(-y), ONE)
    assert here == pytest.approx(mirrored, rel=1e-12, abs=1e-14)
