import numpy as np
import pytest

from emc.stages.refine.filters import butterworth, savitzky_golay


def test_a_cubic_passes_savitzky_golay_unchanged():
    t = np.linspace(-1, 1, 20)
    curve = np.stack([t**3 - t, t**2], axis=1)
    assert savitzky_golay(curve) == pytest.approx(curve, abs=1e-12)


def test_short_sequences_are_left_alone():
    values = np.random.default_rng(0).normal(size=(4, 3))
    assert savitzky_golay(values[:3]) is not None and (savitzky_golay(values) == values).all()
    assert (butterworth(values, 30.0) == values).all()


def test_butterworth_halves_the_power_at_its_cut_off():
    fps, t = 100.0, np.arange(600) / 100.0
    gains = []
    for hertz in (1.0, 6.0, 20.0):
        wave = np.sin(2 * np.pi * hertz * t)[:, None]
        gains.append(np.abs(butterworth(wave, fps)[200:400]).max())
    assert gains[0] == pytest.approx(1.0, abs=0.01)
    assert gains[1] == pytest.approx(np.sqrt(0.5), abs=0.02)
    assert gains[2] < 0.02


def test_butterworth_beyond_half_the_rate_is_no_filter():
    values = np.random.default_rng(0).normal(size=(40, 3))
    assert (butterworth(values, 10.0, 6.0) == values).all()
