"""Why paths changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layertrace.model.difference import CauseKind, Why
from layertrace.views.diff.words import cause_text
from tests.builders import Content, file, folder
from tests.difference_images import Built, cause_of, compared, of_layers

if TYPE_CHECKING:
    from pathlib import Path

    from layertrace.model.difference import Cause, Difference

Files = dict[str, Content]
Step = tuple[str, Files | None]
BASE: tuple[str, Files] = (
    f"/bin/sh -c #(nop) ADD file:{64 * '1'} in / ",
    {"etc/os": b"1"},
)
OTHER_BASE: tuple[str, Files] = (
    f"/bin/sh -c #(nop) ADD file:{64 * '2'} in / ",
    {"etc/os": b"22"},
)


def run(command: str, files: Files, arguments: str = "") -> tuple[str, Files]:
    """Return a RUN as BuildKit records it."""
    return f"RUN {arguments}/bin/sh -c {command} # buildkit", files


def built(dockerfile: str, *steps: tuple[str, Files], base: tuple[str, Files] = BASE) -> Built:
    """Return an image of a Dockerfile, its base of one layer."""
    return Built(steps=[base, *steps], dockerfile=dockerfile)


def why(found: Difference, path: str) -> tuple[CauseKind, Why]:
    """Return the cause of a path's change."""
    cause = cause_of(found, path)
    return cause.kind, cause.why


def words(found: Difference, path: str) -> str:
    """Return the same in words."""
    return cause_text(cause_of(found, path))


def only(found: Difference) -> Cause:
    """Return the one cause."""
    (cause,) = found.causes
    return cause


def test_base_moved(tmp_path: Path) -> None:
    """What the base brought, whatever stands above it."""
    step = run("make", {"out": b"1"})
    old = built("FROM base:1\nRUN make\n", step)
    new = built("FROM base:2\nRUN make\n", step, base=OTHER_BASE)
    found = compared(tmp_path, old, new)
    assert why(found, "etc/os") == (CauseKind.BASE, Why.MOVED)
    assert cause_text(only(found)) == "base image base:1 → base:2 (L1)"


def test_base_of_one_name_was_built_anew(tmp_path: Path) -> None:
    """The name says nothing then; the layers do."""
    step = run("make", {"out": b"1"})
    text = "FROM base:1\nRUN make\n"
    found = compared(tmp_path, built(text, step), built(text, step, base=OTHER_BASE))
    assert cause_text(only(found)) == "base image base:1 built anew (L1)"


def test_digests_of_bases_are_shown_where_names_agree(tmp_path: Path) -> None:
    """As far as they are told apart by them."""
    step = run("make", {"out": b"1"})
    ones, twos = 64 * "1", 64 * "2"
    old = built(f"FROM base:1@sha256:{ones}\nRUN make\n", step)
    new = built(f"FROM base:1@sha256:{twos}\nRUN make\n", step, base=OTHER_BASE)
    text = cause_text(only(compared(tmp_path, old, new)))
    assert text.startswith("base image base:1@sha256:1111")
    assert " → base:1@sha256:2222" in text


def test_an_image_may_have_no_base(tmp_path: Path) -> None:
    """FROM scratch has nothing to move."""
    old = Built(steps=[run("make", {"out": b"1"})], dockerfile="FROM scratch\nRUN make\n")
    new = built("FROM base:1\nRUN make\n", run("make", {"out": b"1"}))
    found = compared(tmp_path, old, new)
    assert why(found, "etc/os") == (CauseKind.BASE, Why.ADDED)
    assert words(found, "etc/os") == "base image added: base:1 (L1)"
    back = compared(tmp_path / "back", new, old)
    assert words(back, "etc/os") == "base image removed: base:1 (L1)"


def test_the_same_instruction_gave_something_else(tmp_path: Path) -> None:
    """A RUN that fetches what is new today."""
    text = "FROM base:1\nRUN fetch\n"
    old, new = (built(text, run("fetch", {"lib/x": content})) for content in (b"1", b"22"))
    found = compared(tmp_path, old, new)
    assert (only(found).kind, only(found).why) == (CauseKind.STAGE, Why.RESULT)
    assert cause_text(only(found)) == (
        "same instruction, other result: RUN fetch (line 2, stage stage-0)"
    )
    assert only(found).counts.bytes_delta == 1


