"""A MiB of anything is read within milliseconds: this holds up the controller for so long."""

import time

import pytest

from controller.results.parse import parse

MIB = 1024 * 1024
BLOCK = b"Chaos data:\n{\n"
TELEMETRY = BLOCK + b'"telemetry": '


@pytest.mark.parametrize(
    "log",
    [
        pytest.param(b"a line of a log that says nothing of a result\n" * 23_000, id="lines"),
        pytest.param(b"x" * MIB, id="one line"),
        pytest.param(b"\x1b[0m" * (MIB // 4), id="codes"),
        pytest.param((b"\x1b[37m" + b"x" * 40 + b"\x1b[0m\n") * 19_000, id="colored lines"),
        pytest.param(b"\x1b[" + b"0;" * (MIB // 2), id="a code without an end"),
        pytest.param(b"Chaos data:\n" * (MIB // 12), id="markers"),
        pytest.param(BLOCK * (MIB // 14), id="blocks without an end"),
        pytest.param(b"KRKN_RESILIENCY_REPORT_JSON:{" * (MIB // 29), id="reports"),
        pytest.param(TELEMETRY + b"[" * MIB, id="deep"),
        pytest.param(
            TELEMETRY + b"[" * (MIB // 2) + b"]" * (MIB // 2) + b"\n}", id="deep and whole"
        ),
        pytest.param(BLOCK + b'"a":{' * 150_000 + b"}" * 150_000 + b"\n}", id="deep objects"),
        pytest.param(
            TELEMETRY + b'{"scenarios":[' + b"{}," * (MIB // 3) + b"{}]}\n}", id="long list"
        ),
        pytest.param(
            TELEMETRY + b'{"scenarios":[],"run_uuid":"' + b"\\u00e9" * (MIB // 7) + b'"}\n}',
            id="long text",
        ),
        pytest.param(
            TELEMETRY + b'{"scenarios":[],"failed_alerts":' + b"9" * (MIB - 100) + b"}\n}",
            id="long number",
        ),
        pytest.param(
            TELEMETRY
            + b'{"scenarios":['
            + b",".join([b'{"scenario":"a","exit_status":0}'] * 29_000)
            + b"]}\n}",
            id="many scenarios",
        ),
    ],
)
def test_within_milliseconds(log: bytes) -> None:
    log = log[-MIB:] if log.startswith(b"x") else log[:MIB]
    took = []
    for _ in range(3):
        began = time.process_time()
        parse(log)
        took.append(time.process_time() - began)
    # 4 ms at most where this was written; other machines are slower.
    assert min(took) < 0.05
