"""What a command says: one JSON document or text for people on stdout, progress and notes on stderr."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from emc.cli.programs import as_typed
from emc.errors import EmcError, ProjectWarning

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID


class Terminal:
    """Draws progress bars on a terminal and stays quiet when piped; satisfies `emc.interfaces.Progress`."""

    def __init__(self, as_json: bool = False) -> None:
        self.as_json = as_json
        self._bars: RichProgress | None = None
        self._task: TaskID | None = None
        self._total: int | None = None
        self._done = 0

    def start(self, task: str, total: int | None) -> None:
        """Begin a progress bar; nothing is drawn where stderr is no terminal."""
        self.finish()
        self._total, self._done = total, 0
        if sys.stderr.isatty():
            self._bars = _bars()
            self._bars.start()
            self._task = self._bars.add_task(task, total=total, note="")

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Move the bar."""
        self._done += steps
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, advance=steps, note=note)

    def finish(self) -> None:
        """End the bar, leaving its last state on the screen."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None

    def say(self, line: str) -> None:
        """Write one line to stderr, above a running bar."""
        line = as_typed(line)
        if self._bars is not None:
            self._bars.console.print(line, markup=False, highlight=False)
        else:
            sys.stderr.write(line + "\n")
            sys.stderr.flush()

    def result(self, document: Mapping[str, Any], people: Callable[[Console], object]) -> None:
        """Give the command's result: `document` with ``--json``, else what `people` draws."""
        self.finish()
        if self.as_json:
            sys.stdout.write(json.dumps(_plain(document), indent=2, ensure_ascii=False) + "\n")
            return
        people(console())


def console() -> Console:
    """Return a console on stdout that keeps lines whole when piped, and shows commands as they are typed here."""
    from rich.console import Console

    class Typed(Console):
        def print(self, *objects: Any, **how: Any) -> None:
            super().print(*(as_typed(one) if isinstance(one, str) else one for one in objects), **how)

    return Typed(soft_wrap=not sys.stdout.isatty(), highlight=False)


@contextmanager
def running(as_json: bool) -> Iterator[Terminal]:
    """Run a command's body: errors become one line and an exit code, Ctrl-C a resumable stop."""
    terminal = Terminal(as_json)
    try:
        with _warnings_as_lines(terminal):
            yield terminal
    except EmcError as error:
        terminal.finish()
        _fail(str(error), error.exit_code, as_json)
    except KeyboardInterrupt:
        terminal.finish()
        _fail("stopped; what is done is kept: run the same command again to go on", 1, as_json)
    except BrokenPipeError:
        raise typer.Exit(1) from None
    except OSError as error:
        if error.filename is None:
            raise
        terminal.finish()
        _fail(f"{error.filename} cannot be used ({error.strerror}): check the path and its permissions", 1, as_json)
    finally:
        terminal.finish()


@contextmanager
def _warnings_as_lines(terminal: Terminal) -> Iterator[None]:
    """Say each warning of a project once, as one line; other warnings are shown as Python shows them."""
    said: set[str] = set()
    with warnings.catch_warnings():
        warnings.simplefilter("always", ProjectWarning)
        # Of damaged pictures; what is wrong with them is said by the error, or is no matter.
        warnings.filterwarnings("ignore", module=r"PIL\.")
        usual = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            if not issubclass(category, ProjectWarning):
                usual(message, category, *where, **more)
            elif str(message) not in said:
                said.add(str(message))
                terminal.say(f"emc: warning: {message}")

        warnings.showwarning = show
        yield


def _fail(message: str, code: int, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps({"error": message, "exit_code": code}) + "\n")
    sys.stderr.write(f"emc: {as_typed(message)}\n")
    raise typer.Exit(code)


def _bars() -> RichProgress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [_plain(v) for v in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return str(value)
