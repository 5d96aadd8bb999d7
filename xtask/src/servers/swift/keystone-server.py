"""Sets up Keystone and runs it without a web server of its own, or tells it of a service.

usage: keystone-server.py serve CONFIGURATION PORT USER PASSWORD REGION
       keystone-server.py catalogue URL USER PASSWORD REGION ENDPOINT
"""
import json
import os
import sqlite3
import sys
import urllib.request


def prepare(database):
    """Makes tables and keys, as `keystone-manage` does by three commands: each takes seconds to load Keystone."""
    from keystone.common import fernet_utils
    from keystone.common.sql import upgrades
    from keystone.conf import CONF

    upgrades.offline_sync_database_to_version()
    # Else who reads and who writes lock each other out.
    sqlite3.connect(database).execute("PRAGMA journal_mode=WAL")
    for group in ["fernet_tokens", "credential"]:
        settings = getattr(CONF, group)
        count = getattr(settings, "max_active_keys", 3)
        keys = fernet_utils.FernetUtils(settings.key_repository, count, group)
        keys.create_key_directory()
        # Else it warns at every token.
        os.chmod(settings.key_repository, 0o700)
        keys.initialize_key_repository()


def bootstrap(url, user, password, region):
    """Makes the administrator, and what every Keystone has."""
    from keystone.cmd import bootstrap

    # It would load what the application has loaded.
    bootstrap.backends.load_backends = dict
    first = bootstrap.Bootstrapper()
    first.admin_username = first.project_name = user
    first.admin_password = password
    first.admin_role_name = "admin"
    first.service_name = "keystone"
    first.immutable_roles = True
    first.region_id = region
    # Swift asks at the internal one who a token is of.
    first.public_url = first.internal_url = url
    first.bootstrap()


def serve(configuration, port, user, password, region):
    import socketserver
    import wsgiref.simple_server

    from keystone.server.flask import core

    # Keystone takes what is left of the command line for its own.
    del sys.argv[1:]
    database = os.path.join(os.path.dirname(configuration), "keystone.db")
    application = core.initialize_application("public", lambda: prepare(database), [configuration])
    bootstrap("http://127.0.0.1:%s/v3" % port, user, password, region)

    class Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
        daemon_threads = True
        # Of a hundred clients that come at once none is to be sent away.
        request_queue_size = 128

    class Quiet(wsgiref.simple_server.WSGIRequestHandler):
        def log_message(self, *_):
            pass

        def address_string(self):
            # Else every request waits for the name of its client.
            return self.client_address[0]

    server = wsgiref.simple_server.make_server("127.0.0.1", int(port), application, Server, Quiet)
    server.serve_forever()


def ask(url, body, token=None):
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    if token:
        request.add_header("X-Auth-Token", token)
    with urllib.request.urlopen(request) as answer:
        return answer.headers, json.load(answer)


def catalogue(url, user, password, region, endpoint):
    default = {"id": "default"}
    auth = {
        "identity": {
            "methods": ["password"],
            "password": {"user": {"name": user, "domain": default, "password": password}},
        },
        "scope": {"project": {"name": user, "domain": default}},
    }
    headers, _ = ask(url + "/auth/tokens", {"auth": auth})
    token = headers["X-Subject-Token"]
    _, made = ask(url + "/services", {"service": {"type": "object-store", "name": "swift"}}, token)
    for interface in ["public", "internal"]:
        place = {
            "interface": interface,
            "region_id": region,
            "service_id": made["service"]["id"],
            "url": endpoint,
        }
        ask(url + "/endpoints", {"endpoint": place}, token)


if __name__ == "__main__":
    {"serve": serve, "catalogue": catalogue}[sys.argv[1]](*sys.argv[2:])
