"""Write services' variables, as Parameter Store has them, into files for systemd.

The registry, environment.yaml, says which variables the service reads and
which of them it cannot do without. systemd (EnvironmentFile=) and bash read
a file alike: each value stands in double quotes, in which only four
characters need a backslash, so that every value arrives as it was stored.
"""

import argparse
import os
import re
import shlex
import signal
import sys
import tempfile
from pathlib import Path

import botocore.exceptions
import botocore.session
import yaml
from botocore.config import Config
from botocore.utils import InstanceMetadataRegionFetcher

# Seconds for everything: a hook has little more. A service that crashed does not
# stay away as long when there are variables to go on with.
LONGEST = 120
LONGEST_TO_KEEP = 15


class Unanswered(BaseException):
    """Parameter Store took too long. No Exception: botocore would take it for one more failure to try again after."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instance", type=Path, required=True, help="what the first start of the instance wrote down")
    parser.add_argument("--registry", type=Path, required=True, help="environment.yaml")
    parser.add_argument("--directory", type=Path, required=True, help="where the file goes, on a tmpfs")
    parser.add_argument("--keep", action="store_true", help="stay with the file that is there if Parameter Store cannot be reached")
    parser.add_argument("services", nargs="+", help="readers in environment.yaml: web, worker, beat")
    options = parser.parse_args()
    files = {service: options.directory / f"{service}.env" for service in options.services}

    can_stay = options.keep and all(file.exists() for file in files.values())
    longest = LONGEST_TO_KEEP if can_stay else LONGEST

    instance = read_instance(options.instance)
    # botocore has names for everything else that an instance may say, such as
    # AWS_ENDPOINT_URL.
    os.environ.update(instance)
    try:
        signal.signal(signal.SIGALRM, lambda *_: give_up(longest))
        signal.alarm(longest)
        if "AWS_DEFAULT_REGION" not in instance:
            instance["AWS_DEFAULT_REGION"] = os.environ["AWS_DEFAULT_REGION"] = own_region()
        stored = fetch(instance["PARAMETER_PATH"])
        signal.alarm(0)
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError, Unanswered) as error:
        reason = f"parameters {instance['PARAMETER_PATH']}: {error}"
        if not can_stay:
            sys.exit(f"load-environment: {reason}; see whether the instance's role may read them")
        print(f"load-environment: warning: {reason}; the variables stay as they were", file=sys.stderr)
        return

    registry = yaml.safe_load(options.registry.read_text(encoding="utf-8"))["variables"]
    chosen = {service: choose(registry, service, stored, instance) for service in files}
    unfit = sorted({name for values, _ in chosen.values() for name, value in values.items() if not fits(value)})
    if unfit:
        sys.exit(f"load-environment: {', '.join(unfit)}: want UTF-8 without NUL characters, as every environment variable has to be")
    problems = [f"{service}: no value for {', '.join(missing)}" for service, (_, missing) in chosen.items() if missing]
    if problems:
        sys.exit(
            f"load-environment: {'; '.join(problems)}; set each under {instance['PARAMETER_PATH']} "
            "(pulumi config set --path environment.NAME, then pulumi up)"
        )
    for service, (values, _) in chosen.items():
        try:
            write(files[service], values)
        except OSError as error:
            sys.exit(f"load-environment: {files[service]}: {error.strerror}; the file before is still there")
        print(f"load-environment: {len(values)} variables for {service} in {files[service]}")
    if unknown := sorted(set(stored) - set(registry)):
        print(f"load-environment: left out, since {options.registry.name} does not know them: {', '.join(unknown)}")


def read_instance(file):
    """Read NAME=value lines, which user data wrote, as bash does. What the instance is to run is for the hooks."""
    words = shlex.split(file.read_text(encoding="utf-8", errors="replace"), comments=True)
    values = dict(word.split("=", 1) for word in words if "=" in word)
    values.pop("SERVICES", None)
    return values


def own_region():
    """Ask instance metadata, version 2 only, where this is."""
    endpoint = os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT")
    config = {"ec2_metadata_v1_disabled": True, "ec2_metadata_service_endpoint": endpoint}
    region = InstanceMetadataRegionFetcher(timeout=5, num_attempts=5, config=config).retrieve_region()
    if not region:
        raise botocore.exceptions.NoRegionError
    return region


def fetch(path):
    """Return what is directly under path, by the last part of its name."""
    session = botocore.session.get_session()
    # The role's credentials come from instance metadata, version 2 only.
    session.set_config_variable("metadata_service_num_attempts", 5)
    session.set_config_variable("metadata_service_timeout", 5)
    session.set_config_variable("ec2_metadata_v1_disabled", True)
    ssm = session.create_client(
        "ssm",
        config=Config(retries={"mode": "standard", "total_max_attempts": 8}, connect_timeout=5, read_timeout=10),
    )
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=path, WithDecryption=True)
    return {parameter["Name"].removeprefix(path): parameter["Value"] for page in pages for parameter in page["Parameters"]}


def give_up(seconds):
    raise Unanswered(f"no answer within {seconds} seconds")


def choose(registry, service, stored, instance):
    """Pick what the service reads. What is never stored is the instance's own or has a default."""
    values, missing = dict(instance), []
    for name, variable in registry.items():
        if service not in variable["readers"]:
            continue
        if "elsewhere" in variable:
            value = instance.get(name, variable.get("default"))
        else:
            value = stored.get(name)
        if value is not None:
            values[name] = str(value)
        elif variable.get("required"):
            missing.append(name)
    return values, missing


def fits(value):
    """Whether an environment variable can hold a value."""
    try:
        return b"\0" not in value.encode()
    except UnicodeEncodeError:
        return False


def encode(name, value):
    """One entry of the file. systemd.exec(5), EnvironmentFile=: inside double quotes these four are escaped."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError(f"{name!r}: want letters, digits and underscores")
    return f"{name}=\"" + re.sub(r'([\\"`$])', r"\\\1", value) + '"\n'


def write(file, values):
    """Put a new file in the old one's place at once. It is root's, from its first byte on."""
    file.parent.mkdir(mode=0o755, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as output:
            output.writelines(encode(name, value) for name, value in values.items())
        os.replace(temporary, file)
    except BaseException:
        os.unlink(temporary)
        raise


if __name__ == "__main__":
    main()
