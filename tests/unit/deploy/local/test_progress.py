import io

from deploy.local.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_pipe_gets_whole_lines_and_not_many() -> None:
    stream = io.StringIO()
    progress = Progress(stream)
    progress.update("1 compiled")
    progress.update("2 compiled")  # much sooner than 15 s later
    progress.done("built")
    assert stream.getvalue() == "1 compiled\nbuilt\n"


def test_a_terminal_gets_one_line_that_changes() -> None:
    stream = Terminal()
    progress = Progress(stream)
    progress.update("1 compiled")
    progress.done("built")
    assert stream.getvalue() == "1 compiled\r\x1b[Kbuilt\n"
