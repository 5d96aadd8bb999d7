"""Runs one of Swift's servers with its configuration in a directory of our choice.

usage: swift-server.py DIRECTORY KIND
KIND is account, container, object or proxy; its configuration is DIRECTORY/KIND.conf.

Swift's own commands read /etc/swift/swift.conf, whatever else they are told: that would take root,
and would be in the way of a Swift that this machine may have.
"""
import importlib
import sys

directory, kind = sys.argv[1:]

from swift.common import utils

utils.set_swift_dir(directory)

from swift.common import constraints, storage_policy

constraints.reload_constraints()
storage_policy.reload_storage_policies()

package = {"object": "obj"}.get(kind, kind)
server = importlib.import_module("swift.%s.server" % package)
sys.argv = [sys.argv[0], "%s/%s.conf" % (directory, kind), "--verbose"]
server.main()
