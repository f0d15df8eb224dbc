"""HDFS and YARN of the Hadoop that Spark's client has: each daemon a process of its own, on loopback.

`python -m tests.clusters.hadoop FOLDER` starts them, says where their configuration lies and stops them at Ctrl-C.
"""

import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from xml.sax.saxutils import escape

from tests.clusters.daemons import HOST, Daemon, daemons, free_ports
from tests.clusters.jars import Unavailable, jars_for
from tests.support.submitting import environment
from tools.setup import java

VERSION = "3.5.0"  # that of the daemons in jars.txt
# Of Spark's own jars: Hadoop's client where it is of that version, and what the daemons log through.
CLIENT, LOGS = ("hadoop-client-*", "javax.servlet-api-*"), ("slf4j-api-*", "log4j-*", "jcl-over-slf4j-*")
NAMENODE = "org.apache.hadoop.hdfs.server.namenode.NameNode"
DATANODE = "org.apache.hadoop.hdfs.server.datanode.DataNode"
MANAGER = "org.apache.hadoop.yarn.server.resourcemanager.ResourceManager"
NODE = "org.apache.hadoop.yarn.server.nodemanager.NodeManager"
JAVA = ["-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
NODES = 2
NODE_MEMORY, NODE_CORES = 3072, 3  # MiB and cores that each node offers
EXPIRY = 8000  # milliseconds without a word from a node after which it is lost
LOGGING = """
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %c{1}: %m%n
"""
EXECUTOR, MASTER = "YarnCoarseGrainedExecutorBackend", "org.apache.spark.deploy.yarn.ApplicationMaster "


class Hadoop:
    """Running daemons; Spark needs no `settings` to reach them."""

    settings: Mapping[str, str] = {}

    def __init__(self, folder: Path, url: str, web: str, manager: str):
        self.folder, self.url, self._web, self._manager = folder, url, web, manager
        self.conf = folder / "conf"
        self.nodes: dict[str, Daemon] = {}
        self.started: list[Daemon] = []  # killed at the end

    # ---- HDFS, through the NameNode's web interface ----

    def put(self, name: str, content: bytes) -> str:
        """Write a file; its URL."""
        place = self._request("PUT", name, op="CREATE", overwrite="true", noredirect="true")
        request = urllib.request.Request(json.loads(place)["Location"], data=content, method="PUT")
        urllib.request.urlopen(request, timeout=30).close()
        return f"{self.url}/{name}"

    def get(self, name: str) -> bytes | None:
        """A file's content; None where there is none."""
        try:
            return self._request("GET", name, op="OPEN")
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise

    def names(self, below: str) -> list[str]:
        """The names of all files below a folder, from the root on."""
        try:
            found = json.loads(self._request("GET", below, op="LISTSTATUS"))["FileStatuses"]["FileStatus"]
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return []
            raise
        names = []
        for each in found:
            name = f"{below}/{each['pathSuffix']}"
            names += self.names(name) if each["type"] == "DIRECTORY" else [name]
        return sorted(names)

    def _request(self, method: str, name: str, **query: str) -> bytes:
        words = urllib.parse.urlencode({"user.name": "tests", **query})
        request = urllib.request.Request(
            f"{self._web}/webhdfs/v1/{urllib.parse.quote(name)}?{words}", method=method
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()

    # ---- YARN ----

    def applications(self) -> list[dict]:
        """What the ResourceManager knows of all applications, the newest last."""
        with urllib.request.urlopen(f"{self._manager}/ws/v1/cluster/apps", timeout=30) as answer:
            found = (json.load(answer)["apps"] or {}).get("app", [])
        return sorted(found, key=lambda each: each["id"])

    def containers(self, what: str = "", application: str = "") -> dict[int, str]:
        """The processes of containers with the names of their nodes; `what` is EXECUTOR or MASTER."""
        found = {}
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):  # it has ended
                program, *words = path.read_text(errors="replace").split("\0")
                line = " ".join(words) + " "
                if program.endswith("/java") and what in line and application in line:
                    places = (node for node in self.nodes if f"{self.folder}/{node}/logs/" in line)
                    found.update({int(path.parent.name): node for node in places})
        return found

    def restart(self, node: str) -> None:
        """Start a node that was killed."""
        self.started.append(_start(self, NODE, node, {}))
        self.nodes[node] = self.started[-1]

    def logs(self, application: str) -> str:
        """All that the containers of an application have printed."""
        paths = sorted(self.folder.glob(f"node-*/logs/{application}/*/std*"))
        return "\n".join(f"==> {path}\n{path.read_text(errors='replace')}" for path in paths)


def spark_jars() -> Path:
    """The folder of Spark's own jars."""
    return Path(environment()["SPARK_HOME"]) / "jars"


def class_path() -> str:
    """The jars of the daemons. Raises Unavailable."""
    has_client = (spark_jars() / f"hadoop-client-api-{VERSION}.jar").exists()
    paths = jars_for("hadoop") + ([] if has_client else jars_for("client"))
    names = (*CLIENT, *LOGS) if has_client else LOGS
    return os.pathsep.join(
        map(str, [*paths, *(path for name in names for path in spark_jars().glob(f"{name}.jar"))])
    )


@functools.cache
def java_home() -> str:
    """The folder of a Java that runs this Hadoop; that of Spark 3.5 may be older. Raises Unavailable."""
    found, _ = java.find(java.Spark("4.3"), os.environ)
    if found is None:
        raise Unavailable("there is no Java of version 17 to 25")
    return str(found.home)


@contextmanager
def hadoop(folder: Path) -> Iterator[Hadoop]:
    """A NameNode, a DataNode, a ResourceManager and two NodeManagers with all their files in the folder."""
    classes = class_path()
    names, web, *manager = ports = free_ports(7)
    running = Hadoop(folder, f"hdfs://{HOST}:{names}", f"http://{HOST}:{web}", f"http://{HOST}:{manager[-1]}")
    _configure(running.conf, folder, ports)
    env = {"CLASSPATH": classes}
    with daemons() as started:
        subprocess.run(
            _words(NAMENODE, running.conf, classes, "-format", "-nonInteractive"),
            env={**os.environ, "JAVA_HOME": java_home()},
            capture_output=True,
            check=True,
            timeout=120,
        )
        started.append(_start(running, NAMENODE, "names", env))
        started.append(_start(running, MANAGER, "manager", env))
        started[0].wait_for_port(names)
        started.append(_start(running, DATANODE, "data", env))
        started[1].wait_for_port(manager[-1])
        for number in range(NODES):
            name = f"node-{number}"
            started.append(_start(running, NODE, name, env))
            running.nodes[name] = started[-1]
        started[2].wait_for("Successfully sent block report")
        for node in running.nodes.values():
            node.wait_for("Registered with ResourceManager")
        running.put("tmp/.ready", b"")
        running.started = started
        try:
            yield running
        finally:
            for process in running.containers():
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)


