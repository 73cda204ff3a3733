"""Run the benchmarks of speed, one after the other, and keep what they print and write.

    python benchmarks/run.py [--quick] [--out FOLDER] [NAME ...]

Each runs in a process of its own and leaves NAME.md and NAME.json in the folder
(benchmarks/.results), scaling.py also scaling.png. All together take an hour on 2 cores, with
--quick two minutes. They need no data; peers come with benchmarks/requirements.txt. What tasks,
noise and published towers do for accuracy is measured by the other files, which need CCLM_DATA.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
NAMES = ("throughput", "scaling", "search", "start", "ablations", "losses")


def run(name, folder, quick):
    """Run a benchmark, showing what it prints, and return whether it ended well."""
    command = [sys.executable, "-u", "-W", "ignore", HERE / f"{name}.py"]
    command += ["--json", folder / f"{name}.json"] + ["--quick"] * quick
    if name == "scaling":
        command += ["--plot", folder / "scaling.png"]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    with open(folder / f"{name}.md", "w") as file:
        for line in process.stdout:
            file.write(line)
            sys.stdout.write(line)
            sys.stdout.flush()
    failed = process.wait()
    print(f"\n-- {name}: {time.perf_counter() - start:.0f} s\n", flush=True)
    return not failed


def main():
    """Run the benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=NAMES, metavar="NAME", help="which; all")
    parser.add_argument("--quick", action="store_true", help="small runs, to see that they work")
    parser.add_argument("--out", type=Path, default=HERE / ".results", help="folder for figures")
    given = parser.parse_args()
    if unknown := set(given.names) - set(NAMES):
        parser.error(f"no such benchmark: {sorted(unknown)}; there are {list(NAMES)}")
    given.out.mkdir(parents=True, exist_ok=True)
    failed = [name for name in given.names if not run(name, given.out, given.quick)]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
