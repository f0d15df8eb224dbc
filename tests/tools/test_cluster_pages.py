"""Every command of docs/clusters and docs/google_cloud has options that the program knows which it calls."""

import json
import re
import runpy
import shutil
import zipfile
from functools import cache
from pathlib import Path

import pyspark
import pytest

from nn.cli import parser as main_task
from nn.cli import predict_options as predict_task
from nn.core.errors import UsageError
from nn.datasets import options as generate_data
from nn.plotting import options as generate_plots
from tests.support import ROOT
from tests.support.shell import Command, commands, fences
from tests.support.submitting import MAIN, submit
from tests.tools.cloud_options import OPTIONS
from tools.setup import distribution

PAGES = [*sorted((ROOT / "docs/clusters").glob("*.md")), ROOT / "docs/google_cloud/README.md"]
PROGRAMS = {
    "main_task.py": main_task.parse,
    "predict_task.py": predict_task.parse,
    "generate_data.py": generate_data.read_options,
    "generate_plots.py": generate_plots.read_options,
}
LEFT_OUT = "..."  # what a page leaves out of a command
SUBMITTERS = {"gcloud dataproc jobs submit pyspark", "gcloud dataproc batches submit pyspark"}
# Options of commands after which other commands stand, or no options at all.
BEFORE_WORDS = {"docker run", "echo", "sleep", "mkdir"}
SWITCHES = {"--verbose", "-v", "--version", "--help", "-h", "--supervise", "--usage-error"}
JARS = Path(pyspark.__file__).parent / "jars"
# Where Spark declares its keys, and those that it puts together from two parts.
DECLARATIONS = re.compile(
    r"org/apache/spark/(internal/config/|deploy/yarn/config/|deploy/k8s/Config|launcher/SparkLauncher).*\.class"
)
PREFIXES = {
    "spark.yarn.appMasterEnv.",  # https://spark.apache.org/docs/latest/running-on-yarn.html
    "spark.executorEnv.",  # https://spark.apache.org/docs/latest/configuration.html
    "spark.hadoop.",
}
COMPOSED = {
    # https://spark.apache.org/docs/latest/running-on-kubernetes.html
    "spark.kubernetes.authenticate.driver.serviceAccountName"
}


def check(command: Command) -> None:
    """Hold a command against the parser of its program. Raises AssertionError or UsageError with its place."""
    try:
        check_words(command.words)
    except (AssertionError, UsageError, SystemExit) as error:
        raise AssertionError(f"{command.place}: {error}: {' '.join(command.words)}") from error


def check_words(words: list[str]) -> None:
    name = Path(words[0]).name
    if name == "spark-submit":
        check_submit(words[1:])
    elif name == "make":
        targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split()
        assert set(words[1:]) <= set(targets), "no such target"
    elif re.fullmatch(r"python[\d.]*", name) and words[1] != "-m":
        check_program(words[1], words[2:])
    elif words[1:3] == ["-m", "tests.support.cluster"]:
        assert len(words) == 4
    else:
        check_tool(["python" if re.fullmatch(r"python[\d.]*", name) else words[0], *words[1:]])


def check_program(script: str, words: list[str]) -> None:
    """Parse the arguments of one of the project's programs."""
    if LEFT_OUT in words:
        assert words == [LEFT_OUT]
        return
    words = list(words)
    for index, word in enumerate(words[:-1]):
        if word == "--config":  # a copy on the driver's machine
            words[index + 1] = Path(words[index + 1]).stem  # in the page a file or a name
    PROGRAMS[Path(script).name](words)


def check_submit(words: list[str]) -> None:
    """Check the options of spark-submit, then the program's."""
    words = list(words)
    while words and words[0].startswith("-"):
        option, _, value = words.pop(0).partition("=")
        assert option in submit_options(), f"spark-submit has no option {option}"
        if option not in SWITCHES:
            value = value or words.pop(0)
        if option in ("--conf", "-c"):
            check_setting(value)
    if words != [LEFT_OUT]:
        check_program(words[0], words[1:])


def check_setting(setting: str) -> None:
    """Check the key of a Spark setting."""
    key, equals, value = setting.partition("=")
    assert equals and value, f"expected KEY=VALUE, found {setting}"
    known = key in spark_keys() | COMPOSED or any(key.startswith(prefix) for prefix in PREFIXES)
    assert known, f"Spark has no setting {key}"


def check_tool(words: list[str]) -> None:
    """Check the options of another tool, and of the job that it submits."""
    # gcloud dataproc clusters create: four words
    count = max((n for n in range(1, len(words) + 1) if " ".join(words[:n]) in OPTIONS), default=0)
    name, rest = " ".join(words[:count]), words[count:]
    assert count, "a command that no list of options is known of"
    if name in SUBMITTERS:
        split = rest.index("--")
        check_program(rest[0], rest[split + 1 :])
        rest = rest[:split]
    for index, word in enumerate(rest):
        if not word.startswith("-"):
            if name in BEFORE_WORDS:
                break
            continue
        option, _, value = word.partition("=")
        assert option in OPTIONS[name].split(), f"{name} has no option {option}"
        if option == "--properties":
            for setting in value.split(","):
                check_property(setting)
        elif option == "--steps":
            check_step(rest[index + 1])


def check_property(setting: str) -> None:
    """Check a property of Dataproc: Spark's own, or the cluster's with a prefix."""
    if not setting.startswith("dataproc:"):
        check_setting(setting)


