"""What test/gitlab/clients.integration.test.ts does, by python-gitlab: prints one JSON object, raises on any answer that the client cannot take."""

import json
import sys

import gitlab

url, receiver, key = sys.argv[1:4]
token = sys.stdin.readline().strip()
client = gitlab.Gitlab(url, private_token=token)
client.auth()

by_offset = [project.id for project in client.projects.list(iterator=True, per_page=2, membership=True)]
by_keyset = [
    project.id
    for project in client.projects.list(
        iterator=True, per_page=2, membership=True, pagination="keyset", order_by="id", sort="asc"
    )
]

project = client.projects.get("acme/shop")
hook = project.hooks.create({"url": receiver, "push_events": True})
client.http_post(f"/projects/{project.id}/hooks/{hook.id}/test/push_events")
project_hooks = [one.url for one in project.hooks.list(get_all=True)]

deploy_key = project.keys.create({"title": "deploy", "key": key})
content = project.files.get(file_path="lib/a.txt", ref="main").decode().decode()
head = project.branches.get("main").commit["id"]
status = project.commits.get(head).statuses.create({"state": "success", "name": "python"})
made = client.projects.create({"name": "By Python"})
rotated = client.http_post("/personal_access_tokens/self/rotate")

print(
    json.dumps(
        {
            "user": client.user.username,
            "byOffset": by_offset,
            "byKeyset": by_keyset,
            "hooks": project_hooks,
            "deployKey": deploy_key.title,
            "content": content,
            "status": status.status,
            "made": made.path_with_namespace,
            "rotated": rotated["token"] != token and rotated["token"].startswith("glpat-"),
        }
    )
)
