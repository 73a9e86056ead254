"""What every stored image answers, wherever its layers are, and what it is read from."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from layertrace.archive.blob import LayerReader
    from layertrace.layers.cache import IndexCache
    from layertrace.layers.index import LayerIndex
    from layertrace.model.image import Image, LayerRef
    from layertrace.model.limits import Limits
    from layertrace.pipeline.handing import Take
    from layertrace.pipeline.watch import Watcher
    from layertrace.rootfs.places import Place


class Stack(NamedTuple):
    """What stands for some lower layers of a stored image, together, in the cache."""

    key: str
    witness: str
    """What stands for an archive that is taken at its word; ``""`` where none has to be."""


class StoredImage(Protocol):
    """An image whose layers can be walked and read."""

    image: Image
    cache: IndexCache
    """Where answers about it are kept, as long as it is open."""

    def walk(self, watcher: Watcher, *, hashing: bool, verify: bool) -> tuple[LayerIndex, ...]:
        """Return every layer's index, base first.

        Args:
            watcher: told of progress, asked whether to stop.
            hashing: content digests will be asked for: whatever has to be
                read whole may compute them on the way.
            verify: read every layer whole and check its diff_id.
        """
        ...

    def so_far(self) -> Mapping[int, LayerIndex]:
        """Return the indexes of the layers that were read by now, by layer.

        Another thread may be reading; what they hold can be asked for at once.
        """
        ...

    def digest(self, place: Place) -> str:
        """Return the digest of the regular file at ``place``."""
        ...

    def digests(self, places: Iterable[Place]) -> Mapping[Place, str]:
        """Return the digests of regular files, each layer opened once."""
        ...

    def known_digest(self, place: Place) -> str | None:
        """Return the digest if somebody asked for it before; hashes nothing."""
        ...

    def known_digests(self) -> Sequence[Mapping[int, bytes]]:
        """Return those of each layer by entry number, as bytes."""
        ...

    def read(self, place: Place, *, stop: Callable[[], bool] = ...) -> Iterator[bytes]:
        """Yield the content of the regular file at ``place``.

        Raises:
            StoppedError: ``stop``, asked while what lies before it is read, said so.
        """
        ...

    def cost(self, files: Iterable[Place]) -> int:
        """Return how many bytes must be read to get at the contents of these files."""
        ...

    def sums(self, headers: Mapping[Place, Sequence[bytes]]) -> Mapping[Place, Sequence[str]]:
        """Return the sha256 of each header with the file's content after it, in hex.

        What cannot be read any more is left out.
        """
        ...

    def hand_out(
        self, places: Iterable[Place], take: Take, *, stop: Callable[[], bool] = ...
    ) -> None:
        """Give ``take`` the content of each regular file, layer by layer, each read once.

        Raises:
            LayertraceError: a content cannot be had; of those before it, ``take`` has all.
            StoppedError: ``stop``, asked while what lies between them is read, said so.
        """
        ...

    def stack(self, layers: int) -> Stack:
        """Return what stands for so many lower layers, all of them read, in the cache."""
        ...

    def form(self) -> str:
        """Return what tells by which layers reading costs as much as ever :meth:`cost` says."""
        ...

    def recall_visible(self) -> Sequence[int] | None:
        """Return the bytes of each layer that a container sees, if that was kept."""
        ...

    def keep_visible(self, visible: Sequence[int]) -> None:
        """Keep the bytes of each layer that a container sees."""
        ...

    def recall_packages(self, layers: int) -> bytes | None:
        """Return what was kept of the packages of so many lower layers; None: nothing."""
        ...

    def keep_packages(self, layers: int, data: bytes) -> None:
        """Keep what so many lower layers say of their packages, which is long to find out."""
        ...

    def recall_bloat(self, layers: int) -> bytes | None:
        """Return what was kept of the waste in so many lower layers; None: nothing."""
        ...

    def keep_bloat(self, layers: int, data: bytes) -> None:
        """Keep what so many lower layers tell of waste."""
        ...

    def close(self) -> None:
        """Keep what was learned; let go of files."""
        ...


class LayerSource(Protocol):
    """Where layers are stored."""

    @property
    def witness(self) -> str:
        """Changes whenever the stored bytes may have changed."""
        ...

    @property
    def limits(self) -> Limits:
        """How much its layers may hold."""
        ...

    def open_layer(self, layer: LayerRef) -> LayerReader:
        """Open one layer's uncompressed tar."""
        ...

    def stored_size(self, layer: LayerRef) -> int:
        """Return the bytes of a layer as it is stored; 0 where it is not there."""
        ...

    def close(self) -> None:
        """Let go of files."""
        ...