def test_instructions_come_go_and_change(tmp_path: Path) -> None:
    """They are paired by what they say, never by their number."""
    old = built(
        "FROM base:1\nRUN gone\nRUN npm install\nRUN last\n",
        run("gone", {"gone": b"1"}),
        run("npm install", {"m/a": b"1", "m/b": b"22"}),
        run("last", {"last": b"1"}),
    )
    new = built(
        "FROM base:1\nRUN npm install --production\nRUN last\nRUN come\n",
        run("npm install --production", {"m/a": b"1"}),
        run("last", {"last": b"1"}),
        run("come", {"come": b"1"}),
    )
    found = compared(tmp_path, old, new)
    assert why(found, "gone") == (CauseKind.INSTRUCTION, Why.REMOVED)
    assert why(found, "come") == (CauseKind.INSTRUCTION, Why.ADDED)
    assert why(found, "m/b") == (CauseKind.INSTRUCTION, Why.TEXT)
    assert words(found, "gone") == "removed: RUN gone (line 2, stage stage-0)"
    assert words(found, "come") == "added: RUN come (line 4, stage stage-0)"
    assert words(found, "m/b") == (
        "changed: RUN npm install (line 3, stage stage-0) → "
        "RUN npm install --production (line 2, stage stage-0)"
    )
    assert "last" not in found.changes.paths


def test_instructions_of_another_order_are_themselves(tmp_path: Path) -> None:
    """What moved is neither added nor removed."""
    old = built("FROM base:1\nRUN one\nRUN two\nRUN three\n", run("one", {"1": b"1"}),
                run("two", {"2": b"1"}), run("three", {"3": b"1"}))  # fmt: skip
    new = built("FROM base:1\nRUN three\nRUN one\nRUN two\n", run("three", {"3": b"33"}),
                run("one", {"1": b"1"}), run("two", {"2": b"1"}))  # fmt: skip
    found = compared(tmp_path, old, new)
    assert only(found).why is Why.RESULT
    assert [maker.line for maker in (only(found).old, only(found).new) if maker] == [4, 2]


def test_a_build_argument_had_another_value(tmp_path: Path) -> None:
    """Versions are shown; any other value may be a secret and is not."""
    text = "FROM base:1\nARG V=1.2.3\nARG TOKEN=x\nRUN get $V\n"
    sides = []
    for version, token, content in (("1.2.3", "hunter1", b"1"), ("1.3.0", "hunter2", b"22")):
        arguments = {"V": version, "TOKEN": token}
        told: list[Step] = [(f"ARG {name}={value}", None) for name, value in arguments.items()]
        step = run("get $V", {"v": content}, f"|2 TOKEN={token} V={version} ")
        sides.append(Built(steps=[BASE, *told, step], dockerfile=text, build_args=arguments))
    found = compared(tmp_path, *sides)
    assert (only(found).kind, only(found).why) == (CauseKind.INSTRUCTION, Why.ARGUMENT)
    assert cause_text(only(found)) == (
        "build argument TOKEN, V 1.2.3 → 1.3.0: RUN get $V (line 4, stage stage-0)"
    )


def test_a_build_argument_is_seen_without_a_dockerfile(tmp_path: Path) -> None:
    """Builders write the arguments before the command."""
    old = Built(steps=[BASE, run("get $V", {"v": b"1"}, "|1 V=1.2.3 ")])
    new = Built(steps=[BASE, run("get $V", {"v": b"22"}, "|1 V=1.3.0 ")])
    found = compared(tmp_path, old, new)
    assert cause_text(only(found)) == "build argument V 1.2.3 → 1.3.0: RUN get $V (L2)"


