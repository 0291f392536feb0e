# SPDX-License-Identifier: Apache-2.0
"""Processes that work in turns: while one runs, the others are stopped, whatever their threads would rather do."""

import json
import os
import signal
import subprocess

TICKS = os.sysconf("SC_CLK_TCK")


class Host:
    """A process that answers each line with a line of JSON. It is stopped whenever it has not been asked anything."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.hello = None

    def start(self):
        """Waits until it is ready; then it sleeps."""
        self.hello = self.read()
        self.process.send_signal(signal.SIGSTOP)
        return self.hello

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(self.process.args)}: ended with status {self.process.wait()}")
        return json.loads(line)

    def ask(self, line):
        self.process.send_signal(signal.SIGCONT)
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
            return self.read()
        finally:
            self.process.send_signal(signal.SIGSTOP)

    def spent(self):
        """Seconds of processor time so far, all threads."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def close(self):
        self.process.send_signal(signal.SIGCONT)
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def machine_spent():
    """Seconds of processor time of the whole machine that were not idle."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _, _, interrupt, soft, steal = (int(word) for word in file.readline().split()[1:9])
    return (user + nice + system + interrupt + soft + steal) / TICKS
