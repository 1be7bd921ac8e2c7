from __future__ import annotations

import asyncio
import signal
import socket
import ssl
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from emc.errors import UsageError
from emc.server.serving import _listen, refuse_open_door, serve


def test_the_command_prints_its_address_serves_and_ends_on_ctrl_c(project: Path) -> None:
    command = [sys.executable, "-m", "emc", "edit", "--no-browser", "--project", str(project)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        with urllib.request.urlopen(address, timeout=20) as answer:
            assert b"EMC editor" in answer.read()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (0, "")
    assert "Traceback" not in err


def test_a_project_that_is_none_is_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "emc", "edit", "--no-browser", "--project", str(tmp_path / "none")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (1, 2)
    assert done.stderr.startswith("emc: no project at")
    assert len(done.stderr.splitlines()) == 1


def test_answers_are_sent_at_once() -> None:
    async def delayed() -> bool:
        accepted: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        async def met(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            found: socket.socket = writer.get_extra_info("socket")
            accepted.set_result(not found.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        with _listen("127.0.0.1", 0) as listener:
            async with await asyncio.start_server(met, sock=listener) as server:
                _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
                answer = await accepted
                writer.close()
        return answer

    # A thread of its own: where browser tests ran before, this one has a loop already.
    with ThreadPoolExecutor(1) as aside:
        assert aside.submit(asyncio.run, delayed()).result() is False


def test_two_servers_that_start_at_the_same_moment_get_a_port_each() -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", 0))
        taken = other.getsockname()[1]
        # The other one has bound the port, and does not listen yet: both can bind it.
        with _listen("127.0.0.1", None, taken) as one, _listen("127.0.0.1", None, taken) as two:
            numbers = {one.getsockname()[1], two.getsockname()[1]}
            assert len(numbers) == 2


AHEAD = """
import sys
from emc.server.serving import Ahead
ahead = Ahead({pause})
ahead.start()
{then}
ahead._thread.join()
print(*sorted({{"av", "cv2", "torch"}} & set(sys.modules)))
"""


@pytest.mark.parametrize(("pause", "then", "loaded"), [(0, "", "av cv2 torch"), (3600, "ahead.end()", "av cv2")])
def test_libraries_are_loaded_behind_the_page_until_the_server_ends(pause: int, then: str, loaded: str) -> None:
    code = AHEAD.format(pause=pause, then=then)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == loaded


TLS = Path(__file__).parent / "tls"
"""A certificate of this machine's own name and its key, made for these tests and trusted by nothing else."""


def test_the_command_speaks_tls(project: Path) -> None:
    files = [str(TLS / "certificate.pem"), str(TLS / "key.pem")]
    command = [sys.executable, "-m", "emc", "edit", "--no-browser", "--project", str(project), "--tls", *files]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        trusting = ssl.create_default_context(cafile=files[0])
        with urllib.request.urlopen(address, timeout=20, context=trusting) as answer:
            assert b"EMC editor" in answer.read()
            assert "secure" in answer.headers["set-cookie"].lower()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert address.startswith("https://127.0.0.1:")


@pytest.mark.parametrize(("certificate", "said"), [("none.pem", "there is no file"), ("key.pem", "are no certificate")])
def test_files_that_are_no_certificate_are_one_line(project: Path, certificate: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        serve(project, lambda url: None, tls=(TLS / certificate, TLS / "key.pem"))
    assert "\n" not in str(caught.value)


def test_members_keep_others_out_as_a_password_does(project: Path) -> None:
    refuse_open_door("127.0.0.1", closed=False)
    refuse_open_door("0.0.0.0", closed=True)
    with pytest.raises(UsageError, match="emc members add"):
        serve(project, lambda url: None, host="0.0.0.0")