def test_the_context_held_other_files(tmp_path: Path) -> None:
    """One COPY, two contexts."""
    text = "FROM base:1\nCOPY . /app\n"
    old = built(text, ("COPY . /app # buildkit", {"app/a": b"1", "app/b": b"1"}))
    new = built(text, ("COPY . /app # buildkit", {"app/a": b"22", "app/c": b"1"}))
    found = compared(tmp_path, old, new)
    assert (only(found).kind, only(found).why) == (CauseKind.CONTEXT, Why.CONTEXT)
    assert cause_text(only(found)) == "build context: COPY . /app (line 2, stage stage-0)"
    assert [part.sort for part in only(found).parts] == ["sources"]


def test_a_copy_with_another_path_is_one_of_a_build_argument(tmp_path: Path) -> None:
    """The text is the same, what it means is not."""
    text = "FROM base:1\nARG D=1.0\nCOPY $D /app\n"
    sides = []
    for source, content in (("1.0", b"1"), ("2.0", b"22")):
        told: Step = (f"ARG D={source}", None)
        step: Step = (f"COPY {source} /app # buildkit", {"app/a": content})
        arguments = {"D": source}
        sides.append(Built(steps=[BASE, told, step], dockerfile=text, build_args=arguments))
    assert only(compared(tmp_path, *sides)).why is Why.ARGUMENT


TWO_STAGES = """\
FROM base:1 AS build
COPY . /app
RUN make
FROM slim:1
COPY --from=build /app/out /app/out
"""


def test_what_a_stage_made_and_still_ships_is_not_left_behind(tmp_path: Path) -> None:
    """At its new place the copy brought it; from the old one it is gone, for it stays behind."""
    make = run("make", {"tool": b"out"})
    old = built("FROM base:1\nRUN make\n", make)
    new = Built(
        steps=[BASE, ("COPY /tool /opt/tool # buildkit", {"opt/tool": b"out"})],
        dockerfile="FROM base:1 AS build\nRUN make\nFROM base:1\n"
        "COPY --from=build /tool /opt/tool\n",
        stages={"build": Built(steps=[BASE, make])},
    )
    found = compared(tmp_path, old, new)
    assert why(found, "tool") == (CauseKind.STAGE, Why.LEFT_BEHIND)
    assert why(found, "opt/tool") == (CauseKind.INSTRUCTION, Why.ADDED)
    assert words(found, "opt/tool") == (
        "added: COPY --from=build /tool /opt/tool (line 4, stage stage-1)"
    )
    back = compared(tmp_path / "back", new, old)
    assert why(back, "tool") == (CauseKind.STAGE, Why.SHIPPED)
    assert why(back, "opt/tool") == (CauseKind.INSTRUCTION, Why.REMOVED)


def test_one_layer_that_two_stages_share_by_chance_parts_no_others(tmp_path: Path) -> None:
    """BuildKit runs the WORKDIR of both stages in one second: the layers are the same."""
    workdir: tuple[str, Files] = ("WORKDIR /app", {"app": folder()})
    copy: tuple[str, Files] = ("COPY lock ./ # buildkit", {"app/lock": b"lock"})
    install = run("npm install", {"app/modules/tool": b"tool", "app/modules/lib": b"lib"})
    build = "WORKDIR /app\nCOPY lock ./\nRUN npm install\n"
    old = built(f"FROM base:1\n{build}", workdir, copy, install)
    new = Built(
        steps=[
            OTHER_BASE,
            workdir,
            ("COPY /app/lock /app/ # buildkit", {"app/lock": b"lock"}),
            run("npm install --production", {"app/modules/lib": b"lib"}),
        ],
        dockerfile=f"FROM base:1 AS build\n{build}FROM slim:1\nWORKDIR /app\n"
        "COPY --from=build /app/lock /app/\nRUN npm install --production\n",
        stages={"build": Built(steps=[BASE, workdir, copy, install])},
    )
    assert words(compared(tmp_path, old, new), "app/modules/tool") == (
        "left behind in stage build: RUN npm install (line 4, stage build)"
    )


