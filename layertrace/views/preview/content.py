"""The page of one content, by what it is: text, a program, an archive, a link, or bytes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from layertrace.analysis.contents.kinds import Kind
from layertrace.analysis.contents.texts import without_secrets
from layertrace.analysis.contents.values import Held
from layertrace.model.entry import EntryKind
from layertrace.views.contents.words import what
from layertrace.views.lists.rows import Role
from layertrace.views.preview.coloring import language
from layertrace.views.preview.pages import (
    LONGEST,
    HexLines,
    Page,
    Spans,
    TextLines,
    fact,
    fixed,
    remark,
)
from layertrace.views.text import plural, show_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from layertrace.analysis.contents.certificates import Certificate
    from layertrace.analysis.contents.elf import Elf
    from layertrace.analysis.contents.kinds import Nature
    from layertrace.analysis.contents.preview import Looked, Members, Preview
    from layertrace.views.preview.pages import Lines

_BLANK: Final[Spans] = ()
_FEW: Final = 5
"""Certificates of which each has lines of its own."""
_LINKS: Final = frozenset({EntryKind.SYMLINK})


def content_page(preview: Preview, path: str, *, raw: bool = False, secrets: bool = False) -> Page:
    """Return the page of a path.

    Args:
        preview: what it is and begins with.
        path: rootfs-relative; it tells which values are secret in some files.
        raw: its bytes, whatever it is.
        secrets: values of secrets and private keys stand on it too.
    """
    looked = preview.looked
    if looked is None:
        return _no_file(preview)
    words = what(Held(item=preview.item, nature=looked.nature))
    facts: list[Spans] = []
    if looked.inner is not None and not raw:
        words = f"{words} of {_nature_words(preview, looked.inner.nature)}"
        facts.append(remark("unpacked"))
        looked = looked.inner
    body_facts, body = (
        ([], HexLines(data=looked.data)) if raw else _body(looked, path, secrets=secrets)
    )
    if not looked.whole and _is_cut(looked, raw=raw):
        facts.append(_cut_words(preview, looked))
    facts += [] if raw else [*_picture_facts(looked), *_certificate_facts(looked.certificates)]
    facts += body_facts
    if facts:
        facts.append(_BLANK)
    text = body.text(LONGEST) if isinstance(body, TextLines) else None
    return Page(
        words=f"{words} · {show_size(preview.item.size)}",
        facts=tuple(facts),
        body=body,
        written_in=None if text is None else language(looked.nature, text, path),
    )


def _nature_words(preview: Preview, nature: Nature) -> str:
    return what(Held(item=preview.item, nature=nature))


def _no_file(preview: Preview) -> Page:
    item = preview.item
    if item.kind in _LINKS:
        return Page(words="symbolic link", facts=(fact("leads to", item.link_target),))
    return Page(words=item.kind.word, facts=(remark("it has no content"),))


def _is_cut(looked: Looked, *, raw: bool) -> bool:
    """Whether what is on view ends before the content does."""
    return raw or (looked.elf is None and looked.members is None)


def _cut_words(preview: Preview, looked: Looked) -> Spans:
    shown = f"first {show_size(len(looked.data))}"
    packed = preview.looked is not looked
    return remark(f"{shown} of {'what it holds' if packed else show_size(preview.item.size)}")


def _body(looked: Looked, path: str, *, secrets: bool) -> tuple[list[Spans], Lines]:
    kind = looked.nature.kind
    if kind is Kind.EMPTY:
        return [remark("empty")], fixed(())
    if looked.elf is not None:
        return list(_elf_facts(looked.elf)), fixed(_section_lines(looked.elf))
    if looked.members is not None:
        return list(_member_facts(looked.members)), fixed(_member_lines(looked.members))
    if kind is Kind.PRIVATE_KEY and not secrets:
        words = "the content of a private key is not shown here: o opens it in the pager"
        return [remark(words)], fixed(())
    if kind.textual and (found := _text(looked, path, secrets=secrets)) is not None:
        return found
    return [], HexLines(data=looked.data)


def _picture_facts(looked: Looked) -> Iterator[Spans]:
    if looked.picture is not None:
        width, height = looked.picture
        yield fact("picture", f"{width:,} by {height:,} pixels")


def _certificate_facts(certificates: Sequence[Certificate]) -> Iterator[Spans]:
    """Yield whose each certificate is and how long it is good; of very many a line each."""
    now = datetime.now(UTC)
    if len(certificates) > _FEW:
        yield fact("holds", plural(len(certificates), "certificate"))
    for each in certificates:
        ended, early = each.not_after < now, each.not_before > now
        state = "  expired" if ended else "  not valid yet" if early else ""
        role = Role.WARNING if state else Role.PLAIN
        first, last = each.not_before.date(), each.not_after.date()
        subject = each.subject or "(nobody)"
        if len(certificates) > _FEW:
            yield (f"  until {last}  ", Role.DIM), (f"{subject}{state}", role)
            continue
        yield fact("certificate", subject)
        yield fact("issued by", "itself" if each.issuer == each.subject else each.issuer)
        yield fact("valid", f"{first} to {last}{state}", role)


def _text(looked: Looked, path: str, *, secrets: bool) -> tuple[list[Spans], Lines] | None:
    encoding = looked.nature.encoding or "utf-8"
    # What is no character of UTF-8 keeps its byte, and shows as one.
    errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
    text = looked.data.decode(encoding, errors)
    if "\0" in text:
        return None
    facts: list[Spans] = []
    if not secrets:
        text, hidden = without_secrets(text, path)
        if hidden:
            words = f"… stands for {plural(hidden, 'secret value')}; o shows all in the pager"
            facts.append(remark(words))
    lines = TextLines(text)
    if not lines.whole:
        facts.append(remark(f"first {len(lines):,} lines"))
    return facts, lines


def _elf_facts(elf: Elf) -> Iterator[Spans]:
    yield fact("kind", f"{elf.kind.value}, {elf.machine}, {elf.bits} bits, {elf.endian} endian")
    if elf.soname is not None:
        yield fact("soname", elf.soname)
    if elf.interpreter is not None:
        yield fact("loader", elf.interpreter)
    for number, name in enumerate(elf.needed):
        yield fact("needs" if not number else "", name)
    if not elf.needed:
        yield fact("needs", "no library", Role.DIM)
    if elf.build_id is not None:
        yield fact("build id", elf.build_id)
    yield fact("symbols", "stripped" if elf.stripped else show_size(elf.symbol_bytes))
    if elf.debug_bytes:
        yield fact("debugging", show_size(elf.debug_bytes))
    if not elf.complete:
        yield remark("it is cut short, or its headers are wrong: there may be more")


def _section_lines(elf: Elf) -> Iterator[Spans]:
    yield ((f"  {'SIZE':>12}  {'TYPE':<14}  SECTION", Role.DIM),)
    for section in elf.sections:
        role = Role.PLAIN if section.allocated else Role.DIM
        name = section.name or "(no name)"
        yield ((f"  {section.size:>12,}  {section.type:<14}  {name}", role),)


def _member_facts(members: Members) -> Iterator[Spans]:
    total = sum(size for _, size in members.sizes)
    yield fact("holds", f"{plural(len(members.sizes), 'member')}, {show_size(total)}")
    if not members.complete:
        yield remark("not all are listed: it is damaged, or has too many")


def _member_lines(members: Members) -> Iterator[Spans]:
    for path, size in members.sizes:
        yield (f"  {size:>12,}  ", Role.DIM), (path, Role.PLAIN)
