"""The page that keeps the figures: one section per bench, replaced whole."""
import datetime
import os
import platform
import re


def machine():
    with open("/proc/cpuinfo", encoding="ascii") as file:
        model = next((line.partition(": ")[2].strip() for line in file if line.startswith("model name")), platform.machine())
    with open("/proc/meminfo", encoding="ascii") as file:
        memory = int(file.readline().split()[1]) / 2**20
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release().partition('-')[0]}"


def write(page, section, table):
    """Replaces the section between its marks with the table, dated and placed."""
    text = page.read_text(encoding="utf-8")
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    fresh = f"<!-- {section} -->\n{today} · {machine()}\n\n{table}\n<!-- end of {section} -->"
    changed, count = re.subn(f"<!-- {section} -->.*?<!-- end of {section} -->", lambda _: fresh, text, flags=re.DOTALL)
    if count != 1:
        raise SystemExit(f"{page} has no section {section}")
    page.write_text(changed, encoding="utf-8")
