"""The walker: one layer's tar, read forward once, to an index of its entries.

It takes large windows of the tar from headers to headers and passes contents
over; :mod:`layertrace.layers.headers` says what the headers mean.

Source: OCI image-spec, ``layer.md``.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from layertrace.errors import LayerError, LimitError, StoppedError
from layertrace.layers.claims import Claims, Notes
from layertrace.layers.columns import Columns
from layertrace.layers.headers import DamagedHeaderError, OddDecoder
from layertrace.layers.index import LayerIndex
from layertrace.layers.misplaced import find_misplaced
from layertrace.layers.plain import BLOCK, EXTENDED, SPAN, TYPE, PlainRows
from layertrace.layers.relinked import keep_linked
from layertrace.layers.repeated import count_repeats
from layertrace.layers.room import Room
from layertrace.model.entry import EntryKind
from layertrace.model.limits import DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from layertrace.layers.headers import Member, OddMember
    from layertrace.model.limits import Limits

WINDOW: Final = 256 * 1024
_FIRST_WINDOW: Final = 64 * 1024

_FILE: Final = int(EntryKind.FILE)
_MOST_ROWS: Final = 1024
"""Rows read before they are taken over: enough for what that costs each time."""
_ZERO_BLOCK: Final = bytes(BLOCK)


class ForwardReader(Protocol):
    """A layer's uncompressed tar, read forward: no offset lies before an earlier one's end."""

    def read_at(self, offset: int, size: int) -> bytes:
        """Return ``size`` bytes from ``offset``; fewer only where the tar ends.

        Raises:
            LayerError: there is more of the tar, and it cannot be had.
        """
        ...

    def length(self) -> int:
        """Return the tar's length, or how much could be had of it; asked for at the end."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """An index and, where asked for, the sha256 of each regular file in it."""

    index: LayerIndex
    digests: dict[int, bytes]
    """Entry number to the raw sha256 of its content; empty unless asked for."""


def walk_layer(
    reader: ForwardReader,
    *,
    name: str,
    hash_contents: bool = False,
    watch: Callable[[int, int], bool] | None = None,
    limits: Limits = DEFAULTS,
) -> Walked:
    """Walk one layer's tar to its end marker, or as far as it can be read.

    What stands before damage is as good as ever; the index then says what
    was found there. A member whose content is not whole counts as damage.

    Args:
        reader: the uncompressed tar.
        name: of the layer, for messages.
        hash_contents: also read and hash every regular file.
        watch: called for each window with the bytes and entries passed; True stops.
        limits: how much it may hold.

    Raises:
        LimitError: it holds more.
        StoppedError: ``watch`` said so.
    """
    return _Walk(reader, name, hash_contents=hash_contents, watch=watch, limits=limits).run()


