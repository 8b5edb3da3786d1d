"""The cost of a step: its terms by hand, and the demo driven by its controls."""

import pytest

from course_utils.explorers.cost_explorer import PROCESSES, CostExplorer, all_reduce_ms


def test_the_ring_sends_every_number_nearly_twice():
    # A million numbers are 4 MB. At 1,000 MB/s, two processes send 2 messages of 2 MB.
    assert all_reduce_ms(1e6, 2, 0, 1000) == pytest.approx(4)
    assert all_reduce_ms(1e6, 2, 0.5, 1000) == pytest.approx(5)
    assert all_reduce_ms(1e6, 1, 0.5, 1000) == 0
    assert all_reduce_ms(1e6, 1000, 0, 1000) == pytest.approx(8, rel=0.01)


def test_the_computation_is_shared():
    compute, _ = CostExplorer(ms_per_image=0.5).terms(batch=128, millions=1, network=100)
    assert compute == [64 / processes for processes in PROCESSES]


def test_every_control_changes_the_picture(controls_change_the_picture):
    changes = [("batch", 4096), ("millions", 100), ("network", 10)]
    assert controls_change_the_picture(CostExplorer(), changes)
