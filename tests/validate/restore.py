"""infra/restore.py puts back what was lost or changed, one key's items or all, and deletes nothing.

Against moto, which restores a table as it is now, whatever time it is asked for: that DynamoDB goes back to the time is
AWS's word.
"""

import logging
import pathlib
import subprocess
import sys
import threading

import boto3
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

TABLE, TIME = "joiner-dev-history", "2026-01-31T12:00:00Z"
ENV = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}


def main():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    client = boto3.client(
        "dynamodb", endpoint_url=url, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("employee_id", "event_id")],
        KeySchema=[
            {"AttributeName": "employee_id", "KeyType": "HASH"},
            {"AttributeName": "event_id", "KeyType": "RANGE"},
        ],
    )

    def put(employee, event, value):
        item = {"employee_id": {"S": employee}, "event_id": {"S": event}, "value": {"S": value}}
        client.put_item(TableName=TABLE, Item=item)

    def all_items():
        pages = client.get_paginator("scan").paginate(TableName=TABLE)
        return {(i["employee_id"]["S"], i["event_id"]["S"]): i["value"]["S"] for page in pages for i in page["Items"]}

    def restore(*arguments):
        command = [sys.executable, "infra/restore.py", TABLE, TIME, *arguments]
        done = subprocess.run(command, env=ENV | {"AWS_ENDPOINT_URL": url}, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    client.update_continuous_backups(
        TableName=TABLE, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    for n in range(60):
        put(f"E{n % 3}", f"event {n}", "right")
    before = all_items()
    assert restore("--dry-run").startswith("60 items")
    put("E0", "event 0", "wrong")
    put("E1", "event 1", "wrong")
    client.delete_item(TableName=TABLE, Key={"employee_id": {"S": "E0"}, "event_id": {"S": "event 3"}})
    put("E0", "event 60", "new")
    damaged = all_items()
    restore("--dry-run")
    assert all_items() == damaged, "a dry run changes nothing"
    assert restore("--only", "E1").startswith("20 items")
    assert all_items() == damaged | {("E1", "event 1"): "right"}, "one person's items only"
    assert restore().startswith("60 items")
    assert all_items() == before | {("E0", "event 60"): "new"}, "all are back, and what is new stays"
    print(f"=60 items back by {pathlib.Path('infra/restore.py')}, against moto")


main()
