"""The cost of a step: its terms by hand, and the demo driven by its controls."""

import pytest

from course_utils.explorers.cost_explorer import PROCESSES, CostExplorer, all_reduce_ms


def test_the_ring_sends_every_number_nearly_twice():
    # A million numbers are 4 MB. At 1,000 MB/s, two processes send 2 messages of 2 MB.
    assert all_reduce_ms(1e6, 2, 0, 1000) == pytest.approx(4)
    assert all_reduce_ms(1e6, 2, 0.5, 1000) == pytest.approx(5)
    assert all_reduce_ms(1e6, 1, 0.5, 1000) == 0
    assert all_reduce_ms(1e6, 1000, 0, 1000) == pytest.approx(8, rel=0.01)


def test_the_computation_is_shared_and_the_fixed_part_is_not():
    terms = CostExplorer(fixed_ms=3, ms_per_image=0.5).terms(batch=128, millions=1, network=100)
    assert terms["computation"] == [64 / processes for processes in PROCESSES]
    assert terms["fixed part"] == [3] * len(PROCESSES)


def test_the_title_names_the_fastest():
    demo = CostExplorer(fixed_ms=0, ms_per_image=1)
    # 4,096 ms alone; with 32 processes 128 ms, and 62 messages of 0.1 ms beside the bytes of their numbers.
    title = demo.draw(batch=4096, millions=0.1, network=100_000).axes[0].get_title()
    assert title == "fastest: 32 processes, 30.5 times as fast as one"
    demo = CostExplorer(fixed_ms=4, ms_per_image=0.01)
    title = demo.draw(batch=128, millions=1, network=1_000).axes[0].get_title()
    assert title == "fastest: one process"


def test_every_control_changes_the_picture(controls_change_the_picture):
    changes = [("batch", 4096), ("millions", 100), ("network", 10)]
    assert controls_change_the_picture(CostExplorer(fixed_ms=4, ms_per_image=0.05), changes)