def test_what_a_stage_keeps_is_left_behind(tmp_path: Path) -> None:
    """The tutorial's point: sources and tools stay in the stage that needs them."""
    copy: tuple[str, Files] = ("COPY . /app # buildkit", {"app/main.c": b"main"})
    make = run("make", {"app/out": b"out", "app/main.o": b"object"})
    old = built("FROM base:1\nCOPY . /app\nRUN make\n", copy, make)
    stage = Built(steps=[BASE, copy, make])
    new = Built(
        steps=[OTHER_BASE, ("COPY /app/out /app/out # buildkit", {"app/out": b"out"})],
        dockerfile=TWO_STAGES,
        stages={"build": stage},
    )
    found = compared(tmp_path, old, new)
    assert sorted(found.changes.paths) == ["app/main.c", "app/main.o", "etc/os"]
    assert why(found, "app/main.c") == (CauseKind.STAGE, Why.LEFT_BEHIND)
    assert words(found, "app/main.c") == (
        "left behind in stage build: COPY . /app (line 2, stage build)"
    )
    assert words(found, "app/main.o") == (
        "left behind in stage build: RUN make (line 3, stage build)"
    )
    assert words(found, "etc/os") == "base image base:1 → slim:1 (L1)"
    back = compared(tmp_path / "back", new, old)
    assert words(back, "app/main.o") == (
        "shipped now, left behind before: RUN make (line 3, stage stage-0)"
    )


def test_files_of_a_stages_base_moved(tmp_path: Path) -> None:
    """What was copied out of a stage, and came from the image below it."""
    text = "FROM tools:{} AS t\nRUN prepare\nFROM scratch\nCOPY --from=t /bin/tool /tool\n"
    sides = []
    for tag, content in (("1", b"1"), ("2", b"22")):
        stage = Built(steps=[("tools", {"bin/tool": content}), run("prepare", {"x": b"1"})])
        copied = ("COPY /bin/tool /tool # buildkit", {"tool": content})
        sides.append(Built(steps=[copied], dockerfile=text.format(tag), stages={"t": stage}))
    found = compared(tmp_path, *sides)
    assert why(found, "tool") == (CauseKind.BASE, Why.MOVED)
    assert words(found, "tool") == "base image of stage t tools:1 → tools:2"


def test_a_removal_is_the_work_of_who_removed_it(tmp_path: Path) -> None:
    """The layer below is in both images: what stands above it made the difference."""
    old = built("FROM base:1\n", base=BASE)
    new = built("FROM base:1\nRUN rm /etc/os\n", run("rm /etc/os", {"etc/.wh.os": b""}))
    found = compared(tmp_path, old, new)
    assert words(found, "etc/os") == "added: RUN rm /etc/os (line 2, stage stage-0)"
    back = compared(tmp_path / "back", new, old)
    assert words(back, "etc/os") == "removed: RUN rm /etc/os (line 2, stage stage-0)"


def test_layers_nothing_is_known_of_are_named(tmp_path: Path) -> None:
    """Their history may be empty; then only their place is left."""
    old = Built(steps=[("", {"a": b"1"})])
    new = Built(steps=[("", {"a": b"22"})])
    found = compared(tmp_path, old, new)
    assert [cause.kind for cause in found.causes] == [CauseKind.UNKNOWN]
    assert words(found, "a").startswith("unknown")


def test_a_folder_nobody_made_is_of_who_filled_it(tmp_path: Path) -> None:
    """It came with what lies in it."""
    old = built("FROM base:1\n")
    new = built("FROM base:1\nRUN make\n", run("make", {"a/b/c": b"1"}))
    found = compared(tmp_path, old, new)
    assert {why(found, path) for path in ("a", "a/b", "a/b/c")} == {
        (CauseKind.INSTRUCTION, Why.ADDED)
    }


def test_both_images_may_be_one(tmp_path: Path) -> None:
    """Nothing differs, and nothing is the cause of it."""
    one = built("FROM base:1\nRUN make\n", run("make", {"a": b"1"}))
    found = compared(tmp_path, one, one)
    assert (found.causes, len(found.changes), found.visible_delta) == ((), 0, 0)


def test_what_many_layers_begin_and_end_with_is_paired(tmp_path: Path) -> None:
    """Between them there is one to tell."""
    steps: list[Step] = [run(f"step {n}", {f"f{n}": b"1"}) for n in range(250)]
    changed = [*steps[:100], run("step 100", {"f100": b"22"}), *steps[101:]]
    found = compared(tmp_path, Built(steps=steps), Built(steps=changed))
    assert cause_text(only(found)) == "same instruction, other result: RUN step 100 (L101)"