def check_step(step: str) -> None:
    """Check a step of EMR, whose Args are the words of spark-submit."""
    fields, words = re.fullmatch(r"(.*),Args=\[(.*)\]", step).groups()
    known = {"Type", "Name", "ActionOnFailure"}
    assert {field.partition("=")[0] for field in fields.split(",")} <= known
    check_submit(words.split(","))


@cache
def submit_options() -> set[str]:
    """The options of the installed spark-submit: the strings in the class that declares them."""
    with zipfile.ZipFile(next(JARS.glob("spark-launcher_*.jar"))) as jar:
        declared = jar.read("org/apache/spark/launcher/SparkSubmitOptionParser.class")
    return {text.decode() for text in re.findall(rb"--[a-z-]+|(?<![\w-])-[a-z]\b", declared)}


@cache
def spark_keys() -> set[str]:
    """The settings that the installed Spark declares: the strings in those of its classes."""
    keys = set()
    for name in ("core", "yarn", "kubernetes", "launcher"):
        with zipfile.ZipFile(next(JARS.glob(f"spark-{name}_*.jar"))) as jar:
            for entry in filter(DECLARATIONS.fullmatch, jar.namelist()):
                keys |= set(re.findall(rb"spark(?:\.[A-Za-z0-9_-]+)+", jar.read(entry)))
    return {key.decode() for key in keys}


# ---- the pages ----


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_commands_have_options_that_their_programs_know(page):
    checked = [check(command) for command in commands(page)]
    assert checked or page == ROOT / "docs/clusters/README.md"


def test_files_of_the_package_are_among_those_that_it_has():
    packed = {
        "nn.zip",
        *distribution.PROGRAMS,
        *(f"recipes/{path.name}" for path in ROOT.glob("recipes/*.json")),
    }
    named = {
        name
        for page in PAGES
        for name in re.findall(r"\bdist/([\w/.]+\.(?:py|zip|json))\b", page.read_text())
    }
    assert named and named <= packed


@pytest.mark.spark
def test_spark_refuses_python_programs_in_cluster_mode_with_the_line_of_the_page(tmp_path):
    words, master = ["--deploy-mode", "cluster"], "spark://127.0.0.1:7077"
    done = submit(MAIN, *"ABCDE", cwd=tmp_path, conf=words, master=master)
    ((_, line),) = fences(ROOT / "docs/clusters/standalone.md", "")
    assert done.returncode and line.strip() in done.stdout, done.stdout


def test_a_run_of_databricks_has_parameters_that_the_program_knows():
    ((_, text),) = fences(ROOT / "docs/clusters/databricks.md", "json")
    (task,) = json.loads(text)["tasks"]
    check_program(task["spark_python_task"]["python_file"], task["spark_python_task"]["parameters"])


def test_an_application_of_the_spark_operator_has_arguments_that_the_program_knows():
    ((_, text),) = fences(ROOT / "docs/clusters/kubernetes.md", "yaml")
    script = re.search(r"mainApplicationFile: (\S+)", text)[1]
    check_program(script, json.loads(re.search(r"arguments: (\[.*?\])", text, re.DOTALL)[1]))


@pytest.mark.parametrize(
    "line",
    [
        "spark-submit --deploy-mod cluster main_task.py A B C D OUTPUT",
        "spark-submit --conf spark.executor.instance=2 main_task.py A B C D OUTPUT",
        "spark-submit --conf spark.executor.instances main_task.py A B C D OUTPUT",
        "spark-submit main_task.py A B C D OUTPUT --partition 8",
        "spark-submit main_task.py A B C D OUTPUT --config missing.json",
        "spark-submit predict_task.py MODEL INPUT OUTPUT --probability",
        "python generate_plots.py",
        "python generate_data.py --datasets synthetic",
        "make packages",
        "gcloud dataproc clusters create NAME --regions=R",
        "gcloud dataproc jobs submit pyspark main_task.py --cluster=C -- A B C D OUTPUT --resumes",
        "gcloud dataproc jobs submit pyspark main_task.py --properties=spark.executor.core=4 -- A B C D OUTPUT",
        "aws emr create-cluster --steps 'Type=Spark,Args=[--deploy-modes,cluster,main_task.py,A,B,C,D,O]'",
        "kubectl log POD",
        "docker run --remove IMAGE python3 -c 1",
    ],
)
def test_a_misspelt_word_is_found(line, tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text(f"```sh\n{line}\n```\n")
    (command,) = commands(page)
    with pytest.raises(AssertionError, match="page.md, line 2"):
        check(command)


def test_a_variable_that_no_line_sets_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```sh\nA=1\necho $A\necho $B\n```\n")
    with pytest.raises(ValueError, match=r"page.md, line 4: expected \$B to be set above"):
        list(commands(page))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_links_lead_to_files_and_headings(page):
    for path, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", page.read_text()):
        target = (page.parent / path).resolve() if path else page
        assert target.is_file(), (page.name, path)
        headings = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
        anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert not anchor or anchor in anchors, (page.name, path, anchor)


def test_options_of_gcloud_are_those_of_an_installed_one():
    program = shutil.which("gcloud")
    tree = Path(program).resolve().parents[1] / "data/cli/gcloud_completions.py" if program else None
    if tree is None or not tree.is_file():
        pytest.skip("no gcloud here")
    root = runpy.run_path(str(tree))["STATIC_COMPLETION_CLI_TREE"]
    for name, listed in OPTIONS.items():
        if name.startswith("gcloud "):
            node = root
            for word in name.split()[1:]:
                node = node["commands"][word]
            assert set(listed.split()) <= {*root["flags"], *node["flags"], "-r", "-R"}, name
