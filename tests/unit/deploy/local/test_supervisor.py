from deploy.local.processes.supervisor import Restarts


def test_the_first_start_is_at_once_and_the_next_ones_later_and_later() -> None:
    restarts = Restarts()
    pauses = [restarts.pause_after(lived=1) for _ in range(8)]
    assert pauses == [0, 1, 2, 4, 8, 16, 30, 30]


def test_who_lived_for_long_is_started_at_once_again() -> None:
    restarts = Restarts()
    for _ in range(5):
        restarts.pause_after(lived=1)
    assert restarts.pause_after(lived=3600) == 0
    assert restarts.pause_after(lived=1) == 1
