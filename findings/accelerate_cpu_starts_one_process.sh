#!/usr/bin/env bash
# accelerate 1.15.0 (torch 2.13.0, Linux, Python 3.11, no GPU): `accelerate launch --cpu --num_processes 2 script.py` runs one
# process, exits with 0 and says nothing of the other: "process 0 of 1". The option that starts two processes on CPUs, which
# then talk by gloo, is `--multi_gpu`: "process 0 of 2" and "process 1 of 2". A training that was to run in two processes runs
# in one, and nothing fails.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.13.0 numpy accelerate==1.15.0
cd "$folder"
cat > who.py <<'PY'
from accelerate import PartialState

state = PartialState(cpu=True)
print("process", state.process_index, "of", state.num_processes, flush=True)
PY
launch() {
    HF_HOME="$folder/hf" "$folder/venv/bin/accelerate" launch "$@" --num_processes 2 --num_machines 1 --mixed_precision no \
        --dynamo_backend no who.py 2> log | sort
}
diff <(launch --cpu) <(echo "process 0 of 1")
diff <(launch --multi_gpu) <(printf 'process %d of 2\n' 0 1)
echo "as found"
