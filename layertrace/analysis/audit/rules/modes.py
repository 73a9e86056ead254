"""Rules about what a file's mode and attributes let anybody do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from layertrace.analysis.audit.kinds import Verdict
from layertrace.analysis.audit.subject import in_order
from layertrace.model.entry import EntryKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.analysis.audit.policy import Setting
    from layertrace.analysis.audit.subject import Subject
    from layertrace.layers.index import LayerIndex

_SETUID: Final = 0o4000
_SETGID: Final = 0o2000
_STICKY: Final = 0o1000
_OTHERS_WRITE: Final = 0o002
_FILES: Final = frozenset({int(EntryKind.FILE), int(EntryKind.HARDLINK)})
_DIR: Final = int(EntryKind.DIR)
_NAMES: Final = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
]
"""By their bits. Source: Linux, ``include/uapi/linux/capability.h``."""
_WORD: Final = 4


def judge_setuid(subject: Subject, setting: Setting) -> Verdict:
    """Find files that run as their owner or group, whoever starts them."""
    matches = []
    for stored in subject.visible(setting, _with_set_bits):
        index, number = subject.index(stored.place), stored.place.number
        mode = index.modes[number]
        words = [word for word, bit in (("setuid", _SETUID), ("setgid", _SETGID)) if mode & bit]
        owner = f"owner {index.uids[number]}:{index.gids[number]}"
        matches.append(subject.found(stored, f"{' and '.join(words)}, {mode:04o}, {owner}"))
    return Verdict(matches=in_order(matches))


def _with_set_bits(index: LayerIndex) -> Iterator[int]:
    for number, mode in enumerate(index.modes):
        # On a directory the bit only says which group new files get.
        if mode & (_SETUID | _SETGID) and index.kinds[number] in _FILES:
            yield number


def judge_capabilities(subject: Subject, setting: Setting) -> Verdict:
    """Find files that give capabilities to whoever runs them."""
    matches = []
    for stored in subject.visible(setting, lambda index: index.capabilities):
        value = subject.index(stored.place).capabilities[stored.place.number]
        matches.append(subject.found(stored, capability_words(value)))
    return Verdict(matches=in_order(matches))


def judge_world_writable(subject: Subject, setting: Setting) -> Verdict:
    """Find files that anybody may change, and folders in which anybody may change any file."""
    matches = []
    for stored in subject.visible(setting, _writable):
        index, number = subject.index(stored.place), stored.place.number
        what = "folder" if index.kinds[number] == _DIR else "file"
        detail = f"{what} that anybody may write to, {index.modes[number]:04o}"
        matches.append(subject.found(stored, detail))
    return Verdict(matches=in_order(matches))


def _writable(index: LayerIndex) -> Iterator[int]:
    for number, mode in enumerate(index.modes):
        if mode & _OTHERS_WRITE:
            kind = index.kinds[number]
            # In a sticky folder, as /tmp is, everybody has only their own files.
            if kind in _FILES or (kind == _DIR and not mode & _STICKY):
                yield number


def capability_words(value: bytes) -> str:
    """Return what a ``security.capability`` attribute permits, in words.

    Source: Linux, ``include/uapi/linux/capability.h``, ``struct vfs_ns_cap_data``.

    >>> capability_words(bytes.fromhex("0100000200200000000000000000000000000000"))
    'cap_net_raw, effective'
    """
    words = [
        int.from_bytes(value[start : start + _WORD], "little")
        for start in range(0, len(value) - _WORD + 1, _WORD)
    ]
    if len(words) < 2:  # noqa: PLR2004 - a version and one set of bits
        return "capabilities in an unknown form"
    low, high = words[1], words[3] if len(words) > 3 else 0  # noqa: PLR2004
    bits = low | high << 32
    names = [f"cap_{name}" for bit, name in enumerate(_NAMES) if bits >> bit & 1]
    shown = ", ".join(names) or "no capability known here"
    return f"{shown}, effective" if words[0] & 1 else shown