def _words(daemon: str, conf: Path, classes: str, *more: str) -> list[str]:
    return [f"{java_home()}/bin/java", *JAVA, "-cp", f"{conf}{os.pathsep}{classes}", daemon, *more]


def _start(running: Hadoop, daemon: str, name: str, env: Mapping[str, str]) -> Daemon:
    conf = running.conf
    if daemon == NODE:
        conf = _node_configuration(running.folder / name, running.conf)
    (running.folder / name).mkdir(exist_ok=True)
    return Daemon(
        _words(daemon, conf, env.get("CLASSPATH") or class_path()),
        running.folder / f"{name}.log",
        {**os.environ, "JAVA_HOME": java_home()},
        running.folder / name,
    )


def _configure(conf: Path, folder: Path, ports: list[int]) -> None:
    names, web, manager, scheduler, tracker, admin, manager_web = (f"{HOST}:{port}" for port in ports)
    anywhere = f"{HOST}:0"
    conf.mkdir(parents=True)
    (conf / "log4j2.properties").write_text(LOGGING)
    _write(conf / "core-site.xml", {"fs.defaultFS": f"hdfs://{names}", "hadoop.tmp.dir": folder / "tmp"})
    hdfs = {
        "dfs.namenode.name.dir": f"file://{folder}/names/blocks",
        "dfs.datanode.data.dir": f"file://{folder}/data/blocks",
        "dfs.namenode.http-address": web,
        "dfs.datanode.address": anywhere,
        "dfs.datanode.http.address": anywhere,
        "dfs.datanode.ipc.address": anywhere,
        "dfs.datanode.hostname": HOST,
        "dfs.replication": 1,
        "dfs.permissions.enabled": "false",
        "dfs.namenode.safemode.extension": 0,
    }
    _write(conf / "hdfs-site.xml", hdfs)
    yarn = {
        "yarn.resourcemanager.hostname": HOST,
        "yarn.resourcemanager.address": manager,
        "yarn.resourcemanager.scheduler.address": scheduler,
        "yarn.resourcemanager.resource-tracker.address": tracker,
        "yarn.resourcemanager.admin.address": admin,
        "yarn.resourcemanager.webapp.address": manager_web,
        "yarn.resourcemanager.nm.liveness-monitor.interval-ms": 1000,
        "yarn.nm.liveness-monitor.expiry-interval-ms": EXPIRY,
        "yarn.resourcemanager.am.max-attempts": 4,
        "yarn.scheduler.minimum-allocation-mb": 64,
        "yarn.nodemanager.address": anywhere,
        "yarn.nodemanager.localizer.address": anywhere,
        "yarn.nodemanager.webapp.address": anywhere,
        "yarn.nodemanager.vmem-check-enabled": "false",
        "yarn.nodemanager.resource.memory-mb": NODE_MEMORY,
        "yarn.nodemanager.resource.cpu-vcores": NODE_CORES,
        "yarn.nodemanager.delete.debug-delay-sec": 3600,  # logs and folders stay to be looked at
        "yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage": 100,
    }
    _write(conf / "yarn-site.xml", yarn)
    queues = {
        "yarn.scheduler.capacity.root.queues": "default",
        "yarn.scheduler.capacity.root.default.capacity": 100,
        "yarn.scheduler.capacity.maximum-am-resource-percent": 1,
    }
    _write(conf / "capacity-scheduler.xml", queues)


def _node_configuration(node: Path, conf: Path) -> Path:
    """The configuration of one node: that of all, with folders of its own."""
    own = node / "conf"
    if not own.exists():
        shutil.copytree(conf, own)
        text = (conf / "yarn-site.xml").read_text()
        places = {"yarn.nodemanager.local-dirs": node / "local", "yarn.nodemanager.log-dirs": node / "logs"}
        (own / "yarn-site.xml").write_text(
            text.replace("</configuration>", _properties(places) + "</configuration>")
        )
    return own


def _write(path: Path, settings: Mapping[str, object]) -> None:
    path.write_text(f"<configuration>\n{_properties(settings)}</configuration>\n")


def _properties(settings: Mapping[str, object]) -> str:
    line = "<property><name>{}</name><value>{}</value></property>\n"
    return "".join(line.format(key, escape(str(value))) for key, value in settings.items())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.clusters.hadoop FOLDER")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.monotonic()
    with hadoop(Path(sys.argv[1]).resolve()) as cluster, suppress(KeyboardInterrupt):
        print(
            f"{cluster.url} and YARN after {time.monotonic() - began:.0f} s: HADOOP_CONF_DIR={cluster.conf}",
            flush=True,
        )
        signal.pause()
