"""Runs Keystone without a web server of its own, and tells it of a service.

usage: keystone-server.py serve CONFIGURATION PORT
       keystone-server.py catalogue URL USER PASSWORD REGION ENDPOINT
"""
import json
import os
import sqlite3
import sys
import urllib.request


def serve(configuration, port):
    # Else who reads and who writes lock each other out.
    database = os.path.join(os.path.dirname(configuration), "keystone.db")
    sqlite3.connect(database).execute("PRAGMA journal_mode=WAL")

    import socketserver
    import wsgiref.simple_server

    from keystone.server.flask import core

    # Keystone takes what is left of the command line for its own.
    del sys.argv[1:]
    application = core.initialize_application("public", config_files=[configuration])

    class Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
        daemon_threads = True

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
