"""The jars of Apache Kafka: every coordinate pinned, fetched by jgo, compared with their committed hashes.

They come into a temporary folder that is renamed when it is whole. jgo downloads each named coordinate
without resolving anything further, since the list is complete: left to itself it mixes versions.
"""

import hashlib
import secrets
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kanava.local.problems import DiskFull, PlatformProblem, RegistryUnreachable, is_disk_full
from kanava.local.profile import project_root

ATTEMPTS = 3
DOWNLOADS_AT_ONCE = 6
TIMEOUT_SECONDS = 60


def jar_folder() -> Path:
    """Where the jars of the pinned version are, or will be; another version has another folder."""
    text = (project_root() / "deploy" / "kafka" / "jars.sha256").read_bytes()
    return project_root() / ".kanava" / f"kafka-{hashlib.sha256(text).hexdigest()[:12]}"


def pinned() -> dict[str, str]:
    """SHA-256 of each jar by its file name, as committed."""
    lines = (project_root() / "deploy" / "kafka" / "jars.sha256").read_text().splitlines()
    return {name: digest for digest, name in (line.split(maxsplit=1) for line in lines)}


def coordinates() -> list[str]:
    """The committed Maven coordinates, group:artifact:version."""
    return (project_root() / "deploy" / "kafka" / "coordinates.txt").read_text().split()


def ensure_jars(say: Callable[[str], None]) -> Path:
    """The folder of jars, fetched now if it is not there.

    Raises RegistryUnreachable, DiskFull, or PlatformProblem when a jar differs from its hash.
    """
    folder = jar_folder()
    if folder.exists():
        return folder
    say("Fetching Apache Kafka (92 jars, 52 MB) …")
    for rest in folder.parent.glob("kafka-*.new-*"):
        shutil.rmtree(rest, ignore_errors=True)
    fresh = folder.with_name(f"{folder.name}.new-{secrets.token_hex(4)}")
    try:
        (fresh / "repository").mkdir(parents=True)
        _fetch_all(fresh)
        shutil.rmtree(fresh / "repository")
        fresh.rename(folder)
    except OSError as error:
        raise (DiskFull("Fetching Kafka's jars") if is_disk_full(error) else error) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return folder


def _fetch_all(fresh: Path) -> None:
    """Fetch every coordinate and move its jar to the top of the folder once its hash is right."""
    wanted = pinned()
    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
        for jar in pool.map(lambda coordinate: _fetch(coordinate, fresh / "repository"), coordinates()):
            if hashlib.sha256(jar.read_bytes()).hexdigest() != wanted.get(jar.name):
                raise PlatformProblem(
                    f"The jar {jar.name} differs from the one pinned in deploy/kafka/jars.sha256; "
                    "nothing was kept. Check the Maven mirror that served it."
                )
            jar.rename(fresh / jar.name)


def _fetch(coordinate: str, repository: Path) -> Path:
    """Download one jar, trying again after a pause; jgo's settings name the repositories."""
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext

    configured = GlobalSettings.load().repositories
    context = MavenContext(repo_cache=repository, local_repos=[], timeout=TIMEOUT_SECONDS)
    context.remote_repos.update(configured)
    artifact = context.create_dependency(coordinate).artifact
    for attempt in range(ATTEMPTS):
        try:
            return Path(artifact.resolve())
        except Exception as error:
            if is_disk_full(error):
                raise
            if artifact.cached_path is not None:
                artifact.cached_path.unlink(missing_ok=True)
            if attempt == ATTEMPTS - 1:
                raise RegistryUnreachable(f"The jar {coordinate}") from error
            time.sleep(2**attempt)
    raise AssertionError("the last attempt returns or raises")
