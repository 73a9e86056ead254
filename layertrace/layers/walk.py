"""The walker: one layer's tar, read forward once, to an index of its entries.

It takes large windows of the tar from headers to headers and passes contents
over; :mod:`layertrace.layers.headers` says what the headers mean.

Source: OCI image-spec, ``layer.md``.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from functools import partial
from sys import getsizeof
from typing import TYPE_CHECKING, Final, Protocol

from layertrace.errors import InvalidWhiteoutError, LayerError, LimitError, StoppedError
from layertrace.layers.columns import Columns
from layertrace.layers.headers import BLOCK, DamagedHeaderError, OddDecoder, PlainDecoder
from layertrace.layers.index import LayerIndex
from layertrace.layers.misplaced import find_misplaced
from layertrace.layers.relinked import keep_linked
from layertrace.layers.repeated import count_repeats
from layertrace.layers.room import Room
from layertrace.layers.whiteout import is_aufs_metadata, parse_whiteout
from layertrace.model.entry import EntryKind, clean_path
from layertrace.model.limits import DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from layertrace.layers.headers import Member
    from layertrace.model.limits import Limits

WINDOW: Final = 256 * 1024
_FIRST_WINDOW: Final = 16 * 1024

_FILE: Final = int(EntryKind.FILE)
_DIR: Final = int(EntryKind.DIR)
_SYMLINK: Final = int(EntryKind.SYMLINK)
_ZERO_BLOCK: Final = bytes(BLOCK)

_UNCLEAN_STARTS: Final = frozenset({"", "/", "."})
_OUTSIDE: Final = re.compile(r"\A/.|(?:\A|/)\.\.(?:/|\Z)", re.DOTALL)
_UNCLEAN: Final = re.compile(r"//|/\.\.?(?:/|\Z)|\A(?:/|\.\.?(?:/|\Z))")


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
        self._columns = Columns()
        self._window = b""
        self._start = 0
        self._ahead = _FIRST_WINDOW
        self._content_end = 0
        self._stored = 0
        self._decoder = PlainDecoder()
        self._odd = OddDecoder(limits)
        self._digests: dict[int, bytes] = {}
        self._whiteouts: list[str] = []
        self._opaques: list[str] = []
        self._notes: dict[str, str] = {}
        self._times: Counter[str] = Counter()
        """How often each note would have been made."""
        self._damage = ""

    def run(self) -> Walked:
        try:
            self._walk()
        except LimitError:
            raise
        except LayerError as error:
            self._damage = ": ".join(line for line in (error.what, error.why) if line)
            self._drop_cut_entry()
        return self._finish()

    def _walk(self) -> None:
        position = 0
        decode, plain = self._decoder.decode, True
        while True:
            local = position - self._start
            header = self._window[local : local + BLOCK]
            if len(header) < BLOCK:
                header = self.read(position, BLOCK)
                if len(header) < BLOCK:
                    self._meet_end(len(header))
                    break
            member = decode(header) if plain else None
            if member is not None:
                position = self._add(member, position + BLOCK)
            elif header == _ZERO_BLOCK:
                self._look_behind(position + BLOCK)
                break
            else:
                position = self._take_odd(position)
                plain = self._odd.plain

    def read(self, position: int, size: int) -> bytes:
        """Return ``size`` bytes at ``position`` through the window; fewer at the end."""
        local = position - self._start
        if local + size > len(self._window):
            if self._watch is not None and self._watch(position, len(self._columns.kinds)):
                raise StoppedError
            self._weigh()
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

    def _add(self, member: Member, content: int, *, sparse: bool = False) -> int:
        """Add the member whose content starts at ``content``; return where the next begins."""
        name, kind, size, owner, mtime, link = member
        path = self._claim(name, kind)
        self._stored += size
        self._content_end = content + size
        if path is not None:
            columns = self._columns
            number = len(columns.kinds)
            columns.paths.append(path)
            columns.kinds.append(kind)
            columns.sizes.append(size)
            columns.modes.append(owner[0])
            columns.uids.append(owner[1])
            columns.gids.append(owner[2])
            columns.mtimes.append(mtime)
            columns.offsets.append(content)
            if link:
                columns.links[number] = link if kind == _SYMLINK else clean_path(link)
                self._room.names += getsizeof(link)
            if self._hash_contents and kind == _FILE and not sparse:
                self._digests[number] = self._hash(content, size)
        return content + (size + BLOCK - 1 & -BLOCK)

    def _claim(self, name: str, kind: int) -> str | None:
        """Return the cleaned path of an entry; None for a marker, which is kept apart."""
        path = name.rstrip("/")
        if len(path) > self._room.short and (refusal := self._room.refusal(path)) is not None:
            self._note(*refusal)
            return None
        # Nearly all paths are clean, and looking for three strings costs a
        # tenth of one search by pattern.
        if "/." in path or "//" in path or path[:1] in _UNCLEAN_STARTS:
            if _OUTSIDE.search(path):
                self._note("unsafe-name", "names that begin with / or hold .., read below the root")
            path = clean_path(path) if _UNCLEAN.search(path) else path
        if ".wh." in path and self._take_marker(path):
            return None
        if not path and kind != _DIR:
            self._note("root-not-directory", "an entry for / that is not a directory, passed over")
            return None
        return path

    def _weigh(self) -> None:
        """Refuse a layer that is too large; once a window, so that an entry costs no more."""
        self._room.weigh(self._columns, len(self._whiteouts) + len(self._opaques))

    def _take_marker(self, path: str) -> bool:
        """Keep what a marker removes; False for an ordinary entry."""
        if is_aufs_metadata(path):
            self._note("aufs-metadata", "AUFS bookkeeping entries, which no container sees")
            return True
        self._room.names += getsizeof(path)
        try:
            whiteout = parse_whiteout(path)
        except InvalidWhiteoutError as error:
            self._note("invalid-whiteout", error.what)
            return True
        if whiteout is not None:
            (self._opaques if whiteout.opaque else self._whiteouts).append(whiteout.path)
        return whiteout is not None

    def _take_odd(self, position: int) -> int:
        """Add the member at ``position`` as tarfile reads it; return where the next begins."""
        try:
            odd = self._odd.decode(self.read, position)
        except EOFError:
            raise self._cut_short() from None
        except DamagedHeaderError as error:
            raise LayerError(
                f"{self._name}: damaged tar header at byte {position:,}", why=str(error)
            ) from error
        if not odd.type:
            self._note("header-of-nothing", "extended headers that no member follows")
        elif odd.member is None:
            self._note(
                "unknown-tar-type", f"members of a type no container sees ({odd.type!r}), left out"
            )
        else:
            number = len(self._columns.kinds)
            self._add(odd.member, odd.content, sparse=odd.sparse is not None)
            if len(self._columns.kinds) > number:
                self._columns.add_extras(number, odd)
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
            self._note("trailing-data", "data follows the end marker of its tar")

    def _meet_end(self, rest: int) -> None:
        """Judge a tar that ends without its end marker."""
        if rest or self._content_end > self._reader.length():
            raise self._cut_short()
        self._note("no-end-marker", "its tar has no end marker")

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

    def _note(self, code: str, message: str) -> None:
        self._notes.setdefault(code, message)
        self._times[code] += 1

    def _settle(self, last: dict[str, int]) -> dict[str, int]:
        """Return path to number of the entries that extraction would leave."""
        columns = self._columns
        repeated = len(columns.paths) - len(last)
        if repeated:
            self._note("repeated-path", f"{repeated:,} paths stand in it more than once; last wins")
            for number, held in keep_linked(columns, last).items():
                if held in self._digests:
                    self._digests[number] = self._digests[held]
        misplaced = find_misplaced(
            columns.paths, columns.kinds, columns.links, last, partial(self._room.take, columns)
        )
        if misplaced is None:
            return last
        self._note(
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
        last = self._settle({path: number for number, path in enumerate(columns.paths)})
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
            whiteouts=tuple(dict.fromkeys(self._whiteouts)),
            opaques=tuple(dict.fromkeys(self._opaques)),
            stored_bytes=self._stored,
            notes=tuple(
                (
                    code,
                    f"{message} ({times:,} times)" if (times := self._times[code]) > 1 else message,
                )
                for code, message in self._notes.items()
            ),
            damage=self._damage,
        )
        return Walked(index=index, digests=self._digests)
