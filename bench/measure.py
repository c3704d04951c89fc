"""What a process cost, as the operating system counted it."""
import dataclasses
import os
import statistics
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass(frozen=True)
class Cost:
    """CPU and wall time in seconds, peak resident memory in MiB."""

    cpu: float
    wall: float
    memory: float


def whole(command):
    """Runs a command to its end and says what it cost; its output is returned too. A failure ends the bench."""
    started = time.monotonic()
    child = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True)
    output = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {child.returncode}")
    return Cost(usage.ru_utime + usage.ru_stime, time.monotonic() - started, usage.ru_maxrss / 1024), output


def cpu_of(pid):
    """CPU seconds that a living process has used so far, all threads."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def peak_of(pid):
    """Peak resident memory of a living process in MiB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        line = next(line for line in file if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def median(costs):
    """The middle of each figure on its own; the worst of the memory."""
    cpu = statistics.median(cost.cpu for cost in costs)
    return Cost(cpu, statistics.median(cost.wall for cost in costs), max(cost.memory for cost in costs))
