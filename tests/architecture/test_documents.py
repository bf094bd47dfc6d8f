"""README.md and docs: every command is one that there is, with its options and files; every link leads somewhere, the tutorial's snippets run.

`tests/experiments/test_tutorial.py` types the tutorial's commands.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import typer

from chaos import catalogue
from chaos.proxy.api import Endpoints
from chaos.proxy.registry import Registry
from failwhale import cli
from reference_app.kit import deciders
from reference_app.kit.home import REPOSITORY
from tests import documents
from tests.documents import DOCUMENTS, TUTORIAL, Step

PAGES = sorted(TUTORIAL.glob("*.md"))
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
MENTION = re.compile(r"(?<!`)`(failwhale [^`]+)`(?!`)")
PROXY = re.compile(r"^http://127\.0\.0\.1:8474")
FILE = re.compile(r"[\w.-]+(?:/[\w.*-]+)+\.(?:py|ya?ml|sh|csv)")


@functools.cache
def commands() -> list[Step]:
    return [step for page in DOCUMENTS for step in documents.steps(page)]


def problems(command: str) -> str:
    """What is wrong with a line, empty when nothing is."""
    return "; ".join(why for words in Step("", command).programs if (why := problem(words)))


def problem(words: Sequence[str]) -> str:
    program, *arguments = words
    name = Path(program).name
    checks = {"failwhale": unknown_command, "make": unknown_target, "curl": unknown_call, "python": unknown_module, "python3": unknown_module,
              "locust": unknown_option, "promtool": refused("promtool"), "cp": nothing, "sed": nothing, "rm": nothing,
              "chaos": refused(sys.executable, "-m", "chaostoolkit"), "streamlit": refused(sys.executable, "-m", "streamlit")}  # fmt: skip
    return missing_files(arguments) or checks[name](arguments) if name in checks else f"no test knows {program}"


def nothing(_arguments: Sequence[str]) -> str:
    return ""


@functools.cache
def made() -> set[str]:
    """Files that a `cp` of a document makes."""
    return {words[2] for step in commands() for words in step.programs if words[0] == "cp"}


def missing_files(arguments: Sequence[str]) -> str:
    """Files of the checkout that are named and not there."""
    named = {argument for argument in arguments if FILE.fullmatch(argument)} - made()
    return ", ".join(f"no file {name}" for name in sorted(named) if not any(REPOSITORY.glob(name)))


def unknown_command(arguments: Sequence[str]) -> str:
    """Read as the command line reads it, by the commands themselves; nothing is executed."""
    if why := unknown_name(arguments):
        return why
    command: Any = typer.main.get_command(cli.build(list(arguments)))
    left, name, context = list(arguments), "failwhale", None
    try:
        while hasattr(command, "commands"):
            context = command.make_context(name, left, parent=context)
            name, command, left = command.resolve_command(context, [*context._protected_args, *context.args])
        command.make_context(name, left, parent=context)
    except Exception as error:  # noqa: BLE001 - whatever the parser objects to
        return str(error) or repr(error)
    return ""


def unknown_name(words: Sequence[str]) -> str:
    """A drill or a decider that is named has to be there; capitals stand for any."""
    known = {("drill",): {*catalogue.names(), *(Path(file).stem for file in made())}, ("decider", "set"): {*deciders.DECIDERS}}
    for command, names in known.items():
        name = next(iter(words[len(command) :]), "") if tuple(words[: len(command)]) == command else ""
        if re.fullmatch(r"[a-z][\w-]*", name) and name not in names:
            return f"no {command[0]} {name}"
    return ""


def unknown_target(arguments: Sequence[str]) -> str:
    makefile = (REPOSITORY / "Makefile").read_text()
    return ", ".join(f"no target {name}" for name in arguments if not re.search(rf"^{name}:", makefile, re.MULTILINE))


def unknown_module(arguments: Sequence[str]) -> str:
    return "" if arguments[0] == "-m" and importlib.util.find_spec(arguments[1]) else f"no module in {arguments}"


def refused(*tool: str) -> Callable[[Sequence[str]], str]:
    """What a tool of others objects to: these refuse what they do not know also beside `--help`."""

    def asked(arguments: Sequence[str]) -> str:
        if shutil.which(tool[0]) is None:
            pytest.skip(f"{tool[0]} is not installed: run scripts/setup.sh")
        words = [argument for argument in arguments if not argument.startswith("/")]
        done = subprocess.run([*tool, *words, "--help"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
        return "" if done.returncode == 0 else done.stderr

    return asked


def unknown_option(arguments: Sequence[str]) -> str:
    """Read by Locust in a process of its own, because importing it patches the one that does."""
    read = "import sys; from locust.argument_parser import get_parser; get_parser().parse_args(sys.argv[1:])"
    done = subprocess.run([sys.executable, "-c", read, *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stderr


def unknown_call(arguments: Sequence[str]) -> str:
    """A call of the fault proxy's API: a route that it has, and a body that is JSON. What else is asked is the reader's."""
    (url,) = (argument for argument in arguments if argument.startswith("http://127.0.0.1:"))
    if not PROXY.match(url):
        return ""
    method = arguments[arguments.index("-X") + 1] if "-X" in arguments else "GET"
    if "-d" in arguments:
        json.loads(arguments[arguments.index("-d") + 1])
    path = PROXY.sub("", url)
    routes = Endpoints(Registry(seed=0, mark=0)).app().routes
    known = [route for route in routes if re.fullmatch(re.sub(r"{\w+}", r"[^/]+", str(getattr(route, "path", ""))), path)]
    return "" if any(method in (getattr(route, "methods", None) or ()) for route in known) else f"the proxy has no {method} {path}"


@functools.cache
def whole() -> Any:
    return typer.main.get_command(cli.build([]))


def unknown_mention(mention: str) -> str:
    """What a sentence says of the command line, in `code`: the command has to be there, and every option that is named; the rest may be left out."""
    command, words = whole(), mention.split()[1:]
    if why := unknown_name(words):
        return why
    while words and (commands := getattr(command, "commands", None)) and re.fullmatch(r"[a-z-]+", words[0]):
        name = words.pop(0)
        if name not in commands:
            return f"no command {name}"
        command = commands[name]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
    named = re.findall(r"(?<!\w)--[a-z-]+", " ".join(words))
    return ", ".join(f"no option {option}" for option in named if option not in known)


def mentions(page: Path) -> list[str]:
    text = documents.BLOCK.sub("", page.read_text())
    return [" ".join(part.split()) for span in MENTION.findall(text) for part in span.split(";")]


def links() -> Iterator[tuple[str, Path]]:
    for page in DOCUMENTS:
        yield from ((page.name, (page.parent / target).resolve()) for target in LINK.findall(page.read_text()))


def test_every_command_is_one_that_there_is() -> None:
    listed = commands()
    assert len({step.command for step in listed}) > 40
    assert {step.command: (step.page, why) for step in listed if (why := problems(step.command))} == {}


@pytest.mark.parametrize(
    "command",
    [
        "failwhale drill kill-tweet-shard --shame",
        "failwhale gameday --continue",
        "failwhale drill kill-the-cat",
        "failwhale decider set lunch 1",
        "failwhale trace shows 1",
        "failwhale conquer",
        "failwhale slo generate | promtool lunch rules /dev/stdin",
        "make coffee",
        "cp chaos/experiments/no-such-drill.yaml x.yaml",
        "curl -X PUT http://127.0.0.1:8474/lunch",
        ".venv/bin/python -m chaos.lunch",
        ".venv/bin/chaos --no-version-check munch chaos/experiments/kill-tweet-shard.yaml",
        ".venv/bin/chaos --no-version-check run chaos/experiments/no-such-drill.yaml",
        ".venv/bin/locust -f loadgen/locustfiles/spike.py --headlong",
        ".venv/bin/streamlit run dashboards/console/no_app.py",
        "promtool check rules --lunch deploy/_gen/rules/*.yml",
        "rm -rf chaos/experiments/no-such-drill.yaml",
        "lunch",
    ],
)
def test_a_command_that_there_is_not_is_found_out(command: str) -> None:
    assert problems(command)


def test_every_command_that_a_sentence_names_is_there() -> None:
    found = [(page.name, mention) for page in DOCUMENTS for mention in mentions(page)]
    assert len(found) > 100
    assert [(page, mention, why) for page, mention in found if (why := unknown_mention(mention))] == []


@pytest.mark.parametrize(
    "mention",
    [
        "failwhale conquer",
        "failwhale chaos undone",
        "failwhale drill NAME [--shame]",
        "failwhale shard list --lunch",
        "failwhale decider set lunch VALUE",
    ],
)
def test_a_mention_of_what_is_not_there_is_found_out(mention: str) -> None:
    assert unknown_mention(mention)


def test_every_block_says_what_it_is() -> None:
    assert [page.name for page in DOCUMENTS if documents.nameless(page.read_text())] == []
    assert documents.nameless("```sh\nfailwhale up\n```\n```\nfailwhale conquer\n```\n") == ["```"]


@pytest.mark.parametrize(("page", "code"), [(page.name, code) for page in PAGES for code in documents.blocks(page.read_text(), "python")])
def test_every_snippet_runs(page: str, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    exec(compile(code, page, "exec"), {"__name__": page})  # noqa: S102 - ours


def test_the_rules_for_an_objective_of_ones_own_are_made(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(REPOSITORY)
    snippets = documents.blocks((TUTORIAL / "your-own-service.md").read_text(), "python")
    (code,) = (code for code in snippets if "own-slo.yaml" in code)
    exec(compile(code, "rules", "exec"), {})  # noqa: S102 - ours
    assert "slo: checkout-availability" in capsys.readouterr().out


def test_every_link_leads_somewhere() -> None:
    found = list(links())
    assert found
    assert [(page, str(target)) for page, target in found if not target.exists()] == []


def test_a_block_tells_commands_how_they_end_and_what_they_show(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ one\nshown\n  too\n$ two  # exits 2: so\n```\n```sh\nthree  # until Ctrl-C\n```\n```python\nfour\n```\n")
    one, two, three = documents.steps(page)
    assert (one.command, one.exits, one.shown) == ("one", 0, ("shown", "  too"))
    assert (two.exits, two.shown, two.serves) == (2, (), False)
    assert (three.exits, three.serves) == (0, True)


@pytest.mark.parametrize(
    ("shown", "output", "there"),
    [
        ("audit  855 posts; lost 0, ...", "audit  1,024 posts; lost 0, stale 3", True),
        ("audit  855 posts; lost 0, ...", "audit  1,024 posts; lost 3, stale 0", False),
        ("lost 0", "lost 0.5", False),
        ("ComponentDown (tweets-db-0-primary) 3.7 s", "alert ComponentDown (tweets-db-0-primary) 12 s", True),
        ("run 20261121T172412Z-x", "verdict passed\nrun     20270101T000000Z-x\n", True),
        ("verdict passed", "verdict\npassed", False),
        ("verdict passed", "verdict deviated", False),
        ("it is (as predicted)", "it is as predicted", False),
    ],
)
def test_numbers_aside_a_shown_line_has_to_be_in_the_output(shown: str, output: str, *, there: bool) -> None:
    assert documents.lacking([shown], output) == ([] if there else [shown])


def test_a_placeholder_is_what_the_command_before_it_told() -> None:
    told_by = {"RUN_ID": ("drill x", r"^run +(\S+)$")}
    assert documents.filled("audit RUN_ID", told_by, {"drill x": "verdict\nrun   2026-x\n"}) == "audit 2026-x"
    with pytest.raises(AssertionError, match="told no RUN_ID"):
        documents.filled("audit RUN_ID", told_by, {"drill x": "nothing"})
