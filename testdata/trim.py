#!/usr/bin/env python3
"""Cuts a registry's storage tree down to a small one that is still a valid registry.

    trim.py FROM TO

FROM holds docker/registry/v2 as Distribution's filesystem driver wrote it. Kept are the repositories of KEEP, whole,
and every blob they link. A layer longer than LAYER bytes is cut to that length; what names it (configs, manifests,
indexes, links, blob directories) is rewritten to the new digests, in that order. Open uploads are copied as they are.
The same input always gives the same output.
"""
import hashlib, json, os, re, shutil, sys

KEEP = re.compile(r"(library/base|team/.*|bulk/repo-0[0-9])$")
LAYER = 4000


def main(source, target):
    source, target = (os.path.join(root, "docker/registry/v2") for root in (source, target))
    blob = lambda root, hex: f"{root}/blobs/sha256/{hex[:2]}/{hex}/data"
    below = os.path.join(source, "repositories")
    files = [os.path.relpath(os.path.join(at, f), below) for at, _, names in os.walk(below) for f in names]
    files = [f for f in files if KEEP.match(re.split(r"/_(?:layers|manifests|uploads)/", f)[0])]
    linked = {}
    for file in files:
        if file.endswith("/link"):
            hex = open(os.path.join(below, file)).read().removeprefix("sha256:")
            linked[hex] = open(blob(source, hex), "rb").read()
    # A deleted manifest leaves its blob: kept too, when all its layers are here.
    for at, _, names in os.walk(os.path.join(source, "blobs")):
        content = open(os.path.join(at, "data"), "rb").read() if names else b""
        if content.startswith(b'{"schemaVersion"') and all(d in linked for d in referenced(content)):
            linked[os.path.basename(at)] = content

    new = {}
    def renamed(hex):
        if hex not in new:
            content = linked[hex]
            if content.startswith((b'{"schemaVersion"', b'{"architecture"')):
                content = json.dumps(rewrite(json.loads(content))).encode()
            else:
                content = content[:LAYER]
            new[hex] = (hashlib.sha256(content).hexdigest(), content)
        return new[hex]
    def rewrite(value):
        if isinstance(value, dict):
            value = {key: rewrite(of) for key, of in value.items()}
            if "size" in value and "digest" in value:
                value["size"] = len(by_new[value["digest"].removeprefix("sha256:")])
            return value
        if isinstance(value, list):
            return [rewrite(of) for of in value]
        if isinstance(value, str) and value.startswith("sha256:"):
            hex, content = renamed(value.removeprefix("sha256:"))
            by_new[hex] = content
            return f"sha256:{hex}"
        return value
    by_new = {}

    for hex in linked:
        name, content = renamed(hex)
        write(blob(target, name), content)
    for file in files:
        content = open(os.path.join(below, file), "rb").read()
        if file.endswith("/link"):
            content = f"sha256:{renamed(content.decode().removeprefix('sha256:'))[0]}".encode()
        if "/_uploads/" not in file:
            file = re.sub(r"(?<=/sha256/)[0-9a-f]{64}(?=/link$)", lambda hex: renamed(hex[0])[0], file)
        write(os.path.join(target, "repositories", file), content)


def referenced(content):
    return re.findall(r"sha256:([0-9a-f]{64})", content.decode())


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)


if __name__ == "__main__":
    shutil.rmtree(sys.argv[2], ignore_errors=True)
    main(sys.argv[1], sys.argv[2])