def test_many_layers_in_another_order_are_paired_by_their_text(tmp_path: Path) -> None:
    """More than are weighed pair by pair."""
    steps: list[Step] = [run(f"step {n}", {f"f{n}": b"1"}) for n in range(250)]
    turned = [run(f"step {n}", {f"f{n}": b"22"}) for n in reversed(range(250))]
    found = compared(tmp_path, Built(steps=steps), Built(steps=[*turned]))
    assert {cause.why for cause in found.causes} == {Why.RESULT}
    assert len(found.causes) == 250


def test_layers_without_history_have_causes_too(tmp_path: Path) -> None:
    """An image that nothing is told of is compared by its layers."""
    found = compared(tmp_path, of_layers({"a": b"1"}), of_layers({"a": b"1"}, {"b": b"1"}))
    assert cause_text(only(found)) == "added: layer 1 (L2)"


def test_a_path_that_only_appears_between_two_removals_has_a_cause(tmp_path: Path) -> None:
    """What an old instruction removed is there again once that is gone."""
    base: Step = ("ADD root / # buildkit", {"etc/os": b"1", "etc/x": b"22"})
    gone: Step = ("RUN /bin/sh -c rm /etc/x # buildkit", {"etc/.wh.x": b""})
    found = compared(tmp_path, Built(steps=[base, gone]), Built(steps=[base]))
    assert words(found, "etc/x") == "removed: RUN rm /etc/x (L2)"
    assert only(found).counts.added == 1


def test_an_instruction_that_left_no_layer_is_no_counterpart(tmp_path: Path) -> None:
    """Both Dockerfiles have the WORKDIR, and one image made its folder elsewhere."""
    text = "FROM base:1\nWORKDIR /app\nRUN make\n"
    told: Step = ("WORKDIR /app", None)
    old = Built(steps=[BASE, told, run("make", {"app/a": b"1"})], dockerfile=text)
    new = Built(
        steps=[BASE, ("WORKDIR /app", {"app/": folder()}), run("make", {"app/a": b"1"})],
        dockerfile=text,
    )
    found = compared(tmp_path, old, new)
    assert words(found, "app") == "added: WORKDIR /app (line 2, stage stage-0)"


def test_a_squashed_layer_is_of_its_instructions(tmp_path: Path) -> None:
    """Several made it together: what none is known to have made is the layer's."""
    text = "FROM scratch\nCOPY a /\nRUN make\n"
    sides = [
        Built(steps=[("squashed", {"a": b"1", "b": content})], dockerfile=text)
        for content in (b"1", b"22")
    ]
    assert only(compared(tmp_path, *sides)).counts.modified == 1


def test_a_mode_is_of_the_instruction_that_set_it(tmp_path: Path) -> None:
    """Wherever the bytes came from: they are the same."""
    files: Files = {"f": file(b"12345", mode=0o644)}
    copied = ("COPY f /f # buildkit", files)
    changed = run("chmod 600 /f", {"f": file(b"12345", mode=0o600)})
    text = "FROM base:1\nCOPY f /f\n"
    old, new = built(text, copied), built(f"{text}RUN chmod 600 /f\n", copied, changed)
    for one, two, expected in ((old, new, Why.ADDED), (new, old, Why.REMOVED)):
        found = compared(tmp_path / expected.value, one, two)
        assert why(found, "f") == (CauseKind.INSTRUCTION, expected)


def test_a_moved_file_is_of_the_instruction_that_moved_it(tmp_path: Path) -> None:
    """Both of its paths are, whoever wrote the bytes."""
    made = run("make", {"one": bytes(5000)})
    moved = run("mv /one /two", {".wh.one": b"", "two": bytes(5000)})
    text = "FROM base:1\nRUN make\n"
    found = compared(tmp_path, built(text, made), built(f"{text}RUN mv /one /two\n", made, moved))
    assert cause_text(only(found)) == "added: RUN mv /one /two (line 3, stage stage-0)"


