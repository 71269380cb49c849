"""What the code knows and the documentation does not say is a defect of the documentation."""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from dataflow_nexus import DataFlow, Nexus, conf
from dataflow_nexus.channels.cli import arguments
from dataflow_nexus.channels.cli import help as cli_help
from dataflow_nexus.channels.errors import TABLE, translate
from dataflow_nexus.dataflow import declaring
from dataflow_nexus.operations import lookups, texts, verbs
from dataflow_nexus.operations.aggregating import UNITS
from dataflow_nexus.operations.base import Verb
from dataflow_nexus.operations.values import OPERATORS as CHANGES
from dataflow_nexus.queries import aggregates, filters, operators
from dataflow_nexus.registry import COMMAND_WORDS, Registry

PROJECT = Path(__file__).parent.parent
DOCS = PROJECT / "docs"
PACKAGE = PROJECT / "dataflow_nexus"
DOCUMENTS = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text()


def section(name: str, heading: str) -> str:
    """The text under a heading of any depth, up to the next one that is not below it."""
    level, _, rest = page(name).partition(f"# {heading}\n")
    assert rest, f"docs/{name}.md has no heading {heading!r}"
    depth = len(level) - len(level.rstrip("#")) + 1
    return re.split(rf"^#{{1,{depth}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> dict[str, list[str]]:
    """The cells of tables, by each name in the first cell of a row."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("|"):
            first, *others = (cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1])
            found |= dict.fromkeys(CODE.findall(first), others)
    return found


def words(text: str) -> set[str]:
    """Everything that stands in code, as a whole and in its parts."""
    return {part for code in CODE.findall(text) for part in (code, *re.split(r"[\s,|\\]+", code))}


# --- configuration ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("item", fields(conf.Configuration), ids=lambda item: item.name)
def test_every_key_is_documented_with_its_default(item):
    documented = rows(section("configuration", "Keys"))
    assert item.name in documented
    assert ast.literal_eval(documented[item.name][0].strip("`")) == item.default


def test_no_other_key_is_documented():
    known = {item.name for item in fields(conf.Configuration)} | set(conf.NOT_BUILT)
    assert set(rows(section("configuration", "Keys"))) <= known | {"key"}


@pytest.mark.parametrize("key", conf.NOT_BUILT)
def test_every_planned_key_is_documented_with_what_it_accepts(key):
    accepted = rows(section("configuration", "Planned keys"))[key][0]
    assert tuple(ast.literal_eval(code) for code in CODE.findall(accepted)) == conf.NOT_BUILT[key]


def test_every_check_is_documented():
    made = set(re.findall(r"dataflow_nexus\.[EW]\d{3}", (PACKAGE / "checks.py").read_text()))
    assert made == set(rows(section("configuration", "Checks"))) - {"check"}


def test_every_environment_variable_is_documented():
    internal = {"NEXUS_SERVER_PID"}  # a server's word to its own workers
    used = {
        name
        for path in PACKAGE.rglob("*.py")
        for name in re.findall(r'"(NEXUS_[A-Z_]+|DATABASE_URL)"', path.read_text())
    }
    assert used - internal == set(rows(section("configuration", "Environment")))


def test_every_logger_is_documented():
    used = {
        name
        for path in PACKAGE.rglob("*.py")
        for name in re.findall(r'getLogger\("([^"]+)"\)', path.read_text())
    }
    assert used <= words(section("configuration", "Logging"))


# --- operations -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", verbs.VERBS, ids=lambda verb: verb.name)
def test_every_parameter_of_a_verb_is_documented(verb: Verb):
    heading = verb.name.replace("_", " ").capitalize()
    assert set(rows(section("operations", heading))) == set(verb.parameters)


def test_every_verb_is_documented_on_every_channel():
    text = section("operations", "Reaching an operation")
    for verb in verbs.VERBS:
        camel = verb.name.title().replace("_", "")
        assert f"`Product{camel}Node`" in text
        assert f"`products {verb.name.replace('_', '-')}" in text


SHORT = [f"${name}" for name in texts.AGGREGATES]


@pytest.mark.parametrize("name", dict.fromkeys([*aggregates.FUNCTIONS, *SHORT, *UNITS]))
def test_every_function_and_unit_is_documented(name):
    assert f"`{name}`" in section("operations", "Aggregate")


@pytest.mark.parametrize("name", [*operators.OPERATORS, *filters.LOGICAL, *filters.QUANTIFIERS])
def test_every_operator_of_filters_is_documented(name):
    assert name in rows(page("filters"))


@pytest.mark.parametrize("name", lookups.LOOKUPS)
def test_every_lookup_is_documented(name):
    assert name in rows(section("filters", "Django's spelling"))


@pytest.mark.parametrize("name", CHANGES)
def test_every_operator_of_writes_is_documented(name):
    assert name in rows(section("writing", "Operators"))


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", TABLE, ids=lambda error: error.__name__)
def test_every_error_is_documented_with_its_status_and_exit_code(error):
    found = translate(error(""))
    line = f"| `{error.code}` | {found.status} | {found.exit_code} | `{error.__name__}` |"
    assert line in section("errors", "Codes")
    assert error.code in words(section("cli", "Exit codes"))


def test_every_code_of_a_value_is_documented():
    documented = rows(section("errors", "Codes of single values"))
    assert {code for path in PACKAGE.rglob("*.py") for code in codes(path)} <= set(documented)


def codes(path: Path) -> Iterator[str]:
    """The codes of what is wrong with a parameter, where they are written down."""
    places = {"field": (1, 3), "add": (1, 3), "FieldError": (1, 3), "Rejected": (0, 2)}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", None) or getattr(node.func, "id", "")
            place, count = places.get(name, (0, -1))
            code = node.args[place] if len(node.args) == count else None
            if isinstance(code, ast.Constant) and isinstance(code.value, str):
                yield code.value


# --- models and the constructors --------------------------------------------------------------------------------------


def parameters(call) -> set[str]:
    found = inspect.signature(call).parameters.values()
    return {item.name for item in found if item.kind is not item.VAR_KEYWORD} - {"self"}


def test_every_option_of_a_model_is_documented():
    options = parameters(Registry.register) - {"model"}
    assert options == set(rows(section("models", "Registering"))) - {"option"}


def test_every_argument_of_dataflow_is_documented():
    assert parameters(DataFlow) <= set(rows(section("models", "Without a Django project")))


def test_every_argument_of_nexus_is_documented():
    known = words(page("configuration"))
    assert parameters(Nexus) <= known


def test_every_key_of_a_declaration_is_documented():
    assert words(section("models", "`@db.model`")) >= declaring.KEYS


# --- command line -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", cli_help.COMMANDS)
def test_every_command_is_documented(command):
    assert any(
        code.split()[1] == command for code in rows(section("cli", "Commands")) if " " in code
    )


def test_every_word_that_is_taken_is_documented():
    assert set(words(section("cli", "Commands"))) >= COMMAND_WORDS


def test_every_option_of_the_command_line_is_documented():
    documented = words(section("cli", "Options"))
    names = [option.split()[0] for option, _ in cli_help._OPTIONS]
    switches = [f"--{name.replace('_', '-')}" for name in arguments.SWITCHES]
    assert {*names, *switches, "--file", "--version", *arguments.FORMATS} <= documented


# --- links and blocks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path):
    prose = re.sub(r"^```.*?^```", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in LINK.findall(prose):
        if not target.startswith(("http://", "https://", "#")):
            assert (document.parent / target.partition("#")[0]).is_file(), target


def test_every_page_is_in_the_table_of_contents():
    listed = set(page("index").split())
    assert {path.stem for path in DOCS.glob("*.md")} - {"index"} <= listed


def test_the_layers_of_the_page_are_those_of_the_contract():
    text = (PROJECT / "pyproject.toml").read_text()
    contract = re.findall(r"^layers = \[\n(.*?)^\]", text, flags=re.MULTILINE | re.DOTALL)[0]
    layers = [set(line.strip(' ",').split(" | ")) for line in contract.strip().splitlines()]
    listed = [
        set(CODE.findall(line.split("|")[1]))
        for line in section("architecture", "Layers").splitlines()
        if line.startswith("| `")
    ]
    assert listed == layers
