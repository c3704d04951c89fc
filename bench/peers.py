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


def install(requirements=REQUIREMENTS, sources=None):
    """The directory of the peers' programs; made on the first call and whenever the pins change. `sources` lists those that are compiled."""
    pins = requirements.read_bytes() + (sources.read_bytes() if sources else b"")
    digest = hashlib.sha256(pins).hexdigest()[:12]
    home = cache_directory() / f"peers-{sys.version_info.major}.{sys.version_info.minor}-{digest}"
    finished = home / "finished"
    if not finished.exists():
        venv.create(home, with_pip=True, clear=True)
        pip = [home / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
        subprocess.run([*pip, "--only-binary=:all:", "--requirement", requirements], check=True)
        if sources:
            subprocess.run([*pip, "--no-build-isolation", "--requirement", sources], check=True)
        finished.touch()
    return home / "bin"
