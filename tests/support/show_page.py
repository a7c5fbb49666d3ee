#!/usr/bin/env python3
"""show_page.py URL SECONDS EXPRESSION [SCREENSHOT.png [WIDTHxHEIGHT [dark]]]: opens a page in headless Chromium, waits
that long, evaluates an expression and prints {"value": ..., "complaints": [what console, scripts and network said]}."""
import base64
import json
import os
import subprocess
import sys
import tempfile
import time


class Browser:
    """Chromium behind two pipes: NUL-terminated JSON, as --remote-debugging-pipe wants it on descriptors 3 and 4."""

    def __init__(self, home):
        to_read, self.out = os.pipe()
        self.inp, to_write = os.pipe()
        self.out_pipe = os.fdopen(self.out, "wb", buffering=0)
        command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                   "--no-first-run", "--mute-audio", "--autoplay-policy=no-user-gesture-required",
                   "--user-data-dir=" + home, "--remote-debugging-pipe", "about:blank"]

        def place():
            os.dup2(to_read, 100)
            os.dup2(to_write, 101)
            os.dup2(100, 3)
            os.dup2(101, 4)

        self.process = subprocess.Popen(command, preexec_fn=place, close_fds=False, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.rest = b""
        self.number = 0
        self.events = []

    def message(self):
        while b"\0" not in self.rest:
            part = os.read(self.inp, 1 << 16)
            if not part:
                raise SystemExit("chromium ended")
            self.rest += part
        one, self.rest = self.rest.split(b"\0", 1)
        return json.loads(one)

    def ask(self, method, session=None, **values):
        self.number += 1
        question = {"id": self.number, "method": method, "params": values}
        if session:
            question["sessionId"] = session
        self.out_pipe.write(json.dumps(question).encode() + b"\0")
        while True:
            answer = self.message()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise SystemExit(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)


def complaints(events):
    for event in events:
        values = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            yield json.dumps(values["exceptionDetails"])
        if event.get("method") == "Log.entryAdded" and values["entry"]["level"] in ("error", "warning"):
            yield values["entry"]["text"] + " " + values["entry"].get("url", "")
        if event.get("method") == "Runtime.consoleAPICalled" and values["type"] in ("error", "warning", "assert"):
            yield json.dumps(values["args"])


def main():
    url, seconds, expression = sys.argv[1], float(sys.argv[2]), sys.argv[3]
    screenshot = sys.argv[4] if len(sys.argv) > 4 else None
    width, height = (sys.argv[5] if len(sys.argv) > 5 else "1280x900").split("x")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        browser = Browser(home)
        try:
            target = browser.ask("Target.createTarget", url="about:blank")["targetId"]
            page = browser.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Runtime", "Log", "Page"):
                browser.ask(domain + ".enable", page)
            browser.ask("Emulation.setDeviceMetricsOverride", page, width=int(width), height=int(height),
                        deviceScaleFactor=1, mobile=False)
            if sys.argv[-1] == "dark":
                browser.ask("Emulation.setEmulatedMedia", page,
                            features=[{"name": "prefers-color-scheme", "value": "dark"}])
            browser.ask("Page.navigate", page, url=url)
            time.sleep(seconds)
            value = browser.ask("Runtime.evaluate", page, expression=expression, returnByValue=True, awaitPromise=True)
            if screenshot:
                shot = browser.ask("Page.captureScreenshot", page, format="png")
                with open(screenshot, "wb") as file:
                    file.write(base64.b64decode(shot["data"]))
            print(json.dumps({"value": value["result"].get("value"), "complaints": list(complaints(browser.events))}))
        finally:
            browser.process.kill()
            browser.process.wait()


main()