class _Walk:
    """One walk: a window of the tar, and the columns so far."""

    def __init__(
        self,
        reader: ForwardReader,
        name: str,
        *,
        hash_contents: bool,
        watch: Callable[[int, int], bool] | None,
        limits: Limits,
    ) -> None:
        self._reader = reader
        self._name = name
        self._hash_contents = hash_contents
        self._watch = watch
        self._room = Room(name, limits)
        self._notes = Notes()
        self._claims = Claims(self._room, self._notes)
        self._columns = Columns()
        self._rows = PlainRows()
        self._window = b""
        self._start = 0
        self._ahead = _FIRST_WINDOW
        self._content_end = 0
        self._stored = 0
        self._odd = OddDecoder(limits)
        self._hashed: dict[int, bytes] = {}
        """Of rows that are not among the columns yet."""
        self._digests: dict[int, bytes] = {}
        self._damage = ""
        self._parents: set[str] | None = None

    def run(self) -> Walked:
        try:
            self._walk()
        except LimitError:
            raise
        except LayerError as error:
            self._damage = ": ".join(line for line in (error.what, error.why) if line)
            self._settle_rows()
            self._drop_cut_entry()
        return self._finish()

    def _walk(self) -> None:
        position = 0
        while True:
            header = self.read(position, BLOCK)
            if len(header) < BLOCK:
                self._settle_rows()
                self._meet_end(len(header))
                break
            if header == _ZERO_BLOCK:
                self._settle_rows()
                self._look_behind(position + BLOCK)
                break
            position = (
                self._odd.plain and (self._take_plain(position) or self._take_told(position))
            ) or self._take_odd(position)

    def read(self, position: int, size: int) -> bytes:
        """Return ``size`` bytes at ``position`` through the window; fewer at the end."""
        local = position - self._start
        if local + size > len(self._window):
            if self._watch is not None and self._watch(
                position, len(self._columns.kinds) + len(self._rows)
            ):
                raise StoppedError
            tail = self._window[local:]
            # Behind a large file the next is often large too, so the window
            # starts small there and grows while headers follow each other.
            jumped = local > len(self._window)
            self._ahead = _FIRST_WINDOW if jumped else min(2 * self._ahead, WINDOW)
            wanted = max(self._ahead, size - len(tail))
            self._window = tail + self._reader.read_at(position + len(tail), wanted)
            self._start = position
            local = 0
        return self._window[local : local + size]

    def _take_plain(self, position: int) -> int:
        """Take plain headers from ``position`` on; return where the next stands, 0: took none."""
        rows = self._rows
        count = len(rows)
        # Where contents are read, one at a time: nothing is read twice.
        most = 1 if self._hash_contents else _MOST_ROWS - count
        end = rows.take(self._window, self._start, position, most)
        return self._took(end) if len(rows) > count else 0

    def _take_told(self, position: int) -> int:
        """Take a member behind extended headers; return where the next stands, 0: took none."""
        if self.read(position, BLOCK)[TYPE] not in EXTENDED:
            return 0
        with suppress(LayerError):
            # Damage further on is no matter to a member that stands before it.
            self.read(position, SPAN)
        local, rows = position - self._start, self._rows
        told = rows.read_extended(self._window[local : local + SPAN])
        if told is None:
            return 0
        count = len(rows)
        rows.take(self._window, self._start, position + told.size, 1)
        return self._took(rows.amend(told)) if len(rows) > count else 0

    def _took(self, end: int) -> int:
        """Do what is due after rows were taken; return where the next header stands."""
        rows = self._rows
        if self._hash_contents and rows.kinds[-1] == _FILE:
            self._hashed[len(rows) - 1] = self._hash(rows.contents[-1], rows.sizes[-1])
        if len(rows) >= _MOST_ROWS:
            self._settle_rows()
        return end

    def _settle_rows(self) -> None:
        """Take what was read of plain headers over into the columns."""
        rows = self._rows
        if not len(rows):
            return
        numbers = self._columns.add_rows(rows, self._claims.take_all(rows.names, rows.kinds))
        for row, digest in self._hashed.items():
            number = numbers[row]
            if number is not None:
                self._digests[number] = digest
        self._stored += sum(rows.sizes)
        self._content_end = rows.contents[-1] + rows.sizes[-1]
        self._hashed.clear()
        rows.clear()
        self._weigh()

    def _weigh(self) -> None:
        """Refuse a layer that is too large."""
        markers = len(self._claims.whiteouts) + len(self._claims.opaques)
        self._room.weigh(self._columns, markers)

    def _add_odd(self, odd: OddMember, member: Member) -> None:
        """Add a member as tarfile reads it."""
        name, kind, size, owner, mtime, link = member
        path = self._claims.take(name, kind)
        self._stored += size
        if path is not None:
            number = self._columns.add(path, kind, size, owner, mtime, odd.content)
            if link:
                self._columns.add_link(number, link)
            self._columns.add_extras(number, odd)
            if self._hash_contents and kind == _FILE and odd.sparse is None:
                self._digests[number] = self._hash(odd.content, size)
        self._weigh()

    def _take_odd(self, position: int) -> int:
        """Add the member at ``position`` as tarfile reads it; return where the next begins."""
        self._settle_rows()
        try:
            odd = self._odd.decode(self.read, position)
        except EOFError:
            raise self._cut_short() from None
        except DamagedHeaderError as error:
            raise LayerError(
                f"{self._name}: damaged tar header at byte {position:,}", why=str(error)
            ) from error
        if not odd.type:
            self._notes.add("header-of-nothing", "extended headers that no member follows")
        elif odd.member is None:
            self._notes.add(
                "unknown-tar-type", f"members of a type no container sees ({odd.type!r}), left out"
            )
        else:
            self._add_odd(odd, odd.member)
        self._content_end = odd.content + odd.stored
        return odd.end

    def _hash(self, position: int, size: int) -> bytes:
        """Return the sha256 of ``size`` bytes at ``position``, read forward."""
        sha256 = hashlib.sha256()
        end = position + size
        while position < end:
            piece = self.read(position, min(WINDOW, end - position))
            if not piece:
                raise self._cut_short()
            sha256.update(piece)
            position += len(piece)
        return sha256.digest()

    def _look_behind(self, position: int) -> None:
        """Note what follows the end marker at once; nobody reads that."""
        try:
            rest = self.read(position, WINDOW)
        except LimitError:
            raise
        except LayerError:
            # Whoever reads on to the end of what is stored will be told.
            return
        if rest.strip(b"\0"):
            self._notes.add("trailing-data", "data follows the end marker of its tar")

    def _meet_end(self, rest: int) -> None:
        """Judge a tar that ends without its end marker."""
        if rest or self._content_end > self._reader.length():
            raise self._cut_short()
        self._notes.add("no-end-marker", "its tar has no end marker")

    def _cut_short(self) -> LayerError:
        return LayerError(
            f"{self._name} is cut short: its tar ends after {self._reader.length():,} bytes",
            hint="save or copy the image again",
        )

    def _drop_cut_entry(self) -> None:
        """Leave out the last entry where its content is not whole."""
        columns = self._columns
        number = len(columns.kinds) - 1
        if number < 0:
            return
        parts = columns.sparse.get(number, ((0, columns.sizes[number]),))
        end = columns.offsets[number] + sum(size for _, size in parts)
        if end > self._reader.length():
            self._stored -= columns.sizes[number]
            columns.keep(list(range(number)))

    def _settle(self, last: dict[str, int]) -> dict[str, int]:
        """Return path to number of the entries that extraction would leave."""
        columns = self._columns
        repeated = len(columns.paths) - len(last)
        if repeated:
            self._notes.add(
                "repeated-path", f"{repeated:,} paths stand in it more than once; last wins"
            )
            for number, held in keep_linked(columns, last).items():
                if held in self._digests:
                    self._digests[number] = self._digests[held]
        parents = {path.rpartition("/")[0] for path in columns.paths}
        misplaced = find_misplaced(
            columns.paths,
            columns.kinds,
            columns.links,
            last,
            parents,
            partial(self._room.take, columns),
        )
        if misplaced is None:
            self._parents = parents
            return last
        self._notes.add(
            "below-no-directory",
            f"{len(misplaced.paths):,} paths lie below a symbolic link or file of the same layer: "
            "they stand where the link leads, or are lost to it",
        )
        columns.links |= misplaced.targets
        for number, path in misplaced.paths.items():
            columns.paths[number] = columns.paths[number] if path is None else path
        return {
            path: number
            for number, path in enumerate(columns.paths)
            if misplaced.paths.get(number, path) is not None
        }

    def _finish(self) -> Walked:
        self._weigh()
        columns = self._columns
        last = self._settle(dict(zip(columns.paths, range(len(columns.paths)), strict=True)))
        repeats: dict[int, int] = {}
        if len(last) < len(columns.paths):
            repeats = count_repeats(columns, last)
            moved = columns.keep(sorted(last.values()))
            self._digests = {moved[k]: v for k, v in self._digests.items() if k in moved}
            repeats = {moved[number]: size for number, size in repeats.items()}
        index = LayerIndex(
            paths=columns.paths,
            kinds=bytes(columns.kinds),
            sizes=columns.sizes,
            modes=columns.modes,
            uids=columns.uids,
            gids=columns.gids,
            mtimes=columns.mtimes,
            offsets=columns.offsets,
            links=columns.links,
            devices=columns.devices,
            capabilities=columns.capabilities,
            sparse=columns.sparse,
            repeats=repeats,
            whiteouts=tuple(dict.fromkeys(self._claims.whiteouts)),
            opaques=tuple(dict.fromkeys(self._claims.opaques)),
            stored_bytes=self._stored,
            length=self._reader.length(),
            notes=self._notes.all(),
            damage=self._damage,
        )
        if self._parents is not None:
            # They were looked for already, and whoever folds layers asks for them.
            vars(index)["parents"] = self._parents
        return Walked(index=index, digests=self._digests)
