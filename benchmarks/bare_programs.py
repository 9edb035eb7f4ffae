"""What the round trip is measured beside: programs that do a part of the work and nothing else.

`BARE` runs a bundle's engine. `ECHO` is an empty service of gRPC's asyncio that takes bytes and
answers with as many as a prediction has. `LEAST` is that service before the bare engine in a
process of its own. The last two tell their port in their first line.
"""

BARE = """
import sys, time, numpy as np
from pathlib import Path
from dlae_core.prediction import Predictor
engine = Predictor(Path(sys.argv[1]))._engine
image = np.random.default_rng(1).random((1, int(sys.argv[2]), int(sys.argv[2]), 1), np.float32)
for _ in range(10):
    engine.run(image)
print(type(engine).__name__, flush=True)
for line in sys.stdin:
    for pause in (0, 0.001):
        times, cpu = [], time.process_time()
        for _ in range(int(line)):
            time.sleep(pause)
            start = time.perf_counter()
            engine.run(image)
            times.append(time.perf_counter() - start)
        cpu = (time.process_time() - cpu) / len(times)
        print(sorted(times)[len(times) // 2], cpu, end=" ")
    print(flush=True)
"""
ECHO = """
import asyncio, grpc, sys
answer = bytes(int(sys.argv[1]))
async def echo(request, context):
    return answer
async def main():
    server = grpc.aio.server()
    methods = {"Echo": grpc.unary_unary_rpc_method_handler(echo)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("echo.Echo", methods),))
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    await server.start()
    await server.wait_for_termination()
asyncio.run(main())
"""
LEAST = """
import asyncio, grpc, socket, subprocess, sys
worker = '''
import socket, sys, numpy as np
from pathlib import Path
from dlae_core.prediction import Predictor
engine = Predictor(Path(sys.argv[1]))._engine
side, pipe = int(sys.argv[2]), socket.socket(fileno=int(sys.argv[3]))
image = np.empty((1, side, side, 1), np.float32)
pipe.sendall(b"r")
while pipe.recv_into(image, 0, socket.MSG_WAITALL):
    pipe.sendall(engine.run(image).data)
'''
async def main():
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-c", worker, *sys.argv[1:3], str(theirs.fileno())]
    with subprocess.Popen(command, pass_fds=[theirs.fileno()]) as process:
        theirs.close()
        reader, writer = await asyncio.open_unix_connection(sock=ours, limit=1 << 22)
        await reader.readexactly(1)
        async def predict(request, context):
            writer.write(request)
            return await reader.readexactly(int(sys.argv[3]))
        server = grpc.aio.server()
        methods = {"Echo": grpc.unary_unary_rpc_method_handler(predict)}
        handler = grpc.method_handlers_generic_handler("echo.Echo", methods)
        server.add_generic_rpc_handlers((handler,))
        print(server.add_insecure_port("127.0.0.1:0"), flush=True)
        await server.start()
        await server.wait_for_termination()
asyncio.run(main())
"""
