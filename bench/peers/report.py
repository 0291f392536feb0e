# SPDX-License-Identifier: Apache-2.0
"""Results as Markdown."""

import json
import os
import platform
import statistics
import subprocess

from rows import ROWS

# An fp32 that is further away, by the size of the numbers, computes something else.
SAME = 1e-3


def medians(result):
    return {key: statistics.median(times) for key, times in result["milliseconds"].items()}


def floor(result):
    """Milliseconds of the plain tower's products at the peak; of all positions of a text row, the padding included."""
    return 1e3 * (result["padded_gflop"] or result["gflop"]) / result["peak_gflops"]


def worries(result):
    """What makes a row doubtful."""
    found = []
    if result["busy_otherwise"] > 0.05:
        found.append(f"{100 * result['busy_otherwise']:.0f} % of the processor time went to other programs")
    if result["processor_of_sleepers"] > 0.02 * result["seconds"]:
        found.append(f"contenders spent {result['processor_of_sleepers']:.2f} s out of turn")
    for key in differ(result):
        value = result["differences"][key]
        found.append(f"{key} computes something else than {value['to']}: {value['largest']:.1e}")
    return found


def differ(result):
    """The contenders that in fp32 compute something else than the reference."""
    return [key for key, value in result["differences"].items() if key.endswith("fp32") and not value["largest"] < SAME]


def print_row(row, result):
    """One row, as soon as it is there. Returns whether contenders do not compute the same."""
    base = floor(result)
    print(f"{row.title}; threads: {result['threads']}, rounds: {result['rounds']}, peak: {result['peak_gflops']:.0f} GFLOP/s, "
          f"seconds: {result['seconds']:.0f}")  # fmt: skip
    for key, time in medians(result).items():
        times, other = result["milliseconds"][key], result["differences"].get(key)
        near = f"  difference {other['largest']:.1e}, cosine {other['cosine']:.6f}" if other else ""
        print(f"  {key:18} {time:9.2f} ms {time / base:6.3f} x floor  ({min(times):.2f} to {max(times):.2f}){near}")
    for key, reason in result["skipped"].items():
        print(f"  {key:18} left out: {reason}")
    for worry in worries(result):
        print(f"  note: {worry}")
    print(flush=True)
    return bool(differ(result))


def load(folder):
    results = []
    for threads in (2, 1, *range(3, 257)):
        for row in ROWS:
            path = os.path.join(folder, f"{row.name}-{threads}.json")
            if os.path.exists(path):
                with open(path, encoding="utf-8") as file:
                    results.append((row, json.load(file)))
    return results


def cell(value, base):
    return f"{value:.{1 if value < 1000 else 0}f} ({value / base:.2f})"


def ratio(times, a, b):
    return f"{times[a] / times[b]:.2f}" if a in times and b in times else ""


def table(head, lines):
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for line in lines:
        print("| " + " | ".join(line) + " |")
    print()


def processor():
    names = {}
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            name, _, value = line.partition(":")
            names.setdefault(name.strip(), value.strip())
    about = f"{names.get('model name', platform.machine())}"
    if "model" in names:
        about += f" (family {names['cpu family']}, model {names['model']})"
    return f"{os.cpu_count()} processors of {about}"


def first_line(*command):
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()[0]
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def machine(results):
    """One sentence: where, with what, when."""
    versions = {}
    for _, result in results:
        versions.update(result["versions"])
    with open("/etc/os-release", encoding="utf-8") as file:
        system = next((line.split("=")[1].strip().strip('"') for line in file if line.startswith("PRETTY_NAME")), "")
    dates = sorted({result["date"].split()[0] for _, result in results})
    return f"{processor()}; {system}; {first_line('gcc', '--version')}; " + ", ".join(versions.values()) + f"; {dates[-1]}."


def print_table(folder):
    results = load(folder)
    if not results:
        print("Nothing measured yet.")
        return
    print(machine(results) + "\n")
    keys = []
    for _, result in results:
        keys += [key for key in result["milliseconds"] if key not in keys]
    keys.sort(key=lambda key: ("fp32", "bf16", "int8").index(key.split()[-1]))  # the order of contenders is kept
    lines = []
    for row, result in results:
        times, base = medians(result), floor(result)
        cells = [cell(times[key], base) if key in times else "" for key in keys]
        lines.append([row.title, str(result["threads"]), f"{result['peak_gflops']:.0f}", f"{base:.1f}", *cells])
    print("Milliseconds, medians (times the floor); the peak in GFLOP/s:\n")
    table(["work", "threads", "peak", "floor", *keys], lines)
    peers = [key for key in keys if not key.startswith("Lancet")]
    lines = []
    for row, result in results:
        times = medians(result)
        wanted = [ratio(times, "Lancet " + key.split()[-1], key) for key in peers]
        wanted += [ratio(times, "Lancet bf16", "Lancet fp32"), ratio(times, "Lancet int8", "Lancet fp32")]
        lines.append([row.title, str(result["threads"]), *wanted])
    print("Lancet's time as a share of a peer's in the same precision, and of its own in fp32:\n")
    table(["work", "threads", *(f"to {key}" for key in peers), "bf16 to fp32", "int8 to fp32"], lines)
    lines = []
    for row, result in results:
        if result["threads"] == results[0][1]["threads"]:
            found = result["differences"]
            lines.append([row.title] + [f"{found[key]['largest']:.0e}, {found[key]['cosine']:.5f}" if key in found else ""
                                        for key in keys])  # fmt: skip
    print("Difference of the outputs to PyTorch's in fp32 (to Lancet's where PyTorch did not run): the largest of a number, "
          "by the root mean square; the least cosine of a map (of a text's feature):\n")  # fmt: skip
    table(["work", *keys], lines)
    for row, result in results:
        for worry in worries(result):
            print(f"- {row.title}, threads: {result['threads']}: {worry}")
