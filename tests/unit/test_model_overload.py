"""How far an action goes at which pressure."""

import pytest

from fastproxy.model_overload import OverloadTrigger


@pytest.mark.parametrize(("pressure", "scale"), [(0.0, 0.0), (0.89, 0.0), (0.9, 1.0), (1.5, 1.0)])
def test_a_threshold_is_reached_or_not(pressure, scale):
    assert OverloadTrigger("heap", 0.9, 0.9).scale(pressure) == scale


@pytest.mark.parametrize(("pressure", "scale"), [(0.4, 0.0), (0.5, 0.0), (0.75, 0.5), (1.0, 1.0), (1.1, 1.0)])
def test_a_scaled_trigger_goes_from_nothing_to_everything(pressure, scale):
    assert OverloadTrigger("heap", 0.5, 1.0).scale(pressure) == scale