def test_a_copied_file_that_the_context_brought_is_of_the_context(tmp_path: Path) -> None:
    """The RUN that copies all there is did the same in both."""
    text = "FROM base:1\nCOPY in /in/\nRUN cp /in/* /out\n"
    files: tuple[Files, ...] = ({"1": b"first file"}, {"1": b"first file", "2": b"another file"})
    old, new = (
        built(
            text,
            ("COPY in /in/ # buildkit", {f"in/{name}": content for name, content in each.items()}),
            run("cp /in/* /out", {f"out/{name}": content for name, content in each.items()}),
        )
        for each in files
    )
    found = compared(tmp_path, old, new)
    assert why(found, "out/2") == (CauseKind.CONTEXT, Why.CONTEXT)


def test_another_target_of_a_copied_file_is_of_who_chose_it(tmp_path: Path) -> None:
    """Not of the COPY that brought it: it found the same."""
    copied: tuple[str, Files] = ("COPY f /f # buildkit", {"f": b"some text of a file"})
    old, new = (
        built(
            f"FROM base:1\nCOPY f /f\nRUN cp /f /{name}\n",
            copied,
            run(f"cp /f /{name}", {name: b"some text of a file"}),
        )
        for name in ("a", "b")
    )
    found = compared(tmp_path, old, new)
    assert why(found, "a") == why(found, "b") == (CauseKind.INSTRUCTION, Why.TEXT)


def test_a_folder_nobody_made_is_removed_by_who_removed_it(tmp_path: Path) -> None:
    """No entry tells of it, what lay in it does."""
    base: tuple[str, Files] = (BASE[0], {"data/one": b"1", "data/two": b"22"})
    made, other = run("make", {"out": b"1"}), run("rm -r /data", {".wh.data": b""})
    text = "FROM base:1\n{}RUN make\n"
    old = built(text.format(""), made, base=base)
    new = built(text.format("RUN rm -r /data\n"), other, made, base=base)
    found = compared(tmp_path, old, new)
    assert cause_text(only(found)) == "added: RUN rm -r /data (line 2, stage stage-0)"


def test_a_flag_is_of_the_instruction_too(tmp_path: Path) -> None:
    """BuildKit leaves flags out of the history; the Dockerfile has them."""
    old, new = (
        built(
            f"FROM base:1\nCOPY {flag}f /f\n",
            ("COPY f /f # buildkit", {"f": file(b"12345", uid=uid)}),
        )
        for flag, uid in (("", 0), ("--chown=5:5 ", 5))
    )
    assert why(compared(tmp_path, old, new), "f") == (CauseKind.INSTRUCTION, Why.TEXT)


def test_what_the_other_order_brings_is_no_other_result(tmp_path: Path) -> None:
    """Each of the two wrote what it did before; nobody says which of them is to blame."""
    one, two = run("echo 1", {"a": b"1", "x": b"1"}), run("echo 22", {"a": b"22", "y": b"1"})
    lines = ("RUN echo 1\n", "RUN echo 22\n")
    # Built anew, so that no layer is that of the other image.
    late, early = ((text, files | {"t": b""}) for text, files in (one, two))
    old = built("FROM base:1\n" + "".join(lines), one, two)
    new = built("FROM base:1\n" + "".join(reversed(lines)), early, late)
    for name, sides in {"there": (old, new), "back": (new, old)}.items():
        found = compared(tmp_path / name, *sides)
        assert why(found, "a") == (CauseKind.UNKNOWN, Why.UNKNOWN)


def test_another_working_directory_is_no_other_context(tmp_path: Path) -> None:
    """The COPY found the same file, and put it elsewhere."""
    old, new = (
        built(
            f"FROM base:1\nWORKDIR /{name}\nCOPY f .\n",
            (f"WORKDIR /{name} # buildkit", {name: folder()}),
            ("COPY f . # buildkit", {f"{name}/f": b"12345"}),
        )
        for name in ("v", "w")
    )
    found = compared(tmp_path, old, new)
    assert why(found, "v/f") == why(found, "w/f") == (CauseKind.STAGE, Why.RESULT)
