"""Where the settings get their values from."""

import json
import os

import environ


class Env(environ.Env):
    """Environment variables, and files that stand in for them.

    On an instance systemd has set every variable before Python starts. The
    files are for containers and developers. A variable that is set already
    wins over a file's.
    """

    def str(self, var, default=environ.Env.NOTSET, multiline=False):
        """A value as it is: environ takes one that begins with $ for the name of another variable."""
        return self.ENVIRON.get(var) or super().str(var, default, multiline)

    @classmethod
    def read_json(cls, path):
        """Read {"NAME": "value"}, or what `aws ssm get-parameters-by-path` prints."""
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        if "Parameters" in content:
            content = {p["Name"].rpartition("/")[2]: p["Value"] for p in content["Parameters"]}
        for name, value in content.items():
            os.environ.setdefault(name, value)
