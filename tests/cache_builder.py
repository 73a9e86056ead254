"""Build caches as BuildKit exports them, in memory.

Source: BuildKit, ``cache/remotecache/v1/doc.go``.
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tests.builders import OCI, sha256, to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

CACHE_CONFIG = "application/vnd.buildkit.cacheconfig.v0"
Record = tuple[Sequence[int], Sequence[Sequence[int]]]
"""Numbers of the layers a step resulted in, and for each input those of the steps it may be."""


def cache_files(
    layers: Sequence[tuple[bytes, int | None]],
    records: Sequence[Record],
    *,
    chains: Mapping[int, Sequence[int]] | None = None,
    as_index: bool = False,
) -> dict[str, bytes]:
    """Return the files of an exported cache.

    Args:
        layers: the tar of each and the number of the layer below, -1 for none,
            None to leave it out, which means the first.
        records: the steps.
        chains: by step, the layers of a merged result.
        as_index: the manifest is an index, as older versions write it.
    """
    files: dict[str, bytes] = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}

    def add(data: bytes, media_type: str) -> dict[str, object]:
        files[f"blobs/sha256/{sha256(data).removeprefix('sha256:')}"] = data
        return {"mediaType": media_type, "digest": sha256(data), "size": len(data)}

    stored = [add(gzip.compress(tar, mtime=0), f"{OCI}.layer.v1.tar+gzip") for tar, _ in layers]
    for one, (tar, _) in zip(stored, layers, strict=True):
        one["annotations"] = {"containerd.io/uncompressed": sha256(tar)}
    listed = [
        {"blob": one["digest"]} | ({} if parent is None else {"parent": parent})
        for one, (_, parent) in zip(stored, layers, strict=True)
    ]
    steps: list[dict[str, object]] = [
        {
            "digest": sha256(str(number).encode()),
            "layers": [{"layer": top} for top in tops],
            "inputs": [[{"link": link} for link in links] for links in inputs],
        }
        for number, (tops, inputs) in enumerate(records)
    ]
    for number, chain in (chains or {}).items():
        steps[number]["chains"] = [{"layers": list(chain)}]
    config = add(to_json({"layers": listed, "records": steps}), CACHE_CONFIG)
    body = {"manifests": [*stored, config]} if as_index else {"config": config, "layers": stored}
    manifest = add(to_json({"schemaVersion": 2} | body), f"{OCI}.manifest.v1+json")
    files["index.json"] = to_json({"schemaVersion": 2, "manifests": [manifest]})
    return files
