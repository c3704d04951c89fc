"""The programs compared with, in a virtual environment of their own under the cache directory."""
import hashlib
import os
import pathlib
import subprocess
import sys
import venv

REQUIREMENTS = pathlib.Path(__file__).with_name("requirements.txt")


def cache_directory():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    directory = pathlib.Path(base) / "lakehouse" / "bench"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def install():
    """The directory of the peers' programs; made on the first call and whenever the pins change."""
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    home = cache_directory() / f"peers-{sys.version_info.major}.{sys.version_info.minor}-{digest}"
    finished = home / "finished"
    if not finished.exists():
        venv.create(home, with_pip=True, clear=True)
        pip = [home / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*pip, "--require-hashes", "--requirement", REQUIREMENTS], check=True)
        finished.touch()
    return home / "bin"
