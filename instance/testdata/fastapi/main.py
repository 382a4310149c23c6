"""A web server with FastAPI: pages, an answer that comes in parts, and a WebSocket."""

import asyncio
import os
import threading

from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse

app = FastAPI()
taken = threading.Event()


@app.get("/healthz", response_class=PlainTextResponse)
def health():
    return "ok\n"


@app.get("/readyz")
def ready():
    return JSONResponse({"release": os.environ["RELEASE"]})


@app.get("/", response_class=PlainTextResponse)
def index(request: Request):
    return f"{os.environ['GREETING']} {request.url.scheme} {request.client.host}"


@app.get("/parts")
async def parts():
    """The second part comes when the visitor has taken the first, or never."""

    async def answer():
        yield "first\n"
        await asyncio.to_thread(taken.wait)
        yield "second\n"

    return StreamingResponse(answer(), media_type="text/plain")


@app.get("/taken", response_class=PlainTextResponse)
def take():
    taken.set()
    return "ok\n"


@app.websocket("/echo")
async def echo(socket: WebSocket):
    await socket.accept()
    async for text in socket.iter_text():
        await socket.send_text(f"{os.environ['RELEASE']}: {text}")
