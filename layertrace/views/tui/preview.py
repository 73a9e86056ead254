"""The content of one file on a page of its own, through its versions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from rich.style import Style
from textual.binding import Binding, BindingType

from layertrace.errors import StoppedError
from layertrace.views.outline_row import layer_name
from layertrace.views.preview.coloring import color_page
from layertrace.views.preview.pages import TextLines
from layertrace.views.tui.cells import crop_middle
from layertrace.views.tui.pages import FileScreen, Request
from layertrace.views.tui.panes.page import PagePane
from layertrace.views.tui.startup import error_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from layertrace.analysis.contents.versions import Stores
    from layertrace.errors import LayertraceError
    from layertrace.views.preview.pages import Colors, Page
    from layertrace.views.tui.file_tools import FileTools


class PreviewScreen(FileScreen):
    """What a file holds; ``,`` and ``;`` step through the layers that store it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("comma", "version(-1)", "Older", id="preview.older"),
        Binding("semicolon", "version(1)", "Newer", id="preview.newer"),
        Binding("b", "raw", "Bytes", id="preview.bytes"),
        Binding("H,d", "history", "History", key_display="H", id="preview.history"),
        Binding("escape,q,v,enter", "dismiss", "Close", id="preview.close"),
    ]

    def __init__(
        self, tools: FileTools, path: str, *, step: int = 0, layer: int | None = None
    ) -> None:
        """Prepare it.

        Args:
            tools: read the file, and do more with it.
            path: rootfs-relative.
            step: so many versions after the one that is meant, before it where negative.
            layer: the one whose version is meant; None: the one that ships.
        """
        super().__init__(tools, path)
        self.content = PagePane(tools.options, id="page")
        self._wanted_layer, self._step = layer, step
        self._stores: Stores | None = None
        self._at = 0
        self._raw = False

    def panes(self) -> ComposeResult:
        yield self.content

    def on_mount(self) -> None:
        self.content.focus()
        self.content.say(("", Style.null()), ("reading…", Style.null()))
        self._write_title("")
        self.tools.reader.submit(
            "preview", partial(_find, self.tools.trace, self.path), self._found, self._failed
        )

    @property
    def layer_index(self) -> int | None:
        """The layer whose version is on view."""
        return None if self._stores is None else self._stores.layers[self._at]

    def turn_to(self, layer: int | None) -> None:
        """Show the version of a layer, if it stores one."""
        if self._stores is not None and layer in self._stores.layers:
            self._at = self._stores.layers.index(layer)
            self._read()

    def _found(self, stores: Stores) -> None:
        if self.left:
            return
        self._stores = stores
        wanted = stores.shipped if self._wanted_layer is None else self._wanted_layer
        asked = stores.layers.index(wanted) + self._step
        self._at = max(0, min(asked, len(stores.layers) - 1))
        if asked != self._at:
            which = "before" if self._step < 0 else "after"
            self.tools.tell(f"no version {which} this one: see the layers above")
        self._read()

    def _read(self) -> None:
        if self.layer_index is None:
            return
        request = self.new_request()
        self._write_title("reading…")
        self.refresh_bindings()
        work = partial(
            _make_page,
            self.tools.trace,
            self.path,
            self.layer_index,
            raw=self._raw,
            stop=request.stop,
        )
        self.tools.reader.submit("preview", work, partial(self._show, request), self._failed)

    def _show(self, request: Request, page: Page) -> None:
        if not request.stop():
            self.content.show(page)
            self._write_title(page.words)
            work = partial(color_page, page, request.stop)
            self.tools.reader.submit("colors", work, partial(self._color, page))

    def _color(self, page: Page, colors: Colors | None) -> None:
        if self.content.page is page and colors is not None and isinstance(page.body, TextLines):
            page.body.colors = colors
            self.content.rows_changed()

    def _failed(self, error: LayertraceError) -> None:
        if not isinstance(error, StoppedError) and not self.left:
            self.content.say(*error_lines(error))
            self._write_title("")

    def _write_title(self, words: str) -> None:
        which = "" if self._stores is None else _which(self._stores, self._at)
        room = max(12, self.app.size.width - len(which) - 8)
        name = crop_middle(self.content.safe(f"/{self.path}"), room)
        self.content.set_titles(f"{name}{which}", self.content.safe(words))

    # -- keys -------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "version":
            at = self._at + (1 if parameters == (1,) else -1)
            inside = self._stores is not None and 0 <= at < len(self._stores.layers)
            return True if inside else None
        return True

    def action_version(self, step: int) -> None:
        self._at += step
        self._read()

    def action_raw(self) -> None:
        self._raw = not self._raw
        self._read()

    def action_history(self) -> None:
        self.tools.history(self.path, self.layer_index)


def _which(stores: Stores, at: int) -> str:
    """Return which version is on view, of how many, where that is not the only one."""
    layer = stores.layers[at]
    words = f" · {layer_name(layer)}"
    if len(stores.layers) > 1:
        words += f", version {at + 1} of {len(stores.layers)}"
    if stores.removed:
        return f"{words}, removed later"
    return words if layer == stores.shipped else f"{words}, not what ships"


def _find(trace: Any, path: str) -> Stores:  # noqa: ANN401 - an ImageTrace
    from layertrace.analysis.contents.versions import find_versions  # noqa: PLC0415

    return find_versions(trace, path)


def _make_page(
    trace: Any,  # noqa: ANN401 - an ImageTrace
    path: str,
    layer: int,
    *,
    raw: bool,
    stop: Callable[[], bool],
) -> Page:
    from layertrace.analysis.contents.preview import look_into  # noqa: PLC0415
    from layertrace.analysis.contents.versions import given_in  # noqa: PLC0415
    from layertrace.views.preview.content import content_page  # noqa: PLC0415

    return content_page(look_into(given_in(trace, path, layer, stop)), path, raw=raw)
