"""Brings a table of Joiner back to what it was at a time, by point-in-time recovery: docs/operations.md#restoring-a-table

DynamoDB restores into a new table only. This makes that one, and puts its items back into the table that the functions
have, over what stands there. What was added since stays; nothing is deleted. Run again, it goes on with the same restored
table.

    "$(infra/tools.sh sam)/../sam/bin/python" infra/restore.py joiner-prod-users 2026-01-31T12:00:00Z
    ... --only E100        # the items of one key
    ... --dry-run          # restores, and says what it would put back
"""

import argparse
import datetime
import sys

import boto3


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table")
    parser.add_argument("time", type=lambda text: datetime.datetime.fromisoformat(text.replace("Z", "+00:00")))
    parser.add_argument("--only", metavar="KEY", help="the items whose partition key this is")
    parser.add_argument("--dry-run", action="store_true")
    arguments = parser.parse_args()
    if arguments.time.tzinfo is None:
        parser.error("say the time's zone, as in 2026-01-31T12:00:00Z")
    return arguments


def restored(client, table, time):
    """The name of the restored table, which is there when this returns."""
    name = f"{table}-restored-{time.astimezone(datetime.timezone.utc):%Y%m%dT%H%M%SZ}"
    described = client.describe_table(TableName=table)["Table"]
    # Without it the copy would be encrypted with AWS's own key.
    key = described.get("SSEDescription", {}).get("KMSMasterKeyArn")
    encrypted = {"SSESpecificationOverride": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}} if key else {}
    try:
        client.restore_table_to_point_in_time(
            SourceTableName=table, TargetTableName=name, RestoreDateTime=time, **encrypted
        )
    except (client.exceptions.ResourceInUseException, client.exceptions.TableAlreadyExistsException):
        pass
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 20, "MaxAttempts": 1080})
    return name, described["KeySchema"][0]["AttributeName"]


def main():
    arguments = parsed()
    client = boto3.client("dynamodb")
    copy, partition_key = restored(client, arguments.table, arguments.time)
    what, only = "scan", {}
    if arguments.only:
        what = "query"
        only = {
            "KeyConditionExpression": "#key = :key",
            "ExpressionAttributeNames": {"#key": partition_key},
            "ExpressionAttributeValues": {":key": {"S": arguments.only}},
        }
    count = 0
    for page in client.get_paginator(what).paginate(TableName=copy, **only):
        items = page["Items"]
        count += len(items)
        # A batch takes 25, and gives back what it had no capacity for.
        for start in range(0, 0 if arguments.dry_run else len(items), 25):
            left = {arguments.table: [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]}
            while left:
                left = client.batch_write_item(RequestItems=left)["UnprocessedItems"]
    print(f"{count} items of {copy} {'would be' if arguments.dry_run else 'are'} put back into {arguments.table}")
    return 0 if count else 1


if __name__ == "__main__":
    sys.exit(main())
