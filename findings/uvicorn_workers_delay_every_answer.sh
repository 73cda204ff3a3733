#!/usr/bin/env bash
# uvicorn 0.54.0 on asyncio's loop (Linux, Python 3.11): the same application answers a client that keeps its
# connection in 0.4 ms with one worker and in 44 ms with two. With --workers the listening socket is made with
# protocol 0, and asyncio sets TCP_NODELAY only where a socket's protocol says TCP, so that head and body of an
# answer, written one after the other, wait for the client's delayed acknowledgement. With uvloop 0.23.0
# installed, which uvicorn then takes by itself, both take 0.3 ms. Adding workers for speed divides it by a hundred.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q uvicorn==0.54.0 uvloop==0.23.0
cd "$folder"
cat > app.py <<'PY'
async def app(scope, receive, send):
    if scope["type"] == "http":
        await receive()
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})
PY
"$folder/venv/bin/python" - <<'PY'
import http.client, socket, statistics, subprocess, sys, time


def median(*options):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "app:app", "--port", str(port), "--log-level", "error"]
    server = subprocess.Popen([*command, *options])
    try:
        client = http.client.HTTPConnection("127.0.0.1", port)
        for _ in range(400):
            try:
                client.connect()
                break
            except OSError:
                time.sleep(0.05)
        seconds = []
        for _ in range(60):
            start = time.perf_counter()
            client.request("POST", "/", b"{}")
            assert client.getresponse().read() == b"ok"
            seconds.append(time.perf_counter() - start)
        return 1000 * statistics.median(seconds[10:])
    finally:
        server.terminate()
        server.wait()


found = {
    (loop, workers): median("--loop", loop, "--workers", str(workers))
    for loop in ("asyncio", "uvloop")
    for workers in (1, 2)
}
for (loop, workers), milliseconds in found.items():
    print(f"{loop}, {workers} worker(s): {milliseconds:.2f} ms")
assert found["asyncio", 2] > 30 > 15 > max(found["asyncio", 1], found["uvloop", 1], found["uvloop", 2])
PY
